#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The demonstration behind `make demo`: a Debian kernel boots in QEMU, panics, is captured by kcapture to an ext4 disk,
and gdb shows the backtrace of the panicking CPU from the core that came off that disk.
"""

import re
import shutil
import sys
import time

from e2e import scenario
from e2e.cases import Case
from lib import readers, runner
from lib.debian import Unavailable
from lib.fetch_kernels import fetch_kernel, fetch_vmlinux
from lib.paths import BUILD, KCAPTURE

KERNEL = "6.1"
SHOWN = re.compile(r"^kcapture: |^guest: |Kernel panic|sysrq: |Linux version|reboot: Rest|^Call Trace")
started = time.monotonic()


def narrate(text):
    print(f"\n[{time.monotonic() - started:5.1f} s] {text}", flush=True)


def show(lines):
    for line in lines:
        print(f"    {line[:140]}", flush=True)


def main():
    directory = BUILD / "demo"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    narrate(f"Fetching Debian's {KERNEL} cloud kernel and its debug symbols (kept in build/cache).")
    kernel, vmlinux = fetch_kernel(KERNEL), fetch_vmlinux(KERNEL)

    case = Case("demo", memory=1024, crashkernel="256M", dirty=200, partition=True)
    one = scenario.Scenario(case, directory)
    narrate(f"Booting {kernel.version} in QEMU: 2 CPUs, 1 GiB, an NVMe disk with an ext4 partition. Its user space\n"
            "          loads a second kernel and kcapture's image with kexec -p, then panics on purpose. The console:")
    vm = one.run()
    console = (re.sub(r"^\[\s*[\d.]+\] ", "", text) for _, text in vm.lines)
    show(line for line in console if SHOWN.search(line))
    text = scenario.check_console(one, vm)
    image = (directory / "capture.img").stat().st_size
    panic = vm.stamp_of("Kernel panic")
    narrate(f"{vm.ended - panic:.1f} s from the panic to the reboot; the capture image is {image >> 10} KiB.")

    core = scenario.fetch_core(one, text)
    scenario.check_saved_core(one, core)
    size, disk = core.stat().st_size >> 20, core.stat().st_blocks * 512 >> 20
    narrate(f"The core, off the disk: {core} ({size} MiB, {disk} MiB on disk: zero pages are holes).")
    show(readers.run([KCAPTURE, "info", core])[1].splitlines()[:20])

    narrate(f"gdb, the core and Debian's vmlinux, symbols moved by KERNELOFFSET {readers.kernel_offset(core):#x}:")
    backtrace = readers.gdb(core, vmlinux, readers.PANICKING_THREAD, "bt")
    show(line for line in backtrace.splitlines() if re.match(r"#\d|\[Switching|Backtrace", line))
    runner.expect("sysrq_handle_crash" in backtrace, f"the backtrace does not reach the crash:\n{backtrace}")
    narrate(f"From panic to backtrace: done. Console log: {directory}/serial.log")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (runner.Failure, Unavailable) as reason:
        print(f"demo: {reason}", file=sys.stderr)
        sys.exit(1)
