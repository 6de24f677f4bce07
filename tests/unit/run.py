#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run the unit tests: every build/unit/test_* (cmocka, under ASan and UBSan) and klibc_link, and what must hold of the
sources and the built programs as such. Logs go to build/unit-logs/NAME/. Needs "make all test-programs".
"""

import functools
import pathlib
import re
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from lib import runner
from unit import klibc32, receive, verbs
from lib.paths import BUILD, INIT, KCAPTURE, REPO, TESTS
from lib.runner import expect

INIT_MAX_KIB = 1024              # most of it is zstd
SUBSYSTEMS = ("elfcore", "src", "initramfs", "klibc")

# What a library without I/O of its own must not call; memory and strings it may.
FORBIDDEN = re.compile(r"^(f?open(at|64)?|f?close|p?read(64|v)?|p?write(64|v)?|mmap(64)?|munmap|ioctl|socket|fork|system|popen|"
                       r"v?f?printf|__v?f?printf_chk|puts|f?putc|fputs|putchar|perror|exit|_exit|abort|__assert_fail|"
                       r"(secure_)?getenv|setenv|signal|sigaction|std(in|out|err)|time|gettimeofday|syslog)$")


def run(argv, log, deadline=runner.DEADLINE):
    """(exit code, output); the output is kept as a file."""
    try:
        done = subprocess.run([str(arg) for arg in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=deadline, cwd=REPO)
    except subprocess.TimeoutExpired as slow:
        log.write_text((slow.stdout or b"").decode(errors="replace"))
        raise runner.Failure(f"not done after {deadline} s") from None
    log.write_text(done.stdout)
    return done.returncode, done.stdout


def first_failure(text):
    """The lines of cmocka and of the sanitizers that say what went wrong."""
    lines = [line for line in text.splitlines() if re.search(r"^\[ *(ERROR|LINE) |^ERROR: |runtime error|Sanitizer", line)]
    return "; ".join(lines[:4]) or text.strip()[-200:]


def cmocka(program, directory):
    code, text = run([program], directory / "output.log")
    count = re.search(r"^\[==========\] (\d+) test\(s\) run\.", text, re.MULTILINE)
    expect(code == 0 and count, f"exit code {code}: {first_failure(text)}")
    return f"{count[1]} cases"


def klibc_link(directory):
    code, text = run([BUILD / "unit/klibc_link"], directory / "output.log")
    expect(code == 0, f"exit code {code}: {text.strip()[-200:]}")


def init_is_small(directory):
    code, text = run(["readelf", "-W", "-h", "-l", INIT], directory / "readelf.txt")
    expect(code == 0 and "INTERP" not in text and "DYNAMIC" not in text, "build/init is not statically linked")
    size = INIT.stat().st_size
    expect(size < INIT_MAX_KIB * 1024, f"build/init has {size} bytes")
    return f"{size / 1024:.0f} KiB"


def headers_compile_alone(directory):
    headers = [header for subsystem in SUBSYSTEMS for header in sorted((REPO / subsystem).glob("*.h"))]
    bad = []
    for header in headers:
        code, text = run(["gcc", "-std=gnu11", "-I.", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                          "-x", "c", header], directory / f"{header.name}.log")
        if code:
            bad.append(f"{header.relative_to(REPO)}: {text.strip().splitlines()[0]}")
    expect(headers and not bad, "; ".join(bad))
    return f"{len(headers)} headers"


def elfcore_objects():
    return [BUILD / "host" / source.relative_to(REPO).with_suffix(".o") for source in sorted((REPO / "elfcore").glob("*.c"))]


def engine_has_no_io(directory):
    bad = []
    for obj in elfcore_objects():
        code, text = run(["nm", "-u", obj], directory / f"{obj.name}.log")
        expect(code == 0, f"nm {obj}: {text.strip()}")
        bad += [f"{obj.stem} calls {name}" for name in text.split() if FORBIDDEN.match(name.split("@")[0])]
    expect(not bad, ", ".join(bad))
    return f"{len(elfcore_objects())} objects"


def engine_has_no_globals(directory):
    """Pointers in const tables are relocated: they live in .data.rel.ro, which nm calls d, and nobody writes there."""
    bad = []
    for obj in elfcore_objects():
        code, text = run(["objdump", "-t", obj], directory / f"{obj.name}.log")
        expect(code == 0, f"objdump {obj}: {text.strip()}")
        for line in text.splitlines():
            found = re.match(r"[0-9a-f]+ .{7} (\.data|\.bss|\.tbss|\.tdata|\*COM\*)(\.(?!rel\.ro)\S*)?\s+([0-9a-f]+) (\S+)", line)
            if found and int(found[3], 16):
                bad.append(f"{obj.stem}: {found[4]}")
    expect(not bad, "writable: " + ", ".join(bad))
    return f"{len(elfcore_objects())} objects"


def test_programs():
    return [BUILD / "unit" / source.stem for source in sorted((TESTS / "unit").glob("test_*.c"))]


def tests():
    found = [runner.Test(program.name, functools.partial(cmocka, program)) for program in test_programs()]
    for name, func in (("klibc_link", klibc_link), ("init-is-small", init_is_small),
                       ("headers-compile-alone", headers_compile_alone), ("engine-has-no-io", engine_has_no_io),
                       ("engine-has-no-globals", engine_has_no_globals),
                       ("klibc32-offsets", klibc32.offsets_beyond_4g), ("klibc32-init", klibc32.init_builds),
                       ("wrong-use", verbs.wrong_use), ("copy-refuses", verbs.copy_refuses),
                       ("full-output", verbs.full_output), ("interrupted", verbs.interrupted), ("unfinished", verbs.unfinished),
                       ("verify-directory", verbs.verify_directory)):
        found.append(runner.Test(name, func))
    return found + [runner.Test(f"receive-{name}", func, 3) for name, func in receive.TESTS.items()]


def requires():
    return (*test_programs(), BUILD / "unit/klibc_link", receive.SENDER, receive.PROGRAM, INIT, KCAPTURE)


if __name__ == "__main__":
    sys.exit(runner.main(__doc__, tests(), BUILD / "unit-logs", requires=requires(), jobs=2))
