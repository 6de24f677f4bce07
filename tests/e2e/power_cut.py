# SPDX-License-Identifier: GPL-2.0-or-later
"""
The power goes in the middle of a dump. One capture is stopped at ten moments, and each time the disk's image is copied as it
is: what a disk without a volatile cache holds when the power goes then. On every copy there must be a core that verifies, or
one that is marked as incomplete, or none yet; and always the log and the notes of the crash, which are synced before any memory.
"""

import dataclasses
import random
import re
import subprocess
import time

from e2e import scenario
from e2e.cases import Case
from lib import elf
from lib.paths import KCAPTURE
from lib.runner import expect, drop_large_files

MOMENTS = 10


def copies(one, directory):
    """Disks as they were, from the mount of the target to the end of the machine."""
    found = []
    with one.vm() as vm:
        vm.wait_for("kcapture: saving to ")
        for number in range(MOMENTS):
            vm.qmp("stop")
            path = directory / f"cut{number}.img"
            subprocess.run(["cp", "--sparse=always", one.target.path, path], check=True)
            found.append(dataclasses.replace(one.target, path=path))
            vm.qmp("cont")
            if "kcapture: halting" in vm.text():
                break
            time.sleep(random.uniform(0.2, 1.6))
        vm.wait_for("reboot: System halted")
    return found + [one.target]


def judge(disk, directory):
    """What is on a disk: a word for it; fails when that is a lie."""
    disk.repair()
    files = disk.files()
    for name in ("vmcore-dmesg.txt", "vmcore-notes"):
        expect(any(path.endswith("/" + name) for path in files), f"{name} is not on the disk: {list(files)}")
    cores = [path for path in files if re.search(r"/vmcore(-incomplete)?$", path)]
    if not cores:
        return "none"
    expect(len(cores) == 1, f"{cores} on one disk")
    out = directory / "core"
    out.unlink(missing_ok=True)
    disk.extract(cores[0], out)
    trusted = subprocess.run([KCAPTURE, "verify", "--quiet", out], capture_output=True).returncode == 0
    if cores[0].endswith("/vmcore"):
        expect(trusted, "a core with its final name does not verify")
        return "whole"
    # Its headers may not have reached the disk yet: then no program takes it for a core at all.
    if out.stat().st_size > 64 and out.read_bytes()[:4] == b"\x7fELF":
        with elf.Core(out) as core:
            expect(core.flags & elf.E_FLAGS_INCOMPLETE or trusted, "a part of a core is not marked incomplete")
        return "part"
    expect(not trusted, "what is no core verifies")
    return "begun"


def power_cuts(directory):
    seed = random.randrange(1 << 32)
    random.seed(seed)
    (directory / "seed.txt").write_text(f"{seed}\n")
    one = scenario.Scenario(Case("power-cuts", throttle=16 << 20, config=("crosscheck no", "final_action halt")), directory)
    states = []
    for disk in copies(one, directory):
        states.append(judge(disk, directory))
        disk.path.unlink()
    drop_large_files(directory)
    expect(states[-1] == "whole" and ("part" in states or "begun" in states), f"no moment was one of writing: {states}")
    return " ".join(states)
