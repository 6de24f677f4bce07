# SPDX-License-Identifier: GPL-2.0-or-later
"""
Target disks of the machines under test: raw image files, bare or with one GPT partition, with an ext4 made by
mke2fs; and the way back: files are read out with debugfs, sparse, without mounting anything.
"""

import dataclasses
import pathlib
import re
import subprocess

from lib import sparse

MIB = 1 << 20

# bus: (QEMU device arguments, device name in the guest). NVMe controllers are probed side by side: of two in a machine
# either may be nvme0, so the second disk is one of another bus.
BUSES = {
    "nvme": (["-device", "nvme,serial=kc{n},id=dev-{id},drive=disk-{id}"], "/dev/nvme{n}n1"),
    "virtio-blk": (["-device", "virtio-blk-pci,serial=kc{n},id=dev-{id},drive=disk-{id}"], "/dev/vd{letter}"),
    "virtio-scsi": (["-device", "virtio-scsi-pci,id=bus-{id}",
                     "-device", "scsi-hd,serial=kc{n},id=dev-{id},bus=bus-{id}.0,drive=disk-{id}"], "/dev/sd{letter}"),
    "ahci": (["-device", "ahci,id=bus-{id}",
              "-device", "ide-hd,serial=kc{n},id=dev-{id},bus=bus-{id}.0,drive=disk-{id}"], "/dev/sd{letter}"),
    "usb": (["-device", "qemu-xhci,id=bus-{id}",
             "-device", "usb-storage,serial=kc{n},bus=bus-{id}.0,id=dev-{id},drive=disk-{id}"], "/dev/sd{letter}"),
    "sdcard": (["-device", "sdhci-pci,id=bus-{id}", "-device", "sd-card,id=dev-{id},drive=disk-{id}"], "/dev/mmcblk{n}"),
    "pmem": (["-machine", "pc,nvdimm=on", "-m", "slots=2,maxmem=8G",
              "-object", "memory-backend-file,id=disk-{id},share=on,mem-path={path},size={size}",
              "-device", "nvdimm,id=dev-{id},memdev=disk-{id}"], "/dev/pmem{n}"),
}


DRIVERS = {"nvme": ("nvme",), "virtio-blk": ("virtio_pci", "virtio_blk")}     # modules, for the buses of disks that tests write themselves

MKFS = {"xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"], "vfat": ["mkfs.vfat", "-F", "32", "-I"]}


@dataclasses.dataclass
class Disk:
    """An image file and how it is attached; n counts the disks of one bus kind in one machine, of NVMe there is one."""
    path: pathlib.Path
    size: int                       # bytes
    bus: str = "nvme"
    n: int = 0
    partition: bool | str = False   # True: one over all, or sfdisk's input
    drive_options: str = ""         # more -drive properties
    drive: str = ""                 # instead of the plain file

    @property
    def id(self):
        """What QEMU's ids of its parts end in."""
        return f"{self.bus}-{self.n}"

    @property
    def device(self):
        """The device node in the guest that holds the data."""
        name = BUSES[self.bus][1].format(n=self.n, letter="abcd"[self.n])
        return name + (("p1" if name[-1].isdigit() else "1") if self.partition else "")

    @property
    def offset(self):
        return MIB if self.partition else 0

    @property
    def io(self):
        """The data as e2fsprogs' I/O manager names it."""
        return f"{self.path}?offset={self.offset}" if self.offset else str(self.path)

    def create(self):
        self.path.unlink(missing_ok=True)
        with open(self.path, "wb") as image:
            image.truncate(self.size)
        if self.partition:
            subprocess.run(["sfdisk", "-q", str(self.path)], input="label: gpt\nstart=2048\n" if self.partition is True else self.partition, text=True, check=True,
                           capture_output=True)

    def format(self, fstype):
        """Make a filesystem; ext4 also in the partition, the others only on a whole disk."""
        if fstype == "ext4":
            blocks = (self.size - 2 * self.offset) // 4096
            argv = ["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-E",
                    f"offset={self.offset},assume_storage_prezeroed=1", self.path, str(blocks)]
        else:
            argv = [*MKFS[fstype], self.path]
        subprocess.run(argv, check=True, capture_output=True)

    def qemu_args(self):
        arguments = [arg.format(n=self.n, id=self.id, path=self.path, size=self.size) for arg in BUSES[self.bus][0]]
        if self.bus == "pmem":
            return arguments
        if self.drive:
            drive = f"{self.drive},id=disk-{self.id}"
        else:
            drive = f"file={self.path},format=raw,cache=unsafe,id=disk-{self.id}"
        return ["-drive", f"if=none,{drive}{self.drive_options}", *arguments]

    def place(self, key):
        """What the configuration calls it: KEY=VALUE by what is on it, or without a key the device."""
        if key == "ID":
            return f"ID=QEMU_disk_kc{self.n}" + ("-part1" if self.partition else "")
        if key == "PARTUUID":
            run = subprocess.run(["sfdisk", "--part-uuid", str(self.path), "1"], capture_output=True, text=True, check=True)
            return f"PARTUUID={run.stdout.strip().lower()}"
        if key:
            run = subprocess.run(["blkid", "-p", "-O", str(self.offset), "-o", "value", "-s", key, str(self.path)],
                                 capture_output=True, text=True, check=True)
            return f"{key}={run.stdout.strip()}"
        return self.device

    def debugfs(self, command, *options):
        run = subprocess.run(["debugfs", *options, "-R", command, self.io], capture_output=True, text=True, check=True)
        return run.stdout

    def is_clean(self):
        """Does e2fsck find a cleanly unmounted filesystem without errors?"""
        return subprocess.run(["e2fsck", "-fn", self.io], capture_output=True).returncode == 0

    def repair(self):
        """Replay the journal of a filesystem that was not unmounted."""
        subprocess.run(["e2fsck", "-fy", self.io], capture_output=True, check=False)

    def files(self, top="/"):
        """{path: (permission bits, size)} of the regular files below top."""
        found = {}
        for line in self.debugfs(f"ls -p {top}").splitlines():
            fields = line.split("/")
            if len(fields) < 7 or fields[5] in (".", "..", "lost+found"):
                continue
            path, mode = f"{top.rstrip('/')}/{fields[5]}", int(fields[2], 8)
            if mode & 0o170000 == 0o040000:
                found.update(self.files(path))
            else:
                found[path] = (mode & 0o7777, int(fields[6]))
        return found

    def extract(self, path, out):
        """Copy a file of the ext4 to the host, holes kept, by the extents that debugfs lists."""
        inode = self.debugfs(f"stat {path}")
        size = int(re.search(r"Size: (\d+)", inode)[1])
        with open(self.path, "rb") as image, open(out, "wb") as copy:
            copy.truncate(size)
            for logical, physical, count in self._extents(path):
                length = min(count * 4096, size - logical * 4096)
                sparse.copy_range(image.fileno(), self.offset + physical * 4096, copy.fileno(), logical * 4096, length)

    def _extents(self, path):
        """(logical, physical, blocks) of the written leaf extents."""
        pattern = re.compile(r"^\s*(\d+)/\s*(\d+)\s+\d+/\s*\d+\s+(\d+) -\s*(\d+)\s+(\d+) -\s*\d+\s+(\d+)(.*)$")
        for line in self.debugfs(f"dump_extents {path}").splitlines():
            match = pattern.match(line)
            if match and match[1] == match[2] and "Uninit" not in match[7]:
                yield int(match[3]), int(match[5]), int(match[6])
