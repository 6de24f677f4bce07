# SPDX-License-Identifier: GPL-2.0-or-later
"""
A disk with a volatile write cache whose power fails: QEMU's blklogwrites driver logs every write and flush of a machine, and
from that the disk is made as it may be after any of them. What was flushed is there; of what came later each write is there or
is lost, in no order.
"""

import random
import struct
import subprocess

MAGIC, SECTOR = 0x6a736677736872, 512
SUPER, ENTRY = struct.Struct("<QQQI"), struct.Struct("<QQQQ")
FLUSH, DISCARD = 1, 4


def drive(disk, log):
    """QEMU's description of a drive whose writes are logged."""
    return (f"driver=blklogwrites,file.driver=file,file.filename={disk.path},"
            f"log.driver=file,log.filename={log}")


def entries(log):
    """[(sector, number of sectors, flags, offset of the data in the log)] in order."""
    found = []
    with open(log, "rb") as file:
        magic, _, number, sector_size = SUPER.unpack(file.read(SUPER.size))
        assert magic == MAGIC and sector_size == SECTOR
        offset = SECTOR
        for _ in range(number):
            file.seek(offset)
            sector, count, flags, _ = ENTRY.unpack(file.read(ENTRY.size))
            found.append((sector, count, flags, offset + SECTOR))
            offset += SECTOR * (1 + (0 if flags & DISCARD else count))
    return found


def replay(base, log, until, out):
    """Make the disk as it may be when the power goes after that many entries; base is how it was before the first."""
    known = entries(log)[:until]
    flushed = max((index for index, entry in enumerate(known) if entry[2] & FLUSH), default=0)
    subprocess.run(["cp", "--sparse=always", base, out], check=True)
    with open(log, "rb") as data, open(out, "r+b") as disk:
        for index, (sector, count, flags, offset) in enumerate(known):
            if flags & DISCARD or not count or (index > flushed and random.random() < 0.5):
                continue
            data.seek(offset)
            disk.seek(sector * SECTOR)
            disk.write(data.read(count * SECTOR))
