#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run the format tests: readelf, eu-readelf, gdb, crash, drgn and makedumpfile open a core of a real crash as /init wrote
it, and what `kcapture copy` makes of it and of the raw /proc/vmcore of the same crash; `kcapture verify` and
`kcapture info` judge good and damaged cores. Logs go to build/format/NAME/.
"""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from format import aliases, analysis, debuggers, dropin, fixture, jobs, reading, report, selection, stored
from lib import compare_cores, elf, readers, runner
from lib.fetch_kernels import fetch_kernel, fetch_vmlinux
from lib.paths import BUILD, INIT, KCAPTURE
from lib.runner import expect

PAGE = 4096
CALL_CHAIN = ("sysrq_handle_crash", "ksys_write", "entry_SYSCALL_64")
once = threading.Lock()             # tests run at once, the fixture is made once


def cores():
    with once:
        return fixture.cores()


def copied(source, directory):
    out = directory / "copied.core"
    code, text = readers.run([KCAPTURE, "copy", source, out])
    expect(code == 0, f"kcapture copy exits {code}: {text.strip()[-300:]}")
    return out


# How a test gets its core: name -> function of the test's directory
ORIGINS = {
    "captured": lambda directory: cores()[0],
    "copied": lambda directory: copied(cores()[0], directory),
    "from-raw": lambda directory: copied(cores()[1], directory),
    "from-kdump": lambda directory: reading.converted(cores()[1], directory),
}


def save(directory, name, text):
    (directory / f"{name}.txt").write_text(text)
    return text


# What every core must pass: functions of (core, directory)

def readelf(core, directory):
    for argv in (("readelf", "-W", "-h", "-l", "-n"), ("eu-readelf", "-h", "-l", "-n")):
        run = subprocess.run([*argv, core], capture_output=True, text=True, errors="replace")
        save(directory, argv[0], run.stdout)
        expect(run.returncode == 0 and not run.stderr, f"{argv[0]}: {run.stderr.strip()[:300]}")
        expect("CORE" in run.stdout and "VMCOREINFO" in run.stdout, f"{argv[0]} does not show the notes")


def layout(core, directory):
    """The rules that readers need and no program checks (facts of crash, gdb and drgn)."""
    with elf.Core(core) as parsed:
        expect(parsed.phdrs[0].type == elf.PT_NOTE, "PT_NOTE is not first")
        expect(all(phdr.type == elf.PT_LOAD for phdr in parsed.phdrs[1:]), "something else than PT_LOAD follows")
        expect(parsed.phdrs[0].align in (0, 4), f"PT_NOTE has p_align {parsed.phdrs[0].align}")
        first_data = min(load.offset for load in parsed.loads if load.filesz)
        expect(parsed.phdrs[0].offset + parsed.phdrs[0].filesz <= first_data, "notes lie behind data")
        for load in parsed.loads:
            expect(load.filesz <= load.memsz, f"p_filesz > p_memsz at {load.vaddr:#x}")
            expect(load.offset + load.filesz <= parsed.size, f"PT_LOAD at {load.vaddr:#x} ends behind the file")
            expect((load.offset - load.vaddr) % PAGE == 0, f"p_offset is not congruent at {load.vaddr:#x}")
        expect(parsed.flags & elf.E_FLAGS_INCOMPLETE == 0, "marked incomplete")
        check_sharing(parsed)
    expect(os.stat(core).st_blocks * 512 < os.stat(core).st_size * 0.95, "no holes in the file")


def check_sharing(parsed):
    """The kernel's text lies in the direct map too: its data must be in the file once."""
    text = next((load for load in parsed.loads if load.vaddr >= 0xffffffff80000000), None)
    expect(text, "no PT_LOAD of the kernel's image")
    direct = next((load for load in parsed.loads if load is not text and load.paddr != elf.NO_PADDR
                   and load.paddr <= text.paddr < load.paddr + load.memsz), None)
    expect(direct, "the kernel's image is in no PT_LOAD of the direct map")
    expect(text.offset == direct.offset + text.paddr - direct.paddr, "the kernel's image is in the file twice")


def same_as_raw(core, directory):
    result = compare_cores.compare(cores()[1], core)
    expect(result.good, save(directory, "compare", result.summary()))


def gdb(core, directory):
    text = save(directory, "gdb", readers.gdb(core, fetch_vmlinux(fixture.KERNEL), readers.PANICKING_THREAD, "bt"))
    for function in CALL_CHAIN:
        expect(function in text, f"gdb's backtrace lacks {function}")


def crash(core, directory):
    code, text = readers.crash(core, fetch_vmlinux(fixture.KERNEL), "sys", "bt")
    save(directory, "crash", text)
    expect(code == 0, f"crash exits {code}")
    for wanted in (*CALL_CHAIN, "sysrq triggered crash", fetch_kernel(fixture.KERNEL).version):
        expect(wanted in text, f"crash does not show {wanted}")


def drgn(core, directory):
    code, text = readers.drgn(core, fetch_vmlinux(fixture.KERNEL))
    save(directory, "drgn", text)
    expect(code == 0, f"drgn: {text.strip()[-200:]}")
    for wanted in CALL_CHAIN:
        expect(wanted in text, f"drgn's backtrace lacks {wanted}")


def makedumpfile(core, directory):
    for name, args in (("dmesg", ["--dump-dmesg"]), ("d31", ["-d", "31"]), ("elf31", ["-E", "-d", "31"])):
        code, text = readers.makedumpfile(*args, core, directory / f"{name}.out")
        expect(code == 0, f"makedumpfile {' '.join(args)} exits {code}: {text.strip()[-200:]}")
    dmesg = save(directory, "dmesg", (directory / "dmesg.out").read_text(errors="replace"))
    expect("sysrq triggered crash" in dmesg, "no panic in the dmesg that makedumpfile finds")


def bt(core, directory):
    """The stack of the CPU that panicked and no other, also where nothing but their order says whose the registers are."""
    code, text = readers.run([KCAPTURE, "bt", core])
    expect(code == 0 and re.match(r"CPU \d+  PID \d+ .*  panicked\n", text) and text.count("CPU ") == 1, f"kcapture bt begins: {text[:300]}")
    found = [text.find(name) for name in CALL_CHAIN]
    expect(-1 not in found and found == sorted(found), f"kcapture bt shows {text}")


def verify(core, directory):
    code, text = readers.run([KCAPTURE, "verify", core])
    expect(code == 0, f"kcapture verify exits {code}: {text.strip()[-300:]}")


def info(core, directory):
    code, text = readers.run([KCAPTURE, "info", core])
    save(directory, "info", text)
    expect(code == 0 and fetch_kernel(fixture.KERNEL).version in text, f"kcapture info: {code} {text.strip()[-200:]}")


# Damaged cores must be called so: name -> function that damages an open file of a core

def cut(file, _):
    file.truncate(os.fstat(file.fileno()).st_size // 2)


def poke(offset, data):
    def damage(file, _):
        file.seek(offset)
        file.write(data)
    return damage


def note_size(file, core):
    with elf.Core(core) as parsed:
        file.seek(parsed.phdrs[0].offset + 4)
    file.write(b"\xff\xff\xff\x7f")


FIRST_LOAD = elf.EHDR.size + elf.PHDR.size
DAMAGES = {
    "cut": cut,
    "no-magic": poke(0, b"\0\0\0\0"),
    "incomplete-flag": poke(48, b"\1"),
    "phnum": poke(56, b"\xfe\xff"),
    "filesz": poke(FIRST_LOAD + 32, b"\xff" * 8),
    "note-size": note_size,
}


def damaged(damage, directory):
    core, bad = cores()[0], directory / "bad.core"
    subprocess.run(["cp", "--sparse=always", core, bad], check=True)
    with open(bad, "r+b") as file:
        damage(file, core)
    code, text = readers.run([KCAPTURE, "verify", bad])
    expect(code > 0 and code != 2, f"kcapture verify exits {code}: {text.strip()[-200:]}")
    expect(text.strip(), "kcapture verify says nothing")
    if damage is cut:
        expect(re.search(r": cut: of \d+ program headers the data of \d+ lies beyond the end", text) and text.count("\n") < 6,
               f"kcapture verify says of the cut core: {text}")
    for verb in (["info", bad], ["copy", bad, directory / "out.core"]):
        code, text = readers.run([KCAPTURE, *verb])
        expect(code >= 0, f"kcapture {verb[0]} dies of signal {-code}")
        if damage is cut:
            expect("NO, the file ends early" in text or code == 1, f"kcapture {verb[0]} takes the cut core for whole")


def flattened(directory):
    """makedumpfile puts a flattened core together to the same data."""
    out = directory / "together.core"
    pipe = f"set -o pipefail; '{KCAPTURE}' copy -q '{cores()[0]}' - | makedumpfile -R '{out}'"
    code, text = readers.run(["bash", "-c", pipe])
    expect(code == 0, f"exit {code}: {text.strip()[-300:]}")
    same_as_raw(out, directory)


def copy_of_copy(directory):
    """Copying again neither loses nor changes anything."""
    shutil.move(copied(cores()[0], directory), directory / "first.core")
    same_as_raw(copied(directory / "first.core", directory), directory)


def oracle_notices(directory):
    """The comparison itself: one changed byte in memory and one in a note are found, and nothing else."""
    bad = directory / "bad.core"
    subprocess.run(["cp", "--sparse=always", cores()[0], bad], check=True)
    with elf.Core(bad) as core:
        load = core.loads[-1] if core.loads[-1].paddr != elf.NO_PADDR else core.loads[1]
        offset = load.offset + load.filesz // 2
        old = core.read(offset, 1)
        registers = next(note.desc for note in core.notes if note.type == elf.NT_PRSTATUS)
        notes = core.phdrs[0]
        note = notes.offset + core.read(notes.offset, notes.filesz).index(registers) + 112
    with open(bad, "r+b") as file:
        for where, byte in ((offset, bytes([old[0] ^ 1])), (note, b"\xa5")):
            file.seek(where)
            file.write(byte)
    result = compare_cores.compare(cores()[1], bad)
    expect({paddr for paddr, _ in result.differing} == {(load.paddr + load.filesz // 2) & -PAGE}
           and len(result.problems) == 1, f"the comparison says: {result.summary()}")


CHECKS = (readelf, layout, same_as_raw, gdb, crash, drgn, makedumpfile, verify, bt, info)
# A kdump dump does not say how large the kernel's image is: of its PT_LOAD the size differs.
NOT_OF_KDUMP = (same_as_raw,)


def checked(check, origin, directory):
    check(ORIGINS[origin](directory), directory)


def select(check, directory):
    return check(cores()[0], directory)


def on_raw(check, directory):
    return check(cores()[1], directory)


def tests():
    found = [runner.Test(f"{check.__name__}-{origin}", functools.partial(checked, check, origin))
             for origin in ORIGINS for check in CHECKS if origin != "from-kdump" or check not in NOT_OF_KDUMP]
    found += [runner.Test(f"damaged-{name}", functools.partial(damaged, damage)) for name, damage in DAMAGES.items()]
    for check in (selection.elf_has_the_set, selection.same_bytes, selection.same_tasks, selection.same_dmesg):
        found.append(runner.Test(f"selection-{check.__name__.replace('_', '-')}", functools.partial(select, check)))
    found += [runner.Test(name, check) for name, check in (*reading.tests(cores), *stored.tests(cores))]
    found += [runner.Test("selection-synthetic", selection.synthetic, 30), runner.Test("jobs-memory", jobs.memory, 20)]
    for kernel in (*selection.KNOWN, *selection.NEWER):
        checks = [selection.same_pages] + [selection.same_as_symbols, selection.newer_tasks] * (kernel in selection.NEWER)
        checks += [selection.by_types] * (kernel != "5.10")
        checks += [selection.missing_keys] * (kernel in selection.UNKNOWN_TO_TYPES)
        found += [runner.Test(f"selection-{check.__name__.replace('_', '-')}-{kernel}", functools.partial(check, kernel), 30)
                  for check in checks]
    found += [runner.Test(f"aliases-{check.__name__.replace('_', '-')}", functools.partial(on_raw, check), 20) for check in aliases.CHECKS]
    found += [runner.Test(f"report-{check.__name__.replace('_', '-')}", functools.partial(select, check)) for check in report.CHECKS]
    found += [runner.Test(f"analysis-{check.__name__.replace('_', '-')}", functools.partial(select, check)) for check in analysis.CHECKS]
    found += [runner.Test(check.__name__.replace("_", "-"), functools.partial(select, check)) for check in debuggers.CHECKS]
    found += [runner.Test(f"dropin-{check.__name__.replace('_', '-')}", functools.partial(on_raw, check)) for check in dropin.CHECKS]
    return found + [runner.Test("flattened", flattened), runner.Test("copy-of-copy", copy_of_copy),
                    runner.Test("oracle-notices", oracle_notices)]


if __name__ == "__main__":
    sys.exit(runner.main(__doc__, tests(), BUILD / "format", requires=(KCAPTURE, INIT), jobs=2))
