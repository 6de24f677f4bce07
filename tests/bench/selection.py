#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Measure page selection against the bars on synthetic vmcores: struct pages classified per second, kcapture's and
makedumpfile's in its first pass (the best of some rounds each); a whole level-31 dump of 1 TiB; peak memory at 1 GiB
of kept memory, 1 TiB and 16 TiB. Needs "make all test-programs".
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from bench import bars
from lib import crowded, synthetic
from lib.paths import BUILD, KCAPTURE

PAGE_SET = BUILD / "tools" / "page_set"
TIB = 1024
HUGE = 16 * TIB - 4             # GiB: a file of ext4 ends just below 16 TiB
CYCLES = 9                      # of makedumpfile for 1 TiB: each of 128 GiB, the last one for what the holes push up
PASS_BAR, PEAK_BAR, RATIO_BAR = 60, 12 << 10, 5


def our_rate(core, rounds):
    """Page frames per second of CPU time: whatever else the machine does, one process that reads from the page cache needs it."""
    best = 0
    for _ in range(rounds):
        _, out, _, cpu, _ = synthetic.measure(PAGE_SET, "time", core)
        best = max(best, int(out.split()[0]) / cpu)
    return best


def their_rate(core, pages, rounds):
    """The same of makedumpfile's first pass: it is stopped as soon as it goes on to the second one."""
    best = 0
    for _ in range(rounds):
        run = subprocess.Popen(["stdbuf", "-oL", "-eL", "makedumpfile", "--message-level", "31", "--dry-run", "-f", "-d", "31",
                                core, "/dev/null"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        passes = 0
        for line in run.stdout:
            passes += bool(re.search(r"STEP \[Excluding", line))
            if passes == CYCLES:
                break
        run.kill()
        usage = os.wait4(run.pid, 0)[2]
        best = max(best, pages / (usage.ru_utime + usage.ru_stime))
    return best


def report(what, value, bar, met):
    print(f"{bars.mark(met)} {what}: {value} (bar {bar})", flush=True)
    return met


def main():
    parser = argparse.ArgumentParser(description="Measure page selection against the bars.")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind (default %(default)s)")
    parser.add_argument("--huge", action="store_true", help="dump 16 TiB as ELF as well: some ten minutes")
    args = parser.parse_args()
    judged = []
    core = synthetic.core_of(TIB)
    pages = int(synthetic.measure(PAGE_SET, "time", core)[1].split()[0])
    ours, theirs = our_rate(core, args.rounds), their_rate(core, pages, args.rounds)
    print(f"1 TiB, million struct pages per CPU second: kcapture {ours / 1e6:.0f}, makedumpfile {theirs / 1e6:.0f}")
    judged.append(report("1 TiB, struct pages per CPU second against makedumpfile", round(ours / theirs, 1), RATIO_BAR, ours >= RATIO_BAR * theirs))
    small = crowded.core_of(synthetic.SAMPLE)
    for name, path in (("3 GiB", small), ("1 TiB", core)):
        for options in ((), ("--format", "kdump", "--compress", "none")):
            _, _, wall, cpu, peak = synthetic.measure(KCAPTURE, "copy", "-q", "-d", 31, *options, path, "/dev/null")
            kind = "kdump" if options else "ELF"
            judged.append(report(f"{name}, level 31, {kind}: peak KiB", peak, PEAK_BAR, peak <= PEAK_BAR))
            if path == core:
                judged.append(report(f"{name}, level 31, {kind}: s (of these {cpu:.0f} s CPU)", round(wall, 1), PASS_BAR, wall <= PASS_BAR))
    for kind in ("kdump", "elf") if args.huge else ("kdump",):
        _, _, wall, cpu, peak = synthetic.measure(KCAPTURE, "copy", "-q", "-d", 31, "--format", kind, synthetic.core_of(HUGE), "/dev/null")
        judged.append(report(f"16 TiB, level 31, {kind}, {wall:.0f} s: peak KiB", peak, PEAK_BAR, peak <= PEAK_BAR))
    return bars.total(judged)


if __name__ == "__main__":
    sys.exit(main())
