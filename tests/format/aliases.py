# SPDX-License-Identifier: GPL-2.0-or-later
"""Alias segments are for gdb: every other reader must say the same of a core with and without them."""

import re

from format import fixture
from lib import elf, readers
from lib.fetch_kernels import fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import expect

CRASH_COMMANDS = ("sys -i", "bt -a", "ps", "mod", "vm", "kmem -i", "log")


def copies(core, directory):
    """Two that differ in nothing else: the history of a copy is in its notes."""
    made = []
    for name, options in (("aliased", ()), ("plain", ("--no-aliases",))):
        path = directory / f"{name}.core"
        code, text = readers.run([KCAPTURE, "copy", "-q", *options, core, path])
        expect(code == 0, f"kcapture copy exits {code}: {text.strip()[-300:]}")
        with elf.Core(path) as parsed:
            found = sum(load.paddr == elf.NO_PADDR for load in parsed.loads)
        expect(bool(found) == (name == "aliased"), f"{name}: {found} aliases")
        made.append(path)
    return made


def say_the_same(core, directory):
    vmlinux = fetch_vmlinux(fixture.KERNEL)
    said = []
    for path in copies(core, directory):
        name = path.name
        crash = readers.crash(path, vmlinux, *CRASH_COMMANDS)
        drgn = readers.drgn(path, vmlinux)
        out = directory / f"{name}.kdump"
        made = readers.makedumpfile("-c", "-d", "31", path, out)
        expect(crash[0] == drgn[0] == made[0] == 0, f"{name}: exit codes {crash[0]}, {drgn[0]}, {made[0]}")
        # libkdumpfile reads what makedumpfile wrote, for drgn
        kdump = readers.drgn(out, vmlinux)
        # crash names the file, and addresses of its own where it complains
        text = re.sub(re.escape(str(path)) + "|error trace: .*", "", crash[1])
        said.append([text, drgn[1], out.read_bytes(), kdump])
    for what, one, two in zip(("crash", "drgn", "makedumpfile", "drgn on kdump"), *said):
        expect(len(one) > 100 or what == "drgn on kdump", f"{what} says nothing")
        expect(one == two, f"{what} sees the aliases, see {directory}")
