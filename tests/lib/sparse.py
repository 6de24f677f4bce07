# SPDX-License-Identifier: GPL-2.0-or-later
"""Sparse files: copy ranges without filling holes."""

import errno
import os

CHUNK = 4 << 20


def data_ranges(fd, start, end):
    """(offset, length) of what is not a hole in [start, end)."""
    while start < end:
        try:
            data = os.lseek(fd, start, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        if data >= end:
            return
        hole = min(os.lseek(fd, data, os.SEEK_HOLE), end)
        yield data, hole - data
        start = hole


def copy_range(source, source_offset, target, target_offset, length):
    """Copy bytes between two files, leaving holes as holes."""
    for data, size in data_ranges(source, source_offset, source_offset + length):
        done = 0
        while done < size:
            chunk = os.pread(source, min(CHUNK, size - done), data + done)
            if not chunk:
                return
            os.pwrite(target, chunk, data + done - source_offset + target_offset)
            done += len(chunk)
