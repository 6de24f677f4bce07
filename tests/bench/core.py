# SPDX-License-Identifier: GPL-2.0-or-later
"""
The core that the format benchmark reads: the raw /proc/vmcore of a machine whose memory is in use, made once and kept in
build/cache/cores/.
"""

import pathlib
import shutil
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from e2e import scenario
from e2e.cases import Case
from lib import sparse
from lib.paths import CACHE

CORE = CACHE / "cores" / "bench.raw"
CASE = Case("bench-core", memory=1536, dirty=800, crashkernel="256M", oracle=True)


def bench_core():
    """Path of the core."""
    if not CORE.exists():
        work = CACHE / "cores" / "bench-work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        one = scenario.Scenario(CASE, work)
        vm = one.run()
        size = scenario.oracle_size(vm)
        part = CORE.with_suffix(".part")
        with open(one.oracle.path, "rb") as disk, open(part, "wb") as out:
            out.truncate(size)
            sparse.copy_range(disk.fileno(), 0, out.fileno(), 0, size)
        part.rename(CORE)
        shutil.rmtree(work)
    return CORE


if __name__ == "__main__":
    print(bench_core())
