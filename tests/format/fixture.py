# SPDX-License-Identifier: GPL-2.0-or-later
"""
The core that the format tests read: one real crash of the 6.1 kernel, captured by the /init that is in build/ now,
kept with the raw /proc/vmcore of the same crash in build/cache/cores/ until /init or the module changes.
"""

import shutil

from e2e import scenario
from e2e.cases import Case
from lib import runner, sparse
from lib.fetch_kernels import locked
from lib.paths import CACHE, INIT, TESTS

CORES = CACHE / "cores"
KERNEL = "6.1"
SOURCES = (INIT, TESTS / "e2e" / "module" / "kcrash.c")        # the core is made anew when one of these is


def console():
    """What the machine of the fixture said, the listings of its kernel among it."""
    cores()
    return (CORES / "console.log").read_text(errors="replace")


def cores():
    """Paths of (the core that kcapture wrote, the raw /proc/vmcore)."""
    core, raw = CORES / "vmcore", CORES / "vmcore.raw"
    with locked():
        fresh = raw.exists() and core.exists() and (CORES / "console.log").exists() and all(
            core.stat().st_mtime > path.stat().st_mtime for path in SOURCES)
    if not fresh:
        make(core, raw)
    return core, raw


def make(core, raw):
    """Crash a machine for the two files; the core comes last: it is there only when everything is."""
    work = CORES / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    case = Case("fixture", dirty=100, oracle=True, listings=True)
    one = scenario.Scenario(case, work)
    vm = one.run()
    text = scenario.check_console(one, vm)
    runner.expect(scenario.saved_core(text), f"the core for the format tests was not captured, log {work}")
    captured = scenario.fetch_core(one, text)
    size = scenario.oracle_size(vm)
    with open(one.oracle.path, "rb") as disk, open(raw, "wb") as out:
        out.truncate(size)
        sparse.copy_range(disk.fileno(), 0, out.fileno(), 0, size)
    (CORES / "console.log").write_text("\n".join(line for _, line in vm.lines))
    captured.rename(core)
    shutil.rmtree(work)
