#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run the end-to-end tests: real kernels crash in QEMU and kcapture saves them. Logs go to build/e2e/NAME/; what a failed
test left there stays. Needs build/kcapture, build/init and the packages of tests/lib/packages.
"""

import functools
import pathlib
import re
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from e2e import drop_in, estimate, network, power_cut, scenario
from e2e.cases import CASES, Case
from lib import runner
from lib.paths import BUILD, INIT, KCAPTURE


def same_peak_memory(directory):
    """What /init needs does not grow with the machine; and the same crash signs the same wherever the kernel lay."""
    peaks, signatures = {}, set()
    for memory in (1024, 8192):
        case = Case(f"{memory}", memory=memory, crashkernel="256M")
        where = directory / case.name
        where.mkdir()
        one = scenario.Scenario(case, where)
        text = scenario.check_console(one, one.run())
        peaks[memory] = scenario.peak_memory(text)
        signatures.add(re.search(r"kcapture: it happened at \S+, signature (k1-\w+)", text)[1])
        runner.drop_large_files(where)
    runner.expect(len(signatures) == 1, f"signatures of one and the same crash: {signatures}")
    runner.expect(abs(peaks[1024] - peaks[8192]) <= 256, f"peak memory in KiB by MiB of RAM: {peaks}")
    return f"{peaks[1024]} KiB at 1 GiB, {peaks[8192]} KiB at 8 GiB"


def tests():
    found = [runner.Test(case.name, functools.partial(scenario.check, case), cost(case)) for case in CASES]
    found += [runner.Test(case.name, functools.partial(network.check, case), cost(case)) for case in network.CASES]
    return found + [runner.Test("same-peak-memory", same_peak_memory, 20),
                    runner.Test("power-cuts", power_cut.power_cuts, 4), runner.Test("kdump-tools", drop_in.check, 40),
                    runner.Test("estimate", estimate.check, 2)]


def cost(case):
    return case.memory / 512 * (2 if case.oracle else 1) + (3 if case.crash == "softlockup" else 0)


if __name__ == "__main__":
    sys.exit(runner.main(__doc__, tests(), BUILD / "e2e", requires=(KCAPTURE, INIT), jobs=2))
