#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
How fast `kcapture copy` is against makedumpfile: the same vmcore in page cache, output on tmpfs, one process each, in turn
A B A B, medians of whole commands. Ratios of wall time and of CPU time (user + system) are printed and judged, with the
sizes of what was written and the peak memory: machines differ, ratios hardly do. A bar counts as met by CPU time, which
hardly depends on what else runs, and how many are met by wall time is said beside.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from bench import bars, core, peers
from lib.paths import KCAPTURE

MAKEDUMPFILE = "/usr/bin/makedumpfile"
ZSTD = "zstd"                       # the makedumpfile that is built with it

# name, options of kcapture copy, makedumpfile and its options, how many times as fast, how large at most against it
ROWS = [
    ("zlib -d 0", "--format kdump --compress zlib -d 0", "-c -d 0", 3, 1.03),
    ("zlib -d 1", "--format kdump --compress zlib -d 1", "-c -d 1", 3, 1.03),
    ("zlib -d 31", "--format kdump --compress zlib -d 31", "-c -d 31", 3, 1.03),
    ("lzo -d 0", "--format kdump --compress lzo -d 0", "-l -d 0", 1.2, 1.03),
    ("lzo -d 1", "--format kdump --compress lzo -d 1", "-l -d 1", 1.2, 1.03),
    ("lzo -d 31", "--format kdump --compress lzo -d 31", "-l -d 31", 1.2, 1.03),
    ("ELF -d 31", "--no-aliases -d 31", "-E -d 31", 2, 1.03),
    ("kdump -d 31", "--format kdump -d 31", "-d 31", 1.5, 1.03),
    ("zstd kdump -d 0", "--format kdump --compress zstd -d 0", f"{ZSTD} -z -d 0", 1.1, 1.03),
    ("zstd kdump -d 31", "--format kdump --compress zstd -d 31", f"{ZSTD} -z -d 31", 1.1, 1.03),
    ("zstd ELF -d 0", "--compress zstd --no-aliases -d 0", f"{ZSTD} -z -d 0", 1.5, 0.95),
    ("zstd ELF -d 31", "--compress zstd --no-aliases -d 31", f"{ZSTD} -z -d 31", 1.5, 0.95),
]
# Each job looks for equal pages among those that it packs itself: it finds others than one job that sees them all.
JOBS_SIZE = 1.05
JOBS = [
    ("two jobs, lzo -d 0", "--format kdump --compress lzo -d 0"),
    ("two jobs, zlib -d 0", "--format kdump --compress zlib -d 0"),
    ("two jobs, zstd ELF -d 0", "--compress zstd --no-aliases -d 0"),
]


def run(argv):
    """(wall seconds, CPU seconds, peak KiB of the largest process) of a command and its children."""
    with tempfile.NamedTemporaryFile("r") as report:
        # a process of its own starts it: the peak of a child begins with what its parent had
        argv = ["/usr/bin/time", "-f", "%M", "-o", report.name, *argv]
        start = time.monotonic()
        pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
        _, status, usage = os.wait4(pid, 0)
        wall = time.monotonic() - start
        if status:
            raise SystemExit(f"{' '.join(argv)}: status {status}")
        return wall, usage.ru_utime + usage.ru_stime, int(report.read().split()[-1])


def size_of(path):
    """What the file takes: holes take nothing."""
    return os.stat(path).st_blocks * 512


def compare(pair, out, rounds):
    """Medians of two commands that write the file out: a list of (wall, cpu, rss, size) for each."""
    runs, sizes = ([], []), [0, 0]
    for _ in range(rounds):
        for i, argv in enumerate(pair):
            out.unlink(missing_ok=True)
            runs[i].append(run(argv))
            sizes[i] = size_of(out)
    return [tuple(statistics.median(column) for column in zip(*one)) + (size,) for one, size in zip(runs, sizes)]


def kcapture(options, vmcore, out):
    return [str(KCAPTURE), "copy", "-q", *options.split(), str(vmcore), str(out)]


def makedumpfile(options, vmcore, out):
    words = options.split()
    program = [MAKEDUMPFILE]
    if words[0] == ZSTD:
        program, words = peers.makedumpfile_zstd(), words[1:]
    return [*program, *words, "--message-level", "0", str(vmcore), str(out)]


def show(name, ours, theirs, bar, size_bar, by_wall=False):
    """Whether its bars are met: (as it counts, by wall time). One process counts by its CPU time, several by the time that they save."""
    wall, cpu, size = theirs[0] / ours[0], theirs[1] / max(ours[1], 1e-3), ours[3] / theirs[3]
    met = [ratio >= bar and size <= size_bar for ratio in (wall if by_wall else cpu, wall)]
    shown = f"cpu {cpu:5.2f}x     " if by_wall else f"cpu {cpu:5.2f}x {bars.mark(cpu >= bar)}"
    print(f"{bars.mark(met[0])} {name:24} {shown} wall {wall:5.2f}x {bars.mark(wall >= bar)} (bar {bar}x)  size {size:5.3f} "
          f"{bars.mark(size <= size_bar)} (bar {size_bar})  {ours[3] / 1e6:7.1f} MB  {ours[0]:6.3f} s  peak {ours[2] / 1024:4.1f} MiB", flush=True)
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5, help="rounds")
    parser.add_argument("-k", default="", help="only rows with this in their name")
    args = parser.parse_args()
    judged = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        vmcore, out = pathlib.Path(directory) / "vmcore", pathlib.Path(directory) / "out"
        shutil.copyfile(core.bench_core(), vmcore)
        versions = f"{peers.version([MAKEDUMPFILE])}, with zstd {peers.version(peers.makedumpfile_zstd())}"
        print(f"vmcore of {vmcore.stat().st_size / 1e6:.0f} MB; x = how many times as fast as makedumpfile {versions}", flush=True)
        for name, ours, theirs, bar, size_bar in ROWS:
            if args.k in name:
                one, two = compare((kcapture(ours, vmcore, out), makedumpfile(theirs, vmcore, out)), out, args.n)
                judged.append(show(name, one, two, bar, size_bar))
        for name, options in JOBS:
            if args.k in name:
                one, two = compare((kcapture(options + " --jobs 2", vmcore, out), kcapture(options, vmcore, out)), out, args.n)
                judged.append(show(name, one, two, 1.7, JOBS_SIZE, by_wall=True))
    by_wall = sum(not met for _, met in judged)
    return bars.total([met for met, _ in judged], f"; by wall time {len(judged) - by_wall} met, {by_wall} missed")


if __name__ == "__main__":
    sys.exit(main())
