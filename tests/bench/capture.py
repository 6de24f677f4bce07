#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Measure captures against the bars: a 2 GiB machine crashes, kcapture writes to its NVMe disk, and in the same machine
busybox `dd bs=1M` of /proc/vmcore does, in turn; the time runs from the panic on the console to the reset of the
machine. Also the sizes of /init and of the image, the time to the first byte and the peak memory at 1 and 8 GiB.
"""

import argparse
import dataclasses
import gzip
import pathlib
import re
import shutil
import statistics
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from bench import bars
from e2e import scenario
from e2e.cases import Case
from lib import guest
from lib.paths import BUILD, INIT
from lib.runner import drop_large_files

BENCH = BUILD / "bench"
PLAIN = Case("plain", memory=2048, crashkernel="256M")
LOADS = {"idle": 0, "half full": 1000}          # MiB dirtied before the crash


class DdScenario(scenario.Scenario):
    """The same machine, but the capture initramfs is busybox dd to the whole disk."""

    def capture_initrd(self):
        return guest.dd_only(self.target.device, modules=guest.module_closure(self.capture, "nvme"),
                             kernel_root=self.capture.root)


def one_run(kind, case):
    """(seconds from panic to reset, the ended VM)."""
    directory = BENCH / case.name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    vm = kind(case, directory).run()
    scenario.expect("Kernel panic - not syncing" in vm.text(), "no panic on the console")
    wanted = "oracle: done" if kind is DdScenario else "kcapture: saved /"
    scenario.expect(wanted in vm.text(), f"no {wanted!r} on the console, log {directory}")
    drop_large_files(directory)
    return vm.ended - vm.stamp_of("Kernel panic - not syncing"), vm


def compare_times(rounds):
    """Run both in turn; {load: ratio of the medians}."""
    ratios = {}
    for load, dirty in LOADS.items():
        ours, theirs = [], []
        for number in range(rounds):
            name = f"{load.replace(' ', '-')}-{number}"
            case = dataclasses.replace(PLAIN, dirty=dirty)
            ours.append(one_run(scenario.Scenario, dataclasses.replace(case, name=f"ours-{name}"))[0])
            theirs.append(one_run(DdScenario, dataclasses.replace(case, name=f"dd-{name}", target="raw"))[0])
        ratios[load] = statistics.median(ours) / statistics.median(theirs)
        print(f"2 GiB, {load}: panic to reboot, s: kcapture {spread(ours)}, dd {spread(theirs)}, "
              f"ratio {ratios[load]:.2f}", flush=True)
    return ratios


def spread(seconds):
    return f"{statistics.median(seconds):.1f} ({' '.join(f'{value:.1f}' for value in seconds)})"


def sizes():
    directory = BENCH / "image"
    directory.mkdir(parents=True, exist_ok=True)
    image = scenario.capture_image(scenario.fetch_kernel("6.1"), ["ext4 /dev/nvme0n1p1"], directory)
    packed = len(image) if image[:6] != b"070701" else len(gzip.compress(image, 9))
    return {"init, bytes": (INIT.stat().st_size, 150 << 10), "image nvme+ext4, compressed bytes": (packed, 100 << 10)}


def memory():
    """Peak memory and time to the first byte in a small and in a large machine."""
    found = {}
    for mib in (1024, 8192):
        vm = one_run(scenario.Scenario, dataclasses.replace(PLAIN, name=f"memory-{mib}", memory=mib))[1]
        found[f"{mib >> 10} GiB: peak memory, KiB"] = (scenario.peak_memory(vm.text()), scenario.MEMORY_BAR)
        first = re.search(r"first byte on target after (\d+) ms", vm.text())
        found[f"{mib >> 10} GiB: first byte, ms"] = (int(first[1]) if first else -1, 1000)
    return found


def main():
    parser = argparse.ArgumentParser(description="Measure captures against the bars.")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind and load (default %(default)s)")
    args = parser.parse_args()
    rows = {**sizes(), **memory()}
    rows.update({f"time against dd, {load}": (ratio, 0.8) for load, ratio in compare_times(args.rounds).items()})
    judged = {what: 0 <= value <= bar for what, (value, bar) in rows.items()}
    for what, (value, bar) in rows.items():
        print(f"{bars.mark(judged[what])} {what}: {round(value, 2)} (bar {bar})")
    return bars.total(judged.values())


if __name__ == "__main__":
    sys.exit(main())
