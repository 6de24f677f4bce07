# SPDX-License-Identifier: GPL-2.0-or-later
"""
Vmcores of machines that are not there (synth.c), made from the crowded machine's core of 6.1, in build/cache/cores/; and
what a program costs (measure.c).
"""

import re
import subprocess

from lib import crowded
from lib.paths import BUILD
from lib.runner import expect

SAMPLE = "6.1"
SYNTH, MEASURE = BUILD / "tools" / "synth", BUILD / "tools" / "measure"


def core_of(gib):
    """A core of so many GiB: some ten MiB on the disk."""
    sample = crowded.core_of(SAMPLE)
    core = crowded.CORES / f"synth-{gib}-{sample.name}"
    if not core.exists() or core.stat().st_mtime < SYNTH.stat().st_mtime:
        for old in crowded.CORES.glob(f"synth-{gib}-*"):
            old.unlink()
        part = core.with_name("part-" + core.name)
        run = subprocess.run([SYNTH, sample, part, str(gib)], capture_output=True, text=True)
        expect(run.returncode == 0, f"synth {gib}: {run.stderr.strip()[-300:]}")
        part.rename(core)
    return core


def measure(*argv):
    """(exit code, output, wall s, CPU s, peak KiB) of a program."""
    run = subprocess.run([str(word) for word in (MEASURE, *argv)], capture_output=True, text=True, errors="replace")
    found = re.search(r"^measure (\d+) (\d+) (\d+) (\d+)$", run.stderr, re.M)
    expect(found, f"{argv[0]}: {run.stderr.strip()[-300:]}")
    wall, user, system, peak = map(int, found.groups())
    return run.returncode, run.stdout + run.stderr, wall / 1000, (user + system) / 1000, peak
