# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run by drgn, with debug symbols: which pages of the core does each dump level keep, by what the kernel's own types and
constants say? Shares nothing with kcapture or makedumpfile: no VMCOREINFO, and a page of a compound one asks its head.
Arguments: "START-END,..." page frames in memory, PREFIX; writes PREFIX.0 to PREFIX.31, a bit a page frame.
"""

import sys

import drgn

KEEP, CACHE, PRIVATE_CACHE, USER, FREE, OFFLINE, ABSENT = range(7)
PIECE = 1 << 15


def constants(enum):
    return {name: value for name, value in prog.type(enum).enumerators}


def member(type_name, *names):
    """Offset of the first of the members that exists."""
    for name in names:
        try:
            return drgn.offsetof(prog.type(type_name), name)
        except LookupError:
            pass
    raise LookupError(names)


FLAGS = constants("enum pageflags")
TYPES = constants("enum pagetype")
SIZE = drgn.sizeof(prog.type("struct page"))
BASE = prog["vmemmap_base"].value_()
LRU, PRIVATE, SWAPCACHE, SWAPBACKED, POISON = (1 << FLAGS.get(name, 63) for name in
                                               ("PG_lru", "PG_private", "PG_swapcache", "PG_swapbacked", "PG_hwpoison"))
COLUMNS = [member("struct page", *names) // 8 for names in (("flags",), ("compound_head", "compound_info"), ("mapping",))]
TYPE_AT, PRIVATE_AT = member("struct page", "page_type"), member("struct page", "private") // 8


def head_of(pfn, link):
    """A tail's word is its head's address, or from 7.1 on a mask that leaves it of the tail's own."""
    link &= ~1
    address = (BASE + pfn * SIZE) & link if link >> 32 == 0xffffffff else link
    return (address - BASE) // SIZE


def kind(flags, mapping, type_id):
    slab = type_id == TYPES["PGTY_slab"]
    anon = mapping & 1 and not slab
    if (flags & LRU or flags & SWAPCACHE and flags & SWAPBACKED) and not anon:
        return PRIVATE_CACHE if flags & PRIVATE else CACHE
    if anon or type_id == TYPES["PGTY_hugetlb"]:
        return USER
    return OFFLINE if type_id == TYPES["PGTY_offline"] else KEEP


def classify(kinds, poisoned, start, end):
    raw = memoryview(prog.read(BASE + start * SIZE, (end - start) * SIZE))
    words, ints, step = raw.cast("Q"), raw.cast("I"), SIZE // 8
    columns = [words[column::step].tolist() for column in COLUMNS] + [ints[TYPE_AT // 4::SIZE // 4].tolist()]
    free_until = 0
    for pfn, (flags, link, mapping, type_word) in enumerate(zip(*columns), start):
        if flags & POISON:
            poisoned.add(pfn)
        if pfn < free_until:
            continue
        if link & 1:
            head = head_of(pfn, link)
            kinds[pfn] = kinds[head] if 0 <= head < pfn else KEEP
        elif type_word >> 24 == TYPES["PGTY_buddy"]:
            free_until = pfn + (1 << words[(pfn - start) * step + PRIVATE_AT])
            kinds[pfn:free_until] = bytes([FREE]) * (free_until - pfn)
        else:
            kinds[pfn] = kind(flags, mapping, type_word >> 24)


def main(ranges, prefix):
    ranges = [tuple(map(int, item.split("-"))) for item in ranges.split(",")]
    kinds, poisoned = bytearray([ABSENT]) * max(end for _, end in ranges), set()
    for start, end in ranges:
        for piece in range(start - start % PIECE, end, PIECE):      # no free block reaches over such a border
            classify(kinds, poisoned, max(piece, start), min(piece + PIECE, end))
    for pfn in poisoned:
        kinds[pfn] = OFFLINE
    for level in range(32):
        out = {OFFLINE, ABSENT}
        for bits, name in ((6, CACHE), (4, PRIVATE_CACHE), (8, USER), (16, FREE)):
            out |= {name} if level & bits else set()
        table = bytes(48 + (value not in out) for value in range(256))
        bits = int(bytes(kinds.translate(table))[::-1], 2)
        with open(f"{prefix}.{level}", "wb") as file:
            file.write(bits.to_bytes((len(kinds) + 7) // 8, "little"))


main(*sys.argv[1:])
