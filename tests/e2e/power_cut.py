# SPDX-License-Identifier: GPL-2.0-or-later
"""
The power goes in the middle of a dump. A machine is frozen when kcapture has just begun; ten times it goes on from there and
QEMU is killed at a random moment: a disk without a volatile cache. The machine itself goes on to the end, and what it wrote
is replayed to ten random moments as a disk with such a cache would have it (write_log.py). Each disk must have a core that
verifies, or one that is marked as incomplete, or none yet; and from when kcapture says where it saves to, the log and the notes.
"""

import dataclasses
import random
import re
import subprocess
import time

from e2e import scenario
from e2e.cases import Case
from lib import elf, write_log
from lib.paths import KCAPTURE
from lib.runner import expect, drop_large_files
from lib.vm import VM

MOMENTS = 10
BEGUN, OVER = "kcapture: capturing the crashed kernel", "kcapture: halting"


def copy(source, target):
    subprocess.run(["cp", "--sparse=always", source, target], check=True)


def wait_for_status(vm, command, wanted):
    until = time.monotonic() + 120
    while (status := vm.qmp(command).get("status")) != wanted:
        expect(status != "failed" and time.monotonic() < until, f"{command}: {status}")
        time.sleep(0.05)


class Power:
    """The frozen machine, and the disks that it leaves."""

    def __init__(self, directory):
        case = Case("power-cuts", bus="virtio-blk", throttle=32 << 20,
                    config=("final_action halt", "extra_modules virtio_blk virtio_pci"))
        self.one = scenario.Scenario(case, directory)
        self.dir, self.disk = directory, self.one.target
        self.state, self.log = directory / "state", directory / "writes"
        self.base, self.begun = directory / "base.img", directory / "begun.img"
        self.duration = 0

    def run(self):
        """Freeze the machine, and let it go on to the end."""
        self.log.touch()
        self.disk.drive = write_log.drive(self.disk, self.log)
        with self.one.vm(prepared=lambda: copy(self.disk.path, self.base)) as vm:
            vm.wait_for(BEGUN)
            vm.qmp("stop")
            vm.qmp("migrate", uri=f"exec:cat > {self.state}")
            wait_for_status(vm, "query-migrate", "completed")
            copy(self.disk.path, self.begun)
            vm.qmp("cont")
            start = time.monotonic()
            vm.wait_for(OVER)
            self.duration = time.monotonic() - start
            vm.wait_for("reboot: System halted")
            vm.qmp("quit")
            vm.wait_end()
        self.disk.drive = ""

    def cut(self, seconds, number):
        """Go on from where it was frozen, for so long; what the console said until then."""
        copy(self.begun, self.disk.path)
        args = self.one.vm_args() + ["-incoming", f"exec:cat {self.state}"]
        with VM(self.dir / f"cut{number}.log", args, self.one.case.memory, self.one.case.smp, self.one.case.cpu) as vm:
            wait_for_status(vm, "query-status", "paused")
            vm.qmp("cont")
            time.sleep(seconds)
            vm.process.kill()
            vm.process.wait()
        return vm.text()


def judge(disk, directory, said):
    """What is on a disk: a word for it; fails when that is a lie."""
    disk.repair()
    files = disk.files()
    cores = [path for path in files if re.search(r"/vmcore(-incomplete)?$", path)]
    for name in ("vmcore-dmesg.txt", "vmcore-notes") if cores or "kcapture: saving to" in said else ():
        expect(any(path.endswith("/" + name) for path in files), f"{name} is not on the disk: {list(files)}")
    expect("kcapture: saved" not in said or cores[0].endswith("/vmcore"), f"saved, it said, and there is {cores}")
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
    with open(out, "rb") as core:
        begun = core.read(4) == b"\x7fELF"
    if begun:
        with elf.Core(out) as core:
            expect(core.flags & elf.E_FLAGS_INCOMPLETE or trusted, "a part of a core is not marked incomplete")
        return "part"
    expect(not trusted, "what is no core verifies")
    return "begun"


def power_cuts(directory):
    seed = random.randrange(1 << 32)
    random.seed(seed)
    (directory / "seed.txt").write_text(f"{seed}\n")
    power = Power(directory)
    power.run()
    killed, replayed = [], []
    last = dataclasses.replace(power.disk, path=power.disk.path)
    expect(judge(last, directory, "kcapture: saved") == "whole", "not even without a power cut is there a dump")
    number = len(write_log.entries(power.log))
    for until in [random.randrange(number) for _ in range(MOMENTS)]:
        write_log.replay(power.base, power.log, until, power.disk.path)
        replayed.append(judge(power.disk, directory, ""))
    for index in range(MOMENTS):
        said = power.cut(random.uniform(0, power.duration), index)
        killed.append(judge(power.disk, directory, said))
    drop_large_files(directory)
    expect({"part", "begun"} & set(killed) and {"part", "begun"} & set(replayed), f"no moment was one of writing: {killed} {replayed}")
    return f"seed {seed}; killed: {' '.join(killed)}; with a cache: {' '.join(replayed)}"
