#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run all benchmarks, one after the other, and say at the end how many bars were missed: exit code 1 if any was."""

import pathlib
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from bench import bars

NAMES = ("capture", "network", "selection", "formats", "analysis")


def run(name):
    """(met, missed) of a benchmark, None = it broke before its last line."""
    line, script = "", pathlib.Path(__file__).with_name(f"{name}.py")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
    return bars.read(line)


def main():
    found = {}
    for name in sys.argv[1:] or NAMES:
        print(f"--- {name}", flush=True)
        found[name] = run(name)
    broken = [name for name, counts in found.items() if not counts]
    met, missed = (sum(counts[n] for counts in found.values() if counts) for n in (0, 1))
    where = [f"{counts[1]} of {name}" for name, counts in found.items() if counts and counts[1]]
    print(f"all together: {met} bars met, {missed} missed{' (' + ', '.join(where) + ')' if where else ''}"
          f"{'; broken: ' + ', '.join(broken) if broken else ''}")
    return 1 if missed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
