#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run stages of tests one after the other: a line for each test, one line of totals at the end. Everything has to be built.

usage: tests/check.py [--quick] STAGE...      stages: unit format fuzz e2e
"""

import fnmatch
import importlib
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]
from lib import runner
from lib.paths import BUILD

# stage -> tests at once
JOBS = {"unit": 2, "format": 2, "fuzz": 2, "e2e": 3}
DIRECTORIES = {"unit": "unit-logs", "fuzz": "fuzz-logs"}    # where the programs themselves lie in build/STAGE


# What takes long, most of it because it needs the cores of crowded machines: not for the inner loop.
SLOW = ("selection-* aliases-* crash-from-* crash-copied dropin-crash-reads dropin-same-dumps reading-damaged "
        "reading-round-trips jobs-memory report-in-browser receive-restarts klibc32-* test_wrecked").split()


def is_slow(test):
    return any(fnmatch.fnmatchcase(test.name, pattern) for pattern in SLOW)


def main(stages):
    quick = stages[:1] == ["--quick"]
    stages = stages[quick:]
    unknown = [stage for stage in stages if stage not in JOBS]
    if unknown or not stages:
        print(f"tests/check.py: {'unknown stage ' + unknown[0] if unknown else 'no stage given'}; stages: {' '.join(JOBS)}",
              file=sys.stderr)
        return 2
    totals, left_out = {}, 0
    for stage in stages:
        tests = importlib.import_module(f"{stage}.run").tests()
        wanted = [test for test in tests if not (quick and is_slow(test))]
        left_out += len(tests) - len(wanted)
        counts = runner.run_all(wanted, BUILD / DIRECTORIES.get(stage, stage), JOBS[stage])
        totals = {status: totals.get(status, 0) + count for status, count in counts.items()}
    if quick:
        print(f"{left_out} tests that take long are left to \"make check\"")
    runner.print_totals(totals)
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
