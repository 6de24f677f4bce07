# SPDX-License-Identifier: GPL-2.0-or-later
"""
Cores of crowded machines, for page selection: a guest of two NUMA nodes whose memory holds pages of every kind
(workload.c), part of which a balloon took and part of which was plugged in while it ran. It crashes, and busybox copies
/proc/vmcore raw: no part of kcapture is in it. The cores stay in build/cache/cores/ until what makes them changes.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess

from lib import guest, sparse
from lib.cpio import Archive
from lib.disk import DRIVERS, MIB, Disk
from lib.fetch_kernels import fetch_kernel
from lib.paths import CACHE, TESTS
from lib.runner import Failure
from lib.vm import VM, Timeout, steady

CORES = CACHE / "cores"
WORKLOAD = TESTS / "lib" / "workload.c"
MEMORY, NODE_0, DIMM, BALLOON = 3072, 512, 128, 64      # MiB
SCRATCH = "virtio-blk"                              # bus of the disks for swap and for files
GIGANTIC = ((1 << (1 << 18)) - 1) << (1 << 18)      # page frames of the only place for a hugetlb page of 1 GiB, as a bitmap
APPEND = ("console=ttyS0 crashkernel=192M panic=-1 hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=12 "
          "hugetlb_free_vmemmap=on")
CAPTURE_APPEND = "console=ttyS0 reset_devices nr_cpus=1 irqpoll panic=-1 iomem=relaxed acpi_no_memhotplug"

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/usr/bin:/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /tmp /mnt; mount -t tmpfs -o size=50% tmp /tmp
say() { read up rest < /proc/uptime; echo "guest: $* [uptime $up]"; }
inflated() { sed -n 's/^balloon_inflate //p' /proc/vmstat; }
blocks() { ls -d /sys/devices/system/memory/memory*[0-9] | wc -l; }
say "up, kernel $(uname -r), $(ls -d /sys/devices/system/node/node[0-9] | wc -l) nodes"
for module in MODULES; do insmod $module; done
echo always > /sys/kernel/mm/transparent_hugepage/enabled
echo always > /sys/kernel/mm/transparent_hugepage/shmem_enabled
echo 2000 > /sys/kernel/mm/ksm/pages_to_scan; echo 1 > /sys/kernel/mm/ksm/run
mkswap SWAP > /dev/null; swapon SWAP
mke2fs FILES > /dev/null 2>&1; mount -t ext4 FILES /mnt && say "mounted"; cp /bin/busybox /capture/vmlinuz /mnt
n=0; while [ $n -lt 300 ]; do echo $n > /mnt/file$n; n=$((n + 1)); done; rm /mnt/file1*
dd if=/dev/urandom of=/tmp/seed bs=64k count=16 2>/dev/null
n=0; while [ $n -lt 16 ]; do (echo $n; cat /tmp/seed) > /tmp/f$n; n=$((n + 1)); done; rm /tmp/f1*
n=$(blocks)
/workload > /tmp/workload.log 2>&1 &
while ! grep -q done /tmp/workload.log; do usleep 200000; done; cat /tmp/workload.log
say "hardware, please"
while [ $(blocks) -le $n ]; do usleep 200000; done
for block in /sys/devices/system/memory/memory*; do
    [ "$(cat $block/state)" = online ] || echo online > $block/state
done
n=0; while [ $(inflated) -lt BALLOON_PAGES ] && [ $n -lt 200 ]; do usleep 200000; n=$((n + 1)); done
say "blocks $(blocks), balloon $(inflated)"
n=0; while [ $(cat /sys/kernel/mm/ksm/pages_sharing) -lt 500 ] && [ $n -lt 50 ]; do usleep 200000; n=$((n + 1)); done
grep -E "Huge|Swap|Slab|Shmem:" /proc/meminfo
for size in 1048576 2048; do say "huge pages of $size KiB: $(cat /sys/kernel/mm/hugepages/hugepages-${size}kB/nr_hugepages)"; done
kexec -p -s /capture/vmlinuz --initrd=/capture/initrd --append="CAPTURE_APPEND" || { say "arming failed"; poweroff -f; }
say "crashing"
echo c > /proc/sysrq-trigger
"""


def workload(directory):
    program = directory / "workload"
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-static", "-o", str(program), str(WORKLOAD)], check=True)
    return program


def first_initrd(kernel, capture_initrd, scratch, directory):
    modules = guest.module_closure(kernel, "virtio_pci", "virtio_balloon", *DRIVERS[SCRATCH], "ext4")
    archive = Archive()
    for module in modules:
        archive.copy(kernel.root / module, f"modules/{module.rsplit('/', 1)[-1]}")
    script = INIT.replace("MODULES", " ".join("/modules/" + module.rsplit("/", 1)[-1] for module in modules))
    script = script.replace("CAPTURE_APPEND", f"{CAPTURE_APPEND} {steady()}").replace("BALLOON_PAGES", str(BALLOON * 256))
    script = script.replace("SWAP", scratch[0].device).replace("FILES", scratch[1].device)
    archive.file("init", script, 0o755)
    archive.copy(workload(directory), "workload")
    archive.copy(kernel.vmlinuz, "capture/vmlinuz")
    archive.file("capture/initrd", capture_initrd)
    return guest.base_image() + archive.image()


def machine(kernel, disk, directory):
    initrd, scratch = directory / "initrd.img", [Disk(directory / f"scratch{n}.img", 64 * MIB, SCRATCH, n=n) for n in (0, 1)]
    capture = guest.dd_only(disk.device, modules=guest.module_closure(kernel, *DRIVERS[disk.bus]), kernel_root=kernel.root)
    initrd.write_bytes(first_initrd(kernel, capture, scratch, directory))
    args = ["-kernel", str(kernel.vmlinuz), "-initrd", str(initrd), "-append", f"{APPEND} {steady()}"]
    args += ["-device", "virtio-balloon-pci,id=balloon"]
    for node, size in enumerate((NODE_0, MEMORY - NODE_0)):
        args += ["-object", f"memory-backend-ram,id=mem{node},size={size}M", "-numa", f"node,memdev=mem{node}"]
    for one in (disk, *scratch):
        one.create()
        args += one.qemu_args()
    return VM(directory / "serial.log", args, f"{MEMORY}M,slots=2,maxmem=8G", 2)


def plug(vm):
    """The DIMM and the balloon."""
    vm.qmp("object-add", **{"qom-type": "memory-backend-ram", "id": "hot", "size": DIMM * MIB})
    vm.qmp("device_add", driver="pc-dimm", id="dimm", memdev="hot", node=1)
    vm.qmp("balloon", value=(MEMORY + DIMM - BALLOON) * MIB)


def run_machine(kernel, disk, work):
    """The machine that crashed and was copied, and how many bytes /proc/vmcore has; Timeout with what it said last."""
    with machine(kernel, disk, work) as vm:
        try:
            vm.wait_for("guest: hardware, please")
            plug(vm)
            size = int(vm.wait_for(r"oracle: vmcore (\d+) bytes")[1])
            vm.wait_for("oracle: done")
            vm.wait_end()
        except Timeout as timeout:
            raise Timeout(f"{timeout}; it said last: {' | '.join(text for _, text in vm.lines[-4:])}") from None
    return vm, size


def crash(kernel, core):
    """
    Let such a machine crash; the core appears whole, by rename. What goes wrong before that is none of kcapture, of which
    nothing is in it: it is tried once more, and the log of the first try is kept.
    """
    work, failed = CORES / f"work-{kernel.name}", CORES / f"failed-{kernel.name}"
    for directory in (work, failed):
        shutil.rmtree(directory, ignore_errors=True)
    work.mkdir(parents=True)
    disk = Disk(work / "oracle.img", (MEMORY + 2 * DIMM) * MIB, drive_options=",discard=unmap,detect-zeroes=unmap")
    try:
        vm, size = run_machine(kernel, disk, work)
    except Timeout as timeout:
        print(f"crowded machine of {kernel.name}, once more: {timeout}", flush=True)
        failed.mkdir()
        shutil.move(work / "serial.log", failed)
        try:
            vm, size = run_machine(kernel, disk, work)
        except Timeout as again:
            raise Failure(f"{again}, log {work}") from None
    for wanted in ("pages of 1048576 KiB: 1", "pages of 2048 KiB: 1[0-2]", f"balloon {BALLOON * 256}", "2 nodes", "guest: mounted", "workload: swapped"):
        if not re.search(wanted, vm.text()):
            raise Failure(f"the crowded machine does not say {wanted!r}, log {work}")
    with open(disk.path, "rb") as source, open(work / "core", "wb") as out:
        out.truncate(size)
        sparse.copy_range(source.fileno(), 0, out.fileno(), 0, size)
    shutil.move(work / "serial.log", core.with_name(core.name + ".log"))
    (work / "core").rename(core)
    shutil.rmtree(work)


def core_of(name):
    """The core of a kernel by its name in fetch_kernels.py; made when it is not there."""
    kernel = fetch_kernel(name)
    makers = (kernel.deb_version, INIT, APPEND, CAPTURE_APPEND, WORKLOAD.read_text(), MEMORY, NODE_0, DIMM, BALLOON, SCRATCH)
    key = hashlib.sha256(repr(makers).encode()).hexdigest()[:16]
    core = CORES / f"crowded-{name}-{key}"
    CORES.mkdir(parents=True, exist_ok=True)
    with open(CORES / f"lock-{name}", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)        # tests run at once, the core is made once
        if not core.exists():
            for old in CORES.glob(f"crowded-{name}-*"):
                old.unlink()
            crash(kernel, core)
    return core
