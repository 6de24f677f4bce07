# SPDX-License-Identifier: GPL-2.0-or-later
"""
Which pages a dump stores, as bitmaps with a bit a page frame, lowest first: kcapture's selection without any format
(page_set.c), the PT_LOADs of an ELF core, makedumpfile's second bitmap, and what a drgn script finds with debug symbols.
"""

import subprocess
import sys

from lib import elf
from lib.paths import BUILD, TESTS
from lib.runner import expect

PAGE = 4096
PAGE_SET = BUILD / "tools" / "page_set"
LEVELS = range(32)


def frames(loads):
    """[start, end) page frames of PT_LOADs, sorted and merged."""
    merged = []
    for load in sorted(loads, key=lambda load: load.paddr):
        start, end = load.paddr // PAGE, (load.paddr + load.memsz + PAGE - 1) // PAGE
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def memory(path):
    with elf.Core(path) as core:
        return frames(load for load in core.loads if load.paddr != elf.NO_PADDR and load.filesz)


def of_elf(path):
    """Page frames of which a PT_LOAD with a physical address has a byte."""
    found = 0
    for start, end in memory(path):
        found |= ((1 << end - start) - 1) << start
    return found


def read(path):
    return int.from_bytes(path.read_bytes(), sys.byteorder)


def of_selection(core, directory, hidden=()):
    """What page selection keeps at each level, when VMCOREINFO has no lines that begin with the hidden words."""
    run = subprocess.run([PAGE_SET, "ours", core, directory / "ours", *hidden], capture_output=True, text=True)
    (directory / "ours.txt").write_text(run.stdout + run.stderr)
    expect(run.returncode == 0, f"page_set: {run.stderr.strip()[-300:]}")
    return [read(directory / f"ours.{level}") for level in LEVELS]


def of_level(core, level, directory, hidden=()):
    """(what it keeps at one level, what the log says)."""
    run = subprocess.run([PAGE_SET, "one", core, directory / "one", str(level), *hidden], capture_output=True, text=True)
    expect(run.returncode == 0, f"page_set: {run.stderr.strip()[-300:]}")
    return read(directory / f"one.{level}"), run.stderr


def of_makedumpfile(argv, core, level, directory):
    """What makedumpfile stores at a level; the pages themselves are thrown away on the way."""
    out = directory / "peer.bitmap"
    pipe = "set -o pipefail; " + " ".join(f"'{word}'" for word in (*argv, "-F", "-d", level, core))
    run = subprocess.run(["bash", "-c", f"{pipe} 2> '{directory}/peer.txt' | '{PAGE_SET}' flat > '{out}'"])
    expect(run.returncode == 0, f"makedumpfile -d {level}: {(directory / 'peer.txt').read_text(errors='replace').strip()[-200:]}")
    return read(out)


def of_drgn(core, vmlinux, directory):
    """What drgn_pages.py keeps at each level."""
    ranges = ",".join(f"{start}-{end}" for start, end in memory(core))
    run = subprocess.run(["/usr/bin/python3", "/usr/bin/drgn", "-q", "-c", core, "-s", vmlinux, TESTS / "lib" / "drgn_pages.py",
                          ranges, directory / "drgn"], capture_output=True, text=True)
    expect(run.returncode == 0, f"drgn: {run.stderr.strip()[-300:]}")
    return [read(directory / f"drgn.{level}") for level in LEVELS]


def describe(pages):
    """How many, and the first few."""
    first, rest = [], pages
    while rest and len(first) < 4:
        low = rest & -rest
        first.append(hex(low.bit_length() - 1))
        rest ^= low
    return f"{pages.bit_count()} pages {' '.join(first)}"
