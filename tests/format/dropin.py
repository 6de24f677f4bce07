# SPDX-License-Identifier: GPL-2.0-or-later
"""
kcapture called makedumpfile beside the real one: the same command lines on the same core give the same exit codes, the
lines that scripts look for, and dumps of the same pages with the same bytes, which each reads of the other.
"""

import contextlib
import os
import re
import subprocess

from format import reading
from lib import kdump, page_sets, readers
from lib.fetch_kernels import fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import DEADLINE, Skip, expect

THEIRS = "makedumpfile"
PAGE = 4096
COMPRESSED = (["-c", "-d", "31"], ["-l", "--message-level", "7", "-d", "31"], ["-d", "1"],
              ["-l", "-d", "16", "--num-threads", "2", "--cyclic-buffer", "64", "--non-mmap"])

# What must fail, and what must not (the last of each), by exit code; OUT exists, NEW does not.
CODES = [
    (1, ["-c", "-d", "31", "CORE", "OUT"]),
    (1, ["-c", "-d", "32", "CORE", "NEW"]),
    (1, ["-c", "-d", "31", "CORE"]),
    (1, ["-c", "-d", "31", "/nonexistent", "NEW"]),
    (1, ["-c", "-d", "31", "/etc/passwd", "NEW"]),
    (1, ["-c", "-d", "31", "CORE", "/nonexistent/NEW"]),
    (1, ["-E", "-c", "CORE", "NEW"]),
    (1, ["--message-level", "32", "CORE", "NEW"]),
    (1, ["-L", "abc", "CORE", "NEW"]),
    (1, ["--dump-dmesg", "--dry-run", "CORE", "NEW"]),
    (1, ["--dump-dmesg", "CORE", "OUT"]),
    (1, ["--reassemble", "CORE", "CORE", "NEW"]),
    (1, ["-F", "--reassemble", "CORE", "CORE", "NEW"]),
    (1, ["--split", "CORE", "NEW"]),
    (1, ["-X", "-d", "31", "CORE", "NEW"]),
    (1, ["--config", "/nonexistent", "-d", "31", "CORE", "NEW"]),
    (1, ["--eppic", "/nonexistent", "-d", "31", "CORE", "NEW"]),
    (1, ["-e", "-d", "31", "CORE", "NEW"]),
    (1, ["-g", "NEW", "-x", "/nonexistent"]),
    (1, ["--bogus", "CORE", "NEW"]),
    (1, ["--check-params", "-c", "-d", "33", "CORE", "NEW"]),
    (0, ["--check-params", "-c", "-d", "31", "CORE", "NEW"]),
    (0, ["-c", "-d", "31", "--dry-run", "CORE", "NEW"]),
    (0, ["-v"]),
    (0, ["-h"]),
    (0, ["-f", "-l", "-d", "31", "CORE", "OUT"]),
]


def ours(directory):
    """kcapture under the other's name."""
    link = directory / "makedumpfile"
    if not link.exists():
        link.symlink_to(KCAPTURE)
    return link


def run(program, *args, stdin=None, stdout=subprocess.PIPE):
    return subprocess.run([str(word) for word in (program, *args)], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=DEADLINE)


def must(program, *args, **kwargs):
    done = run(program, *args, **kwargs)
    expect(done.returncode == 0, f"{program} {' '.join(map(str, args))} exits {done.returncode}: {done.stderr[-300:]!r}")
    return done


def same_dumps(raw, directory):
    """Each option set by both: the same pages, and what scripts see of it."""
    program, counts = ours(directory), []
    for options in COMPRESSED:
        names = [directory / "ours", directory / "theirs"]
        done = [must(who, "-f", *options, raw, name) for who, name in zip((program, THEIRS), names)]
        counts.append(kdump.same(*names))
        for line in (f"The dumpfile is saved to {names[0]}.", "makedumpfile Completed."):
            expect(line in done[0].stdout.decode(), f"{options}: stdout lacks {line!r}")
        progress = [re.search(rb"\rCopying data {38}: \[100\.0 %\] .\s{11}eta: 0s", one.stderr) for one in done]
        expect(all(progress), f"{options}: the progress line is {done[0].stderr[-120:]!r}, theirs {done[1].stderr[-120:]!r}")
        expect(os.stat(names[0]).st_mode & 0o777 == 0o600, "others may read the dump")
    return f"{counts} pages"


def elf_dump(raw, directory):
    """-E: the pages of their set at least, and the bytes of the core; theirs keeps short gaps too."""
    program = ours(directory)
    must(program, "-E", "-d", "31", raw, directory / "ours")
    must(THEIRS, "-E", "-d", "31", raw, directory / "theirs")
    must(THEIRS, "-l", "-d", "31", raw, directory / "set")
    reading.same_memory(raw, directory / "ours")
    mine, wanted = page_sets.of_elf(directory / "ours"), reading.stored(directory / "set")
    expect(wanted & ~mine == 0, f"too few: {page_sets.describe(wanted & ~mine)}")
    # Zero pages are left out by them only.
    must(program, "-E", "-z", "-d", "31", raw, directory / "zstd")
    text = reading.kcapture("info", directory / "zstd")
    expect("complete     yes" in text, text[-200:])


def zstd_dump(raw, directory):
    """-z, which Debian 12's makedumpfile cannot write: the pages of their -c."""
    must(ours(directory), "-z", "-d", "31", raw, directory / "ours")
    must(THEIRS, "-c", "-d", "31", raw, directory / "theirs")
    dump = kdump.Dump(directory / "ours")
    expect(any(flags == kdump.ZSTD for _, _, flags in dump.pages.values()), "no page is compressed by zstd")
    return f"{kdump.same(directory / 'ours', directory / 'theirs')} pages"


def codes(raw, directory):
    """Exit codes, and that nothing is left of what failed."""
    program, exists = ours(directory), directory / "exists"
    exists.write_text("precious")
    for wanted, words in CODES:
        new = directory / "new"
        args = [str({"CORE": raw, "OUT": exists, "NEW": new}.get(word, word)) for word in words]
        if "/nonexistent/NEW" in words:
            args[-1] = "/nonexistent/new"
        for who in (program, THEIRS):
            new.unlink(missing_ok=True)
            done = run(who, *args)
            expect(done.returncode == wanted, f"{who} {' '.join(words)} exits {done.returncode}, not {wanted}: {done.stderr[-200:]!r}")
            if who is program and wanted == 1:
                expect(not new.exists() and exists.read_text() == "precious", f"{' '.join(words)} leaves or changes a file")
                expect(done.stderr.strip(), f"{' '.join(words)} says nothing on stderr")
                said = done.stderr if "-F" in words else done.stdout
                expect((b"makedumpfile Failed." in said) == ("--check-params" not in words), f"{' '.join(words)} says {said[-100:]!r}")
    return f"{len(CODES)} command lines"


def release(raw, directory):
    """-i: exit code 2 when it is of another kernel, whatever is to be made; kcapture dump has another code for wrong use."""
    text, new = reading.kcapture("info", "--vmcoreinfo", raw), directory / "new"
    infos = {"same": text, "other": re.sub(r"OSRELEASE=.*", "OSRELEASE=0.0.0-other", text)}
    # Of theirs the symbols must be the vmlinux's: it adds the offset itself.
    slide = int((re.search(r"^KERNELOFFSET=(\w+)", text, re.MULTILINE) or [0, "0"])[1], 16)
    for name, info in infos.items():
        (directory / name).write_text(info)
        info = re.sub(r"(SYMBOL\(\w+\)=)(\w+)", lambda found: f"{found[1]}{int(found[2], 16) - slide:x}", info)
        (directory / f"{name}-theirs").write_text(re.sub(r"KERNELOFFSET=.*\n", "", info))
    for options in (["-l", "-d", "31"], ["-d", "0"], ["-E"], ["--dump-dmesg"]):
        for who, suffix in ((ours(directory), ""), (THEIRS, "-theirs")):
            for name, wanted in (("same", 0), ("other", 2)):
                new.unlink(missing_ok=True)
                done = run(who, *options, "-i", directory / (name + suffix), raw, new)
                where = f"{who} {' '.join(options)} -i {name}"
                expect(done.returncode == wanted, f"{where} exits {done.returncode}, not {wanted}: {done.stderr[-200:]!r}")
                expect(new.exists() == (wanted == 0), f"{where}: is there a dump?")
                expect((b"don't match." in done.stderr) == (wanted == 2), f"{where} says {done.stderr[-200:]!r}")
    done = run(ours(directory), "--split", "-i", directory / "other", raw, directory / "1", directory / "2")
    expect(done.returncode == 2 and not (directory / "1").exists(), f"--split exits {done.returncode}")
    done = run(KCAPTURE, "dump", "-i", directory / "other", raw, new)
    expect(done.returncode == 1 and not new.exists(), f"kcapture dump exits {done.returncode}")
    # Nothing of the file is needed: that it cannot be read is said, and the dump made.
    done = must(ours(directory), "-l", "-d", "31", "-i", "/nonexistent", raw, new)
    expect(b"/nonexistent" in done.stderr and new.exists(), f"it says {done.stderr!r}")


def same_dmesg(raw, directory):
    """--dump-dmesg byte for byte; to standard output with -F; all of it with --partial-dmesg when nothing was cleared."""
    program = ours(directory)
    must(THEIRS, "--dump-dmesg", raw, directory / "theirs")
    wanted = (directory / "theirs").read_bytes()
    for options in (["--dump-dmesg"], ["--dump-dmesg", "--partial-dmesg", "-f"]):
        done = must(program, *options, raw, directory / "ours")
        expect((directory / "ours").read_bytes() == wanted, f"{options} gives another log")
        expect(b"The dmesg log is saved to" in done.stdout, "it does not say so")
    done = must(program, "-F", "--dump-dmesg", raw)
    expect(done.stdout == wanted and b"saved to STDOUT" in done.stderr, "-F --dump-dmesg gives another log")


def flattened(raw, directory):
    """Their -R of our -F and the other way round."""
    programs = [ours(directory), THEIRS]
    must(THEIRS, "-c", "-d", "31", raw, directory / "plain")
    for writer, reader in (programs, programs[::-1]):
        with open(directory / "flat", "wb") as out:
            done = must(writer, "-F", "-c", "-d", "31", raw, stdout=out)
        expect(b"saved to STDOUT" in done.stderr or writer == THEIRS, f"it says {done.stderr[-200:]!r}")
        with open(directory / "flat", "rb") as stream:
            must(reader, "-f", "-R", directory / "together", stdin=stream)
        kdump.same(directory / "together", directory / "plain")
    os.truncate(directory / "flat", os.path.getsize(directory / "flat") // 2)
    with open(directory / "flat", "rb") as stream:
        done = run(programs[0], "-R", directory / "cut", stdin=stream)
    expect(done.returncode == 1 and b"incomplete" in done.stdout, f"half a stream: exit {done.returncode}, {done.stdout!r}")


def split(raw, directory):
    """Three parts each, put together by the other one and by ourselves."""
    programs = {"ours": ours(directory), "theirs": THEIRS}
    must(THEIRS, "-l", "-d", "31", raw, directory / "plain")
    for writer, reader in (("ours", "theirs"), ("theirs", "ours"), ("ours", "ours")):
        parts = [directory / f"{writer}{part}" for part in "123"]
        must(programs[writer], "-f", "--splitblock-size", "1024", "--split", "-l", "-d", "31", raw, *parts)
        if writer == "ours":
            shares = [len(kdump.Dump(part).pages) for part in parts]
            expect(max(shares) - min(shares) <= 3, f"parts of {shares} pages")
            expect(sum(kdump.Dump(part).shared() for part in parts), "no page shares the data of another")
            parts = parts[1:] + parts[:1] if reader == "ours" else parts
        must(programs[reader], "-f", "--reassemble", *parts, directory / "whole")
        kdump.same(directory / "whole", directory / "plain")
    done = run(programs["ours"], "--reassemble", *parts[:2], directory / "part")
    expect(done.returncode == 1, "two parts of three are called whole")
    return f"{shares} pages"


def short_of_room(raw, directory):
    """The next level when the first one has no room; else what fits, marked incomplete, and exit code 1."""
    program, out = ours(directory), directory / "out"
    done = must(program, "-l", "-d", "0,31", "-L", "60M", raw, out)
    expect(b"Retry to create a dumpfile by dump_level(31)." in done.stdout, done.stdout.decode())
    must(THEIRS, "-l", "-d", "31", raw, directory / "theirs")
    kdump.same(out, directory / "theirs")
    for options, name in ((["-l"], "kdump"), (["-E"], "elf")):
        out = directory / name
        done = run(program, *options, "-d", "31", "-L", "8M", raw, out)
        expect(done.returncode == 1 and b"Size limit(8388608) reached." in done.stderr, f"{name}: {done.returncode} {done.stderr!r}")
        expect(b"This is an incomplete dumpfile" in done.stdout and out.stat().st_size <= 8 << 20, done.stdout.decode())
        expect("it is marked incomplete" in reading.kcapture("info", out), f"{name}: not marked")
        done = run(KCAPTURE, "dump", *options, "-d", "31", "-L", "8M", raw, directory / f"dump-{name}")
        expect(done.returncode == 1 and (directory / f"dump-{name}-incomplete").exists(), f"kcapture dump: {done.stdout!r}")


@contextlib.contextmanager
def disk_of(directory, size):
    """A filesystem of its own at directory."""
    directory.mkdir()
    options = f"size={size // PAGE * PAGE},mode=700"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", directory], capture_output=True)
    if done.returncode:
        raise Skip(f"no mount: {done.stderr[-100:]!r}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


def split_short_of_room(raw, directory):
    """
    One of two disks is too small for its part: both are made at the next level, for which what the other one got makes room;
    where there is no next one the parts that broke off are named. What exists is refused before anything is written.
    """
    program, size = ours(directory), {}
    parts = [directory / "1", directory / "2"]
    for level in ("0", "31"):
        must(program, "-f", "--split", "-l", "-d", level, raw, *parts)
        size[level] = [part.stat().st_size for part in parts]
    must(THEIRS, "-l", "-d", "31", raw, directory / "plain")
    room = [size["0"][0] + size["31"][0] // 2, (size["0"][1] + size["31"][1]) // 2]
    with disk_of(directory / "a", room[0]), disk_of(directory / "b", room[1]):
        parts = [directory / "a" / "part.txt", directory / "b" / "part.txt"]
        done = must(program, "--split", "-l", "-d", "0,31", raw, *parts)
        expect(b"Retry to create a dumpfile by dump_level(31)." in done.stdout, done.stdout.decode())
        expect([os.listdir(part.parent) for part in parts] == [["part.txt"]] * 2, "something else is left")
        must(program, "--reassemble", *parts, directory / "whole")
        kdump.same(directory / "whole", directory / "plain")
        parts[0].unlink()
        done = run(program, "--split", "-l", "-d", "31", raw, *parts)
        expect(done.returncode == 1 and b"exists" in done.stderr and not parts[0].exists(), f"over what exists: {done}")
        done = run(KCAPTURE, "dump", "-f", "--split", "-l", "-d", "0", raw, *parts)
        left = parts[1].with_name("part-incomplete.txt")
        expect(done.returncode == 1 and f"What could be saved is in {left}." in done.stdout.decode() and left.exists(), f"{done}")
        expect(parts[0].stat().st_size == size["0"][0], "the part that had room is not whole")
    return f"{size} bytes, room for {room}"


def same_statistics(raw, directory):
    """--show-stats: the same counts, but that 1.7 counts the pages of the kernel's image twice."""
    image = None
    for level in ("31", "1"):
        args = ["-f", "-l", "--show-stats", "--message-level", "16", "-d", level, raw, directory / "out"]
        counts = [dict(re.findall(r"^ *([A-Z][^:\n]*?) *: 0x([0-9a-f]+)$", must(who, *args).stdout.decode(), re.MULTILINE))
                  for who in (ours(directory), THEIRS)]
        expect(len(counts[0]) == 12 and counts[0].keys() == counts[1].keys(), f"lines are {counts}")
        numbers = [{key: int(value, 16) for key, value in one.items()} for one in counts]
        image = numbers[1]["Original pages"] - numbers[0]["Original pages"]
        for key, value in numbers[0].items():
            more = {"Original pages": image, "Remaining pages": image, "Memory Hole": -image}.get(key, 0)
            expect(numbers[1][key] == value + more, f"level {level}, {key}: {value}, theirs {numbers[1][key]}")
    expect(2000 < image < 20000, f"{image} pages more")


def crash_reads(raw, directory):
    """The line of kdump.conf's default makes what crash and drgn open."""
    out, vmlinux = directory / "vmcore", fetch_vmlinux("6.1")
    must(ours(directory), "-l", "--message-level", "7", "-d", "31", raw, out)
    for code, text in (readers.crash(out, vmlinux, "sys", "bt"), readers.drgn(out, vmlinux)):
        expect(code == 0 and "sysrq_handle_crash" in text, text.strip()[-300:])


CHECKS = (same_dumps, elf_dump, zstd_dump, codes, release, same_dmesg, flattened, split, short_of_room,
          split_short_of_room, same_statistics, crash_reads)
