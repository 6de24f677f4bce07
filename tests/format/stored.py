# SPDX-License-Identifier: GPL-2.0-or-later
"""
Every stored page reads back as it was, whoever reads it: drgn and libkdumpfile are asked for every page of the raw core in
each form that kcapture writes, crash for some of them. What was left out is no page of zeros: each must say that it is not
there.
"""

import hashlib
import random
import re
import struct
import subprocess

from format import reading
from lib import elf, kdump, page_sets, readers
from lib.fetch_kernels import fetch_vmlinux
from lib.runner import DEADLINE, expect

PAGE = 4096
LEVEL = ("-d", "31")
CRASH_STORED, CRASH_LEFT_OUT = 60, 20       # pages that crash is asked for

FORMS = {"elf": [], **reading.FORMS}
FLATTENED = {"flat-elf": [], "flat-kdump": reading.FORMS["kdump-zstd"]}

# Page frames on standard input, on standard output each with a hash of what is there.
SCRIPT = """
import hashlib, sys
{opens}
for pfn in map(int, sys.stdin):
    try:
        print(pfn, hashlib.blake2b(read(pfn * 4096)).hexdigest())
    except {absent}:
        print(pfn, "absent")
"""
DRGN = {
    "opens": "import drgn\nprogram = drgn.Program()\nprogram.set_core_dump(sys.argv[1])\n"
             "read = lambda address: program.read(address, 4096, True)",
    "absent": "drgn.FaultError",
}
LIBKDUMPFILE = {
    "opens": "import kdumpfile\nfile = kdumpfile.kdumpfile(sys.argv[1])\n"
             "read = lambda address: file.read(kdumpfile.KDUMP_MACHPHYSADDR, address, 4096)",
    "absent": "kdumpfile.exceptions.NoDataException",
}


def frames(bitmap):
    return list(kdump.Dump.frames(bitmap.to_bytes(bitmap.bit_length() // 8 + 1, "little")))


def pages_of(raw, pfns):
    """(page frame, its bytes) in the raw core."""
    with elf.Core(raw) as core:
        loads = [load for load in core.loads if load.vaddr < 0xffffffff80000000]
        for pfn in pfns:
            home = next(load for load in loads if load.paddr <= pfn * PAGE < load.paddr + load.filesz)
            yield pfn, core.read(home.offset + pfn * PAGE - home.paddr, PAGE)


def by_script(words, made, pfns):
    done = subprocess.run(["/usr/bin/python3", "-c", SCRIPT.format(**words), made], input="\n".join(map(str, pfns)),
                          capture_output=True, text=True, timeout=DEADLINE)
    expect(done.returncode == 0, done.stderr.strip()[-300:])
    return {int(pfn): found for pfn, found in (line.split() for line in done.stdout.splitlines())}


def sample(pfns, number):
    """Half of them at the ends of runs, where a page more or less would show."""
    chosen, known = random.Random(1), set(pfns)
    ends = [pfn for pfn in pfns if pfn - 1 not in known or pfn + 1 not in known]
    return {*chosen.sample(ends, min(number // 2, len(ends))), *chosen.sample(pfns, min(number // 2, len(pfns)))}


def crash_reads(raw, made, kept, left_out, directory):
    """What crash shows of the pages of a sample; how many, or why it cannot."""
    asked, absent = sample(kept, CRASH_STORED), sample(left_out, CRASH_LEFT_OUT)
    words = [f"rd -x -p {pfn * PAGE:#x} {PAGE // 8}" for pfn in sorted(asked | absent)]
    code, text = readers.run(["crash", "-s", "--minimal", fetch_vmlinux("6.1"), made], stdin="\n".join([*words, "quit", ""]))
    (directory / f"crash-{made.name}.txt").write_text(text)
    lacking = re.search(r"no (\w+) compression support", text)
    if lacking:
        return f"this crash was built without {lacking[1]}"
    expect(code == 0, f"crash exits {code}: {text.strip()[-300:]}")
    shown = {}
    for address, line in re.findall(r"^ *([0-9a-f]+): +((?:[0-9a-f]{16} *)+)$", text, re.M):
        shown.setdefault(int(address, 16) // PAGE, []).extend(int(word, 16) for word in line.split())
    refused = re.findall(r"^rd: (?:page excluded|read error|seek error): physical address: (\w+)", text, re.M)
    for what, found, pfns in (("shows", set(shown), asked), ("refuses", {int(address, 16) // PAGE for address in refused}, absent)):
        other = sorted(found ^ pfns)
        expect(not other, f"crash {what} {len(found)} pages and not {len(pfns)}; {[hex(pfn) for pfn in other[:4]]}")
    for pfn, page in pages_of(raw, asked):
        expect(struct.pack("<512Q", *shown[pfn]) == page, f"crash shows another page {pfn:#x}")
    return f"{len(shown)} by crash"


def check(raw, made, directory, *streams):
    """All three readers on a dump, and crash on streams of the same."""
    is_elf = made.read_bytes()[:4] == b"\x7fELF"
    kept = page_sets.of_elf(made) if is_elf else reading.stored(made)
    left_out = frames(page_sets.of_elf(raw) & ~kept)
    wanted = {pfn: hashlib.blake2b(page).hexdigest() for pfn, page in pages_of(raw, frames(kept))} | dict.fromkeys(left_out, "absent")
    expect(len(wanted) - len(left_out) > 1000 < len(left_out), f"{len(left_out)} of {len(wanted)} pages were left out")
    # libkdumpfile takes the page before each segment of an ELF core, also of makedumpfile's, for a part of it.
    before = set(frames(kept >> 1 & ~kept)) if is_elf else set()
    for name, words, forgiven in (("drgn", DRGN, set()), ("libkdumpfile", LIBKDUMPFILE, before)):
        found = by_script(words, made, wanted)
        wrong = [pfn for pfn in wanted if found.get(pfn) != wanted[pfn] and pfn not in forgiven]
        expect(not wrong, f"{name} reads {len(wrong)} of {len(wanted)} pages otherwise: {[hex(pfn) for pfn in wrong[:4]]}")
    for dump in (*streams, made):
        by_crash = crash_reads(raw, dump, frames(kept), left_out, directory)
    return f"{len(wanted) - len(left_out)} pages, {by_crash}"


def by_form(raw, name, directory):
    made = directory / name
    reading.kcapture("copy", *LEVEL, *FORMS[name], raw, made)
    if name == "elf-zstd":
        made.rename(directory / "made.zst")
        subprocess.run(["zstd", "-q", "-d", directory / "made.zst", "-o", made], check=True)
    return check(raw, made, directory)


def flattened(raw, name, directory):
    """crash reads the stream itself, all of them what is made of it."""
    stream, made = directory / f"{name}-stream", directory / name
    with open(stream, "wb") as out:
        subprocess.run([str(reading.KCAPTURE), "copy", "-q", *LEVEL, *FLATTENED[name], raw, "-"], stdout=out, check=True)
    reading.kcapture("copy", "-R", stream, made)
    return check(raw, made, directory, stream)


def tests(cores):
    """(name, function of the directory)"""
    def with_raw(function, name):
        return lambda directory: function(cores()[1], name, directory)

    found = [(f"stored-{name}", with_raw(by_form, name)) for name in FORMS]
    return found + [(f"stored-{name}", with_raw(flattened, name)) for name in FLATTENED]
