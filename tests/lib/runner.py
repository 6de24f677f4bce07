# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run a list of tests, some at once, and print one line each and one line of totals. A test is a function that gets a
scratch directory of its own; it raises Failure or Skip, and what it returns is printed behind "ok".
"""

import argparse
import concurrent.futures
import dataclasses
import fnmatch
import pathlib
import shutil
import sys
import time
import typing

from lib.debian import Unavailable

DEADLINE = 1800                 # s; what takes longer hangs: a loaded machine alone must not fail a test
KEEP = (".log", ".txt")         # what stays of a passed test


class Failure(Exception):
    """The test failed, for the reason in the text."""


class Skip(Exception):
    """The test cannot run here, for the reason in the text."""


@dataclasses.dataclass
class Test:
    """A named test; cost orders the run, the dearest first."""
    name: str
    func: typing.Callable[[pathlib.Path], typing.Optional[str]]
    cost: float = 1


def expect(condition, reason):
    if not condition:
        raise Failure(reason)


def run_one(test, directory):
    """(status, line to print) of one test."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    start = time.monotonic()
    try:
        remark = test.func(directory)
    except (Skip, Unavailable) as reason:
        return "skipped", f"skip {test.name}: {reason}"
    except Exception as error:          # a test that breaks is a test that failed: the others go on
        reason = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        return "failed", f"FAIL {test.name}: {reason}, log {directory}"
    drop_large_files(directory)
    return "passed", f"ok {test.name} ({time.monotonic() - start:.0f} s)" + (f" {remark}" if remark else "")


def drop_large_files(directory):
    for path in directory.rglob("*"):
        if path.is_file() and path.suffix not in KEEP:
            path.unlink()


def arguments(description, jobs):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("-k", metavar="PATTERN", action="append",
                        help="only tests whose names hold PATTERN, or match it as a glob; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("-j", type=int, default=jobs, metavar="N", help="tests at once (default %(default)s)")
    return parser.parse_args()


def main(description, tests, directory, requires=(), jobs=1):
    """Run the tests chosen on the command line; the exit code for the process."""
    args = arguments(description, jobs)
    if args.k:
        tests = [test for test in tests if any(pattern in test.name or fnmatch.fnmatch(test.name, pattern)
                                               for pattern in args.k)]
    if args.list:
        print("\n".join(test.name for test in tests))
        return 0
    for program in requires:
        if not program.exists():
            print(f"{program} is missing: run make first", file=sys.stderr)
            return 2
    counts = run_all(tests, directory, args.j)
    print_totals(counts)
    return 1 if counts["failed"] else 0


def run_all(tests, directory, jobs):
    """Run tests, the dearest first, a line for each; how many passed, failed and were skipped."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    tests = sorted(tests, key=lambda test: -test.cost)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(run_one, test, directory / test.name) for test in tests]
        for run in concurrent.futures.as_completed(runs):
            status, line = run.result()
            counts[status] += 1
            print(line, flush=True)
    return counts


def print_totals(counts):
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
