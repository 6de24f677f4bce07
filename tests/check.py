#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run stages of tests one after the other: a line for each test, one line of totals at the end. Everything has to be built.

usage: tests/check.py STAGE...      stages: unit format fuzz e2e
"""

import importlib
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]
from lib import runner
from lib.paths import BUILD

# stage -> tests at once
JOBS = {"unit": 2, "format": 2, "fuzz": 2, "e2e": 3}
DIRECTORIES = {"unit": "unit-logs", "fuzz": "fuzz-logs"}    # where the programs themselves lie in build/STAGE


def main(stages):
    unknown = [stage for stage in stages if stage not in JOBS]
    if unknown or not stages:
        print(f"tests/check.py: {'unknown stage ' + unknown[0] if unknown else 'no stage given'}; stages: {' '.join(JOBS)}",
              file=sys.stderr)
        return 2
    totals = {}
    for stage in stages:
        module = importlib.import_module(f"{stage}.run")
        counts = runner.run_all(module.tests(), BUILD / DIRECTORIES.get(stage, stage), JOBS[stage])
        totals = {status: totals.get(status, 0) + count for status, count in counts.items()}
    runner.print_totals(totals)
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
