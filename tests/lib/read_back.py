# SPDX-License-Identifier: GPL-2.0-or-later
"""
What lies on a target disk that this machine cannot look into, whatever filesystem and stack of devices: a small machine
mounts it and packs the files, holes kept, onto a second disk. It works on a snapshot: the disk itself stays as it was.
"""

import os
import re
import subprocess

from lib import guest
from lib.disk import DRIVERS, MIB, Disk
from lib.fetch_kernels import fetch_kernel
from lib.runner import expect
from lib.vm import VM, steady

MODULES = {"ext4": ("ext4", "crc32c_generic"), "xfs": ("xfs", "crc32c_generic"), "btrfs": ("btrfs", "crc32c_generic"),
           "vfat": ("vfat", "nls_cp437", "nls_ascii", "nls_utf8")}
UNCLEAN = r"recover|replay|not properly unmounted|orphan|\bcorrupt"     # what a kernel says of a filesystem left mounted


class Tree:
    """Files on the host, with the methods of Disk that look at them."""

    def __init__(self, top):
        self.top = top

    def files(self):
        """{path: (permission bits, size)} of the regular files."""
        found = {}
        for path in self.top.rglob("*"):
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                found[f"/{path.relative_to(self.top)}"] = (status.st_mode & 0o7777, status.st_size)
        return found

    def extract(self, path, out):
        out.unlink(missing_ok=True)
        os.link(self.top / path.lstrip("/"), out)


def script(fstype, device, options, reopen, out):
    """What the machine does: put the device together, mount it read-only, pack."""
    return (f"{reopen}\nmkdir /mnt\nmount -t {fstype} -o ro{options} {device} /mnt\n"
            f"/usr/bin/tar -C /mnt -cf {out} --sparse --exclude=./lost+found .\n")


def read_back(disk, fstype, directory, options="", reopen=("", "")):
    """
    The Tree of what is on a disk; reopen are commands and the device that is there after them, where that is no part of the
    disk. Fails when the filesystem was not cleanly unmounted.
    """
    commands, device = reopen
    kernel, initrd, top = fetch_kernel("6.1"), directory / "read_back.img", directory / "tree"
    source = Disk(disk.path, disk.size, "nvme", partition=disk.partition, drive_options=",snapshot=on")
    out = Disk(directory / "tree.tar", disk.size + 64 * MIB, "virtio-blk")
    out.create()
    modules = (*DRIVERS[source.bus], *DRIVERS[out.bus], *MODULES[fstype], *(guest.STACK_MODULES if commands else ()))
    programs = ("tar", *(guest.STACK_PROGRAMS if commands else ()))
    todo = script(fstype, device or source.device, options, commands, out.device)
    initrd.write_bytes(guest.prepare_image(kernel, todo, programs, modules, source.device))
    args = ["-kernel", str(kernel.vmlinuz), "-initrd", str(initrd), "-append", f"console=ttyS0 panic=-1 {steady()}",
            *source.qemu_args(), *out.qemu_args()]
    with VM(directory / "read_back.log", args, 512, 1) as vm:
        vm.wait_for("guest: prepar")
        vm.wait_end()
        said = vm.text()
    expect("guest: prepared" in said, "the target could not be mounted to read it back")
    unclean = re.search(f".*({UNCLEAN}).*", "\n".join(line for line in said.splitlines() if re.search("XFS|BTRFS|EXT4|FAT", line)), re.I)
    expect(not unclean, f"the target filesystem was not cleanly unmounted: {unclean and unclean[0]}")
    top.mkdir()
    subprocess.run(["tar", "-xf", out.path, "-C", top], check=True, capture_output=True)
    return Tree(top)
