#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The oracle of the end-to-end tests: compare a core that kcapture wrote with the raw /proc/vmcore of the same crash, as
another program (busybox dd) copied it in the same capture kernel. Every PT_LOAD of the reference must be there with
the same addresses and sizes, every page of it with the same bytes, and every note, in order and verbatim.
"""

import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lib import sparse
from lib.elf import NO_PADDR, Core, is_idle_note

PAGE = 4096
CHUNK = 4 << 20
OWN_NOTES = ("KCAPTURE",)


class Result:
    """What was found; good when problems and differing are empty."""

    def __init__(self):
        self.pages = 0
        self.differing = []             # (paddr, vaddr)
        self.problems = []

    @property
    def good(self):
        return not self.problems and not self.differing and self.pages > 0

    def summary(self):
        text = f"{self.pages} pages compared, {len(self.differing)} differ"
        text += "".join(f"\n  page at paddr {paddr:#x} vaddr {vaddr:#x}" for paddr, vaddr in self.differing[:20])
        return text + "".join(f"\n  {problem}" for problem in self.problems)


def compare_notes(reference, core, result):
    ours = [note for note in core.notes if note.name not in OWN_NOTES and not is_idle_note(note)]
    wanted = [note for note in reference.notes if not is_idle_note(note)]
    for index, note in enumerate(wanted):
        if index >= len(ours):
            result.problems.append(f"note {index} ({note.name} type {note.type}) is missing")
        elif (ours[index].name, ours[index].type) != (note.name, note.type):
            result.problems.append(f"note {index} is {ours[index].name} type {ours[index].type}, "
                                   f"not {note.name} type {note.type}")
        elif ours[index].desc != note.desc:
            result.problems.append(f"note {index} ({note.name} type {note.type}) has other contents")
    if len(ours) > len(wanted):
        result.problems.append(f"{len(ours) - len(wanted)} notes too many")


def find_load(core, wanted):
    for load in core.loads:
        if (load.vaddr, load.paddr, load.memsz) == (wanted.vaddr, wanted.paddr, wanted.memsz):
            return load
    return None


def union_of_data(a, a_start, b, b_start, length):
    """Chunks (offset, length) of [0, length) in which either file has data; holes in both are zeros in both."""
    ranges = sorted([(start - a_start, size) for start, size in sparse.data_ranges(a.fd, a_start, a_start + length)] +
                    [(start - b_start, size) for start, size in sparse.data_ranges(b.fd, b_start, b_start + length)])
    done = 0
    for start, size in ranges:
        pos, end = max(start // PAGE * PAGE, done), min(-(-(start + size) // PAGE) * PAGE, length)
        while pos < end:
            step = min(CHUNK, end - pos)
            yield pos, step
            pos += step
        done = max(done, end)


def compare_load(reference, ref_load, core, load, result):
    if (load.filesz, load.flags) != (ref_load.filesz, ref_load.flags):
        result.problems.append(f"PT_LOAD vaddr {load.vaddr:#x}: p_filesz {load.filesz:#x} p_flags {load.flags}, "
                               f"not {ref_load.filesz:#x} {ref_load.flags}")
    length = min(load.filesz, ref_load.filesz)
    result.pages += -(-length // PAGE)
    for pos, step in union_of_data(reference, ref_load.offset, core, load.offset, length):
        theirs = os.pread(reference.fd, step, ref_load.offset + pos)
        ours = os.pread(core.fd, step, load.offset + pos)
        if theirs == ours:
            continue
        for page in range(0, step, PAGE):
            if theirs[page:page + PAGE] != ours[page:page + PAGE]:
                result.differing.append((load.paddr + pos + page, load.vaddr + pos + page))


def compare(reference_path, core_path, reference_size=None, core_size=None):
    """Compare two cores and return a Result."""
    result = Result()
    with Core(reference_path, reference_size) as reference, Core(core_path, core_size) as core:
        if core.machine != reference.machine:
            result.problems.append(f"e_machine {core.machine}, not {reference.machine}")
        compare_notes(reference, core, result)
        for wanted in reference.loads:
            load = find_load(core, wanted)
            if load is None:
                result.problems.append(f"no PT_LOAD vaddr {wanted.vaddr:#x} paddr {wanted.paddr:#x} "
                                       f"memsz {wanted.memsz:#x}")
            else:
                compare_load(reference, wanted, core, load, result)
        extra = [load for load in core.loads if load.paddr != NO_PADDR and find_load(reference, load) is None]
        result.problems += [f"PT_LOAD vaddr {load.vaddr:#x} is not in the reference" for load in extra]
    return result


def main():
    parser = argparse.ArgumentParser(description="Compare a core with the raw /proc/vmcore of the same crash.")
    parser.add_argument("reference")
    parser.add_argument("core")
    parser.add_argument("--reference-size", type=int, help="bytes of the reference, when it is on a larger disk")
    args = parser.parse_args()
    result = compare(args.reference, args.core, args.reference_size)
    print(result.summary())
    return 0 if result.good else 1


if __name__ == "__main__":
    sys.exit(main())
