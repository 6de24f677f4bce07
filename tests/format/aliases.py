# SPDX-License-Identifier: GPL-2.0-or-later
"""
Alias segments are for gdb: every other reader must say the same of a core with and without them. The core is of a machine
with so many mappings, of which no two are neighbours in memory, that program headers run out.
"""

import os
import re
import struct
import subprocess

from format import fixture
from lib import elf, kdump, readers
from lib.fetch_kernels import fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import expect

CRASH_COMMANDS = ("sys -i", "bt -a", "ps", "mod", "vm", "kmem -i", "log")
CALL_CHAIN = ("sysrq_handle_crash", "ksys_write", "entry_SYSCALL_64")
PAGE = 4096
KERNEL_MAP = 0xffffffff80000000
CROWD = 0xffffffffd0000000          # among the modules, where none is
NR_CROWD = 33000                    # pages, of two program headers each
ENTRY_PAGE, ENTRY_TABLE, ENTRY_ADDRESS = 0x63, 0x67, 0x000ffffffffff000


class Tables:
    """The page tables of the dead kernel in a raw core, open for more mappings."""

    def __init__(self, path):
        self.core = elf.Core(path)
        self.file = open(path, "r+b")
        info = self.core.vmcoreinfo()
        self.levels = 5 if info.get("NUMBER(pgtable_l5_enabled)") == "1" else 4
        self.root = int(info["SYMBOL(init_top_pgt)"], 16) - KERNEL_MAP + int(info["NUMBER(phys_base)"])
        self.ram = max((load for load in self.core.loads if load.vaddr < KERNEL_MAP), key=lambda load: load.filesz)
        self.free = self.zero_pages()

    def zero_pages(self):
        for paddr in range(self.ram.paddr, self.ram.paddr + self.ram.filesz - PAGE, PAGE):
            if not any(self.read(paddr, PAGE)):
                yield paddr

    def places(self, paddr):
        """The kernel's image is in a raw core twice."""
        return [load.offset + paddr - load.paddr for load in self.core.loads if load.paddr <= paddr < load.paddr + load.filesz]

    def read(self, paddr, length):
        return os.pread(self.file.fileno(), length, self.places(paddr)[0])

    def write(self, paddr, data):
        for place in self.places(paddr):
            os.pwrite(self.file.fileno(), data, place)

    def table(self, vaddr):
        """The lowest table that translates an address; it and those above it are made."""
        paddr = self.root
        for level in range(self.levels, 1, -1):
            at = paddr + 8 * (vaddr >> 12 + 9 * (level - 1) & 511)
            entry = int.from_bytes(self.read(at, 8), "little")
            if not entry:
                entry = next(self.free) | ENTRY_TABLE
                self.write(at, struct.pack("<Q", entry))
            paddr = entry & ENTRY_ADDRESS
        return paddr

    def map_crowd(self):
        """Map pages in descending order."""
        last = self.ram.paddr + self.ram.filesz - PAGE & -PAGE
        for first in range(0, NR_CROWD, 512):
            entries = [last - page * PAGE | ENTRY_PAGE for page in range(first, min(first + 512, NR_CROWD))]
            self.write(self.table(CROWD + first * PAGE), struct.pack(f"<{len(entries)}Q", *entries))

    def close(self):
        self.file.close()
        self.core.file.close()


def crowded(raw, directory):
    path = directory / "crowded.raw"
    subprocess.run(["cp", "--sparse=always", raw, path], check=True)
    tables = Tables(path)
    tables.map_crowd()
    tables.close()
    return path


def copied(core, name, *options):
    """(path of a copy, how many program headers it has, how many of them are aliases)."""
    path = core.parent / f"{name}.core"
    code, text = readers.run([KCAPTURE, "copy", "-q", *options, core, path])
    expect(code == 0, f"kcapture copy exits {code}: {text.strip()[-300:]}")
    with elf.Core(path) as parsed:
        return path, len(parsed.phdrs), sum(load.paddr == elf.NO_PADDR for load in parsed.loads)


def backtrace(core):
    """gdb's must be whole, whatever was left out of the aliases."""
    text = readers.gdb(core, fetch_vmlinux(fixture.KERNEL), readers.PANICKING_THREAD, "bt")
    for function in CALL_CHAIN:
        expect(function in text, f"{core.name}: gdb's backtrace lacks {function}")


def limited(raw, directory):
    """All aliases when asked for; else as many as every reader takes, and the stacks are among them."""
    core = crowded(raw, directory)
    path, headers, found = copied(core, "all", "--all-aliases")
    expect(found >= 2 * NR_CROWD and headers >= elf.PN_XNUM, f"with --all-aliases {headers} headers, {found} aliases")
    backtrace(path)
    path, headers, found = copied(core, "limited")
    expect(headers in (elf.PN_XNUM - 1, elf.PN_XNUM - 2), f"{headers} program headers, {found} aliases")
    backtrace(path)


def say_the_same(raw, directory):
    core, vmlinux = crowded(raw, directory), fetch_vmlinux(fixture.KERNEL)
    said = []
    for name, options in (("aliased", ("--all-aliases",)), ("plain", ("--no-aliases",))):
        path, headers, found = copied(core, name, *options)
        expect((headers >= elf.PN_XNUM) == bool(found) == (name == "aliased"), f"{name}: {headers} headers, {found} aliases")
        crash = readers.crash(path, vmlinux, *CRASH_COMMANDS)
        drgn = readers.drgn(path, vmlinux)
        out = directory / f"{name}.kdump"
        made = readers.makedumpfile("-c", "-d", "31", path, out)
        expect(crash[0] == drgn[0] == made[0] == 0, f"{name}: exit codes {crash[0]}, {drgn[0]}, {made[0]}")
        # libkdumpfile reads what makedumpfile wrote, for drgn
        reread = readers.drgn(out, vmlinux)
        # crash names the file, and addresses of its own where it complains
        text = re.sub(re.escape(str(path)) + "|error trace: .*", "", crash[1])
        notes = [note for note in kdump.Dump(out).notes() if not elf.is_idle_note(note)]
        said.append([text, drgn[1], notes, reread])
    kdump.same(directory / "aliased.kdump", directory / "plain.kdump")
    for what, one, two in zip(("crash", "drgn", "makedumpfile's notes", "drgn on kdump"), *said):
        expect(len(one) > (2 if "notes" in what else 100) or what == "drgn on kdump", f"{what} says nothing")
        expect(one == two, f"{what} sees the aliases, see {directory}")


CHECKS = (limited, say_the_same)
