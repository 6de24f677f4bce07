# SPDX-License-Identifier: GPL-2.0-or-later
"""
Kdump-compressed files read without any code of kcapture's, with the codecs' own shared libraries:
an oracle for what kcapture and makedumpfile write.
"""

import ctypes
import functools
import struct
import zlib

from lib import elf
from lib.runner import expect

ZLIB, LZO, SNAPPY, ZSTD = 1, 2, 4, 0x20
INCOMPLETE = 8                      # of the same word
DESC = struct.Struct("<qIIQ")


@functools.cache
def library(name):
    return ctypes.CDLL(name)


def unlzo(data, size):
    out, length = ctypes.create_string_buffer(size), ctypes.c_size_t(size)
    rc = library("liblzo2.so.2").lzo1x_decompress_safe(data, ctypes.c_size_t(len(data)), out, ctypes.byref(length), None)
    expect(rc == 0 and length.value == size, f"lzo gives {rc}, {length.value} bytes")
    return out.raw


def unzstd(data, size):
    out = ctypes.create_string_buffer(size)
    decompress = library("libzstd.so.1").ZSTD_decompress
    decompress.restype = ctypes.c_size_t
    length = decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)))
    expect(length == size, f"zstd gives {length} bytes")
    return out.raw


DECODERS = {ZLIB: lambda data, size: zlib.decompress(data), LZO: unlzo, ZSTD: unzstd}


class Dump:
    """An opened file of one piece. pages: {page frame: (offset, size, flags)}."""

    def __init__(self, path):
        self.file = open(path, "rb")
        header = self.file.read(464)
        expect(header[:8] == b"KDUMP   ", f"{path} is not kdump-compressed")
        self.status, self.block, sub_blocks, bitmap_blocks = struct.unpack_from("<IiiI", header, 424)
        start = (1 + sub_blocks) * self.block
        half = bitmap_blocks * self.block // 2
        self.present, self.stored = (self._bitmap(start + n * half, half) for n in (0, 1))
        sub = self._read(self.block, 4096)
        self.split, self.start, self.end = struct.unpack_from("<i", sub, 12)[0], 0, 8 * half
        if self.split:
            self.start, self.end = struct.unpack_from("<QQ", sub, 80)
        frames = [pfn for pfn in self.frames(self.stored) if self.start <= pfn < self.end]
        table = self._read(start + 2 * half, DESC.size * len(frames))
        self.pages = {pfn: DESC.unpack_from(table, DESC.size * index)[:3] for index, pfn in enumerate(frames)}

    def _read(self, offset, size):
        self.file.seek(offset)
        return self.file.read(size)

    def _bitmap(self, offset, size):
        return self._read(offset, size)

    @staticmethod
    def frames(bitmap):
        for index, byte in enumerate(bitmap):
            if byte:
                yield from (8 * index + bit for bit in range(8) if byte >> bit & 1)

    def page(self, pfn):
        offset, size, flags = self.pages[pfn]
        data = self._read(offset, size)
        expect(len(data) == size and size <= self.block, f"page {pfn:#x} has {len(data)} of {size} bytes")
        data = DECODERS[flags](data, self.block) if flags else data
        expect(len(data) == self.block, f"page {pfn:#x} has {len(data)} bytes")
        return data

    def shared(self):
        """How many pages have no data of their own: that of a page before them, the page of zeros apart."""
        offsets = [page[0] for page in self.pages.values()]
        zeros = min(offsets)
        return len(offsets) - len(set(offsets)) - max(offsets.count(zeros) - 1, 0)

    def vmcoreinfo(self):
        return self._named_by_sub_header(32)

    def notes(self):
        return list(elf.parse_notes(self._named_by_sub_header(48), "kdump"))

    def _named_by_sub_header(self, at):
        return self._read(*struct.unpack_from("<QQ", self._read(self.block, 104), at))


def same(ours, theirs, more=()):
    """Both files store the same pages with the same bytes; the number of pages. Ours may store the page frames of more, too."""
    a, b = Dump(ours), Dump(theirs)
    extra = set(a.pages) - set(b.pages)
    expect(not set(b.pages) - set(a.pages), f"{len(set(b.pages) - set(a.pages))} pages are missing")
    expect(not extra - set(more), f"{len(extra)} pages too many: {[hex(pfn) for pfn in sorted(extra)[:4]]}")
    for pfn in b.pages:
        expect(a.page(pfn) == b.page(pfn), f"page {pfn:#x} differs")
    expect(a.vmcoreinfo() == b.vmcoreinfo(), "VMCOREINFO differs")
    return len(b.pages)
