# SPDX-License-Identifier: GPL-2.0-or-later
"""
What workers cost: the memory of all processes of `kcapture copy` together, by PSS, which counts what they share once. It
is sampled while they work, on a core of 3 GiB of which every page is kept.
"""

import pathlib
import re
import subprocess
import time

from lib import crowded, synthetic
from lib.paths import KCAPTURE
from lib.runner import DEADLINE, expect

FORMS = {
    "kdump-zlib": ["--format", "kdump", "--compress", "zlib"],
    "kdump-lzo": ["--format", "kdump", "--compress", "lzo"],
    "kdump-zstd": ["--format", "kdump", "--compress", "zstd"],
    "elf-zstd": ["--compress", "zstd"],
}
JOBS = (1, 2, 4)
ALONE, FURTHER = 12 << 10, 4 << 10      # KiB: with one worker, and for each further one
FORK = 1 << 10                          # KiB: with the second worker comes a process that only hands out work and writes
TOLERANCE = 256                         # KiB
INTERVAL = 0.01                         # s
MIN_SAMPLES = 4


def family(pid):
    """A process and its descendants."""
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:                     # it has ended
        return []
    return [pid] + [one for child in children for one in family(int(child))]


def pss(pid):
    """KiB; 0 = it has ended."""
    try:
        found = re.search(r"^Pss: +(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def together(pid):
    """Their sum; None = one of them came or went meanwhile: the others then share with fewer."""
    processes = family(pid)
    sizes = [pss(one) for one in processes]
    return sum(sizes) if all(sizes) and family(pid) == processes else None


def peak(argv):
    """The largest sum that was seen, in KiB."""
    samples, end = [], time.monotonic() + DEADLINE
    with subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        while run.poll() is None and time.monotonic() < end:
            samples.append(together(run.pid))
            time.sleep(INTERVAL)
        run.kill()
        expect(run.wait() == 0, f"{' '.join(map(str, argv))}: {run.stdout.read().strip()[-300:]}")
    samples = [sample for sample in samples if sample]
    expect(len(samples) >= MIN_SAMPLES, f"{len(samples)} samples only")
    return max(samples)


def memory(directory):
    """12 MiB with one worker and 4 for each further one, and no more than that from one number of them to the next."""
    core, said = crowded.core_of(synthetic.SAMPLE), []
    for name, options in FORMS.items():
        peaks = {jobs: peak([KCAPTURE, "copy", "-q", "-d", "0", *options, "-j", str(jobs), core, "/dev/null"]) for jobs in JOBS}
        said.append(f"{name} {'/'.join(f'{kib / 1024:.1f}' for kib in peaks.values())}")
        (directory / "peaks.txt").write_text("\n".join(said))
        for jobs, kib in peaks.items():
            expect(kib <= ALONE + FURTHER * (jobs - 1), f"{name}: {kib} KiB with {jobs} workers")
        for fewer, more in zip(JOBS, JOBS[1:]):
            each = (peaks[more] - peaks[fewer]) // (more - fewer)
            bar = FURTHER + TOLERANCE + (FORK if fewer == 1 else 0)
            expect(each <= bar, f"{name}: from {fewer} to {more} workers {each} KiB for each")
    return f"MiB with {'/'.join(map(str, JOBS))} workers: {', '.join(said)}"
