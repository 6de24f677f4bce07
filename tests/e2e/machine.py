# SPDX-License-Identifier: GPL-2.0-or-later
"""What the machine of a case has beside its kernel and its disks, as QEMU's arguments."""

import pathlib
import shutil

from lib.disk import MIB

OVMF = pathlib.Path("/usr/share/OVMF")


def args(case, variables):
    """variables: the file with those of the firmware, where the case wants such a one."""
    found = list(case.devices)
    if case.numa:
        found += numa_args(case)
    if case.efi:
        found += efi_args(variables)
    return found


def failing_drive(disk):
    """A drive on which some sectors refuse to be written."""
    drive = f"format=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename={disk.path}"
    for index, mib in enumerate(range(60, 180, 20)):
        rule = f"file.inject-error.{index}"
        drive += f",{rule}.event=none,{rule}.iotype=write,{rule}.errno=5,{rule}.sector={mib * MIB // 512}"
    return drive


def efi_args(variables):
    """Firmware with variables in a file, which is made when there is none."""
    if not variables.exists():
        shutil.copy(OVMF / "OVMF_VARS_4M.fd", variables)
    return ["-drive", f"if=pflash,unit=0,readonly=on,format=raw,file={OVMF / 'OVMF_CODE_4M.fd'}",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}"]


def numa_args(case):
    half = case.memory // 2
    args = []
    for node in (0, 1):
        args += ["-object", f"memory-backend-ram,id=mem{node},size={half}M", "-numa", f"node,memdev=mem{node}"]
    return args
