# SPDX-License-Identifier: GPL-2.0-or-later
"""
Which pages a dump stores: from the second bitmap of a kdump-compressed file (makedumpfile's), and from the PT_LOADs of
an ELF core (ours). A set is a bytearray with a byte a page frame.
"""

import struct

from lib import elf

PAGE = 4096


def of_kdump(path):
    """Page frames with a bit in bitmap 2."""
    with open(path, "rb") as file:
        header = file.read(464)
        assert header[:8] == b"KDUMP   ", "not a kdump-compressed file"
        block, sub_blocks, bitmap_blocks, max_pfn = struct.unpack_from("<iiII", header, 428)
        file.seek((1 + sub_blocks) * block + bitmap_blocks * block // 2)
        bitmap = file.read(bitmap_blocks * block // 2)
    pages = bytearray(max_pfn)
    for pfn in range(max_pfn):
        pages[pfn] = bitmap[pfn >> 3] >> (pfn & 7) & 1
    return pages


def of_elf(path):
    """Page frames of which a PT_LOAD with a physical address has a byte."""
    with elf.Core(path) as core:
        loads = [load for load in core.loads if load.paddr != elf.NO_PADDR]
    pages = bytearray(max((load.paddr + load.filesz + PAGE - 1) // PAGE for load in loads))
    for load in loads:
        first, end = load.paddr // PAGE, (load.paddr + load.filesz + PAGE - 1) // PAGE
        pages[first:end] = b"\1" * (end - first)
    return pages


def difference(ours, theirs):
    """(page frames that only we have, page frames that only they have)."""
    size = max(len(ours), len(theirs))
    ours, theirs = ours.ljust(size, b"\0"), theirs.ljust(size, b"\0")
    if ours == theirs:
        return [], []
    return ([pfn for pfn in range(size) if ours[pfn] > theirs[pfn]], [pfn for pfn in range(size) if ours[pfn] < theirs[pfn]])
