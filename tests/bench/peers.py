# SPDX-License-Identifier: GPL-2.0-or-later
"""
A makedumpfile with zstd: the one of Debian 12 (1.7.2) has none, and its source is not on every mirror any more, so that it
cannot be built with zstd everywhere. Debian 13's (1.7.6) has it; it is unpacked beside, with the libraries that it was built
for, but for libzstd: both programs compress with that of this machine.
"""

import re
import subprocess

from lib.debian import Suite, unpack
from lib.fetch_kernels import locked
from lib.paths import CACHE

WHERE = CACHE / "makedumpfile-zstd-own"
SUITE = "trixie"
LIBRARIES = r"lib(c6|elf1t64|dw1t64|lzo2-2|bz2-1\.0|lzma5|snappy1v5|stdc\+\+6|gcc-s1)|zlib1g"


def makedumpfile_zstd():
    """The words that run it."""
    with locked():
        if not (WHERE / "done").exists():
            suite = Suite(SUITE)
            suite.update()
            for deb in suite.download(suite.closure("makedumpfile", LIBRARIES), WHERE / "debs"):
                unpack(deb, WHERE, ["./usr/*", "./lib*"])
            (WHERE / "done").touch()
    libraries = next(WHERE.glob("usr/lib/*-linux-gnu*"))
    return [str(next(libraries.glob("ld-linux*"))), "--library-path", str(libraries), str(next(WHERE.glob("usr/*bin/makedumpfile")))]


def version(words):
    """What a makedumpfile says that it is."""
    said = subprocess.run([*words, "-v"], capture_output=True, text=True, check=True).stdout
    return re.search(r"version (\S+)", said)[1]
