# SPDX-License-Identifier: GPL-2.0-or-later
"""
Page selection: at every dump level the pages that kcapture keeps are those that makedumpfile keeps, a filtered core
holds the bytes that the whole one does, and debuggers find in it what they found before.
"""

import re
import subprocess

from lib import elf, page_sets, readers
from lib.fetch_kernels import fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import expect

CHUNK = 1 << 20
TASKS = """
import sys
from drgn.helpers.linux.pid import for_each_task
for task in for_each_task(prog):
    sys.stdout.write("%d %s\\n" % (task.pid, task.comm.string_().decode()))
"""


def filtered(core, level, directory):
    out = directory / f"level-{level}.core"
    code, text = readers.run([KCAPTURE, "copy", "-q", "-d", level, core, out])
    expect(code == 0, f"kcapture copy -d {level} exits {code}: {text.strip()[-300:]}")
    expect("nothing is left out" not in text and "all are kept" not in text, text.strip()[-300:])
    return out


def same_pages(core, directory):
    """The same page sets as makedumpfile's. Zero pages (bit 1) are holes with us and change no set, so even levels do."""
    sizes = []
    for level in [*range(0, 32, 2), 31]:
        ours, theirs = filtered(core, level, directory), directory / "peer.kdump"
        run = subprocess.run(["makedumpfile", "-f", "-d", str(level), core, theirs], capture_output=True, text=True)
        expect(run.returncode == 0, f"makedumpfile -d {level}: {run.stderr.strip()[-200:]}")
        more, less = page_sets.difference(page_sets.of_elf(ours), page_sets.of_kdump(theirs))
        expect(not more and not less, f"level {level}: {len(more)} pages that makedumpfile leaves out "
               f"({[hex(pfn) for pfn in more[:4]]}), {len(less)} that it keeps ({[hex(pfn) for pfn in less[:4]]})")
        sizes.append(sum(page_sets.of_elf(ours)))
        ours.unlink()
    expect(sizes[0] > 2 * sizes[-1], f"level 31 keeps {sizes[-1]} of {sizes[0]} pages: nothing was there to leave out")
    return f"{sizes[0]} pages at level 0, {sizes[-1]} at level 31"


def same_bytes(core, directory):
    """What a filtered core holds is what the whole one has there."""
    with elf.Core(core) as whole, elf.Core(filtered(core, 31, directory)) as part:
        loads = [load for load in whole.loads if load.paddr != elf.NO_PADDR]
        for load in part.loads:
            if load.paddr == elf.NO_PADDR:
                continue
            home = next(other for other in loads if other.paddr <= load.paddr < other.paddr + other.filesz)
            for pos in range(0, load.filesz, CHUNK):
                size = min(CHUNK, load.filesz - pos)
                expect(part.read(load.offset + pos, size) == whole.read(home.offset + load.paddr - home.paddr + pos, size),
                       f"bytes differ at {load.paddr + pos:#x}")


def same_tasks(core, directory):
    """drgn lists the same tasks, and gdb reaches the system call, with everything left out that can be."""
    vmlinux = fetch_vmlinux("6.1")
    script, part = directory / "tasks.py", filtered(core, 31, directory)
    script.write_text(TASKS)
    lists = [readers.run(["/usr/bin/python3", "/usr/bin/drgn", "-q", "-c", path, "-s", vmlinux, script])[1] for path in (core, part)]
    expect(lists[0] == lists[1] and len(lists[0].splitlines()) > 20, "drgn lists other tasks in the filtered core:\n" + lists[1])
    trace = readers.gdb(part, vmlinux, readers.PANICKING_THREAD, "bt")
    expect("sysrq_handle_crash" in trace and "entry_SYSCALL_64" in trace, f"gdb's backtrace is short:\n{trace}")


def same_dmesg(core, directory):
    """kcapture dmesg says what makedumpfile --dump-dmesg does; that one indents further lines of a record."""
    out = directory / "peer.txt"
    subprocess.run(["makedumpfile", "-f", "--dump-dmesg", core, out], check=True, capture_output=True)
    code, ours = readers.run([KCAPTURE, "dmesg", core])
    expect(code == 0, f"kcapture dmesg exits {code}: {ours[-200:]}")
    stamp = re.compile(r"^(\[ *\d+\.\d{6}\] | +)")
    theirs = out.read_text(errors="replace").splitlines()
    plain = [[stamp.sub("", line).lstrip() for line in lines] for lines in (ours.splitlines(), theirs)]
    expect(plain[0] == plain[1] and len(plain[0]) > 100, "kcapture dmesg and makedumpfile --dump-dmesg differ")
