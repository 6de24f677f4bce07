# SPDX-License-Identifier: GPL-2.0-or-later
"""
The end-to-end cases as data: which kernel crashes how on which machine, which kernel captures it to which target, what
is broken on the way, and how it must end. scenario.py turns a Case into machines and checks.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """One crash. The defaults are the plainest one that is expected to be saved."""
    name: str
    # the machine
    crashed: str = "6.1"                # kernels by their names in fetch_kernels.py
    capture: str = ""                   # default: the same
    memory: int = 512                   # MiB
    smp: int = 2
    cpu: str = "max,-erms"              # 5-level page tables (TCG does "rep movsb" slowly); qemu64 has 4
    numa: bool = False
    crashkernel: str = "160M"
    kernel_args: str = ""               # more of the crashed kernel's command line
    # the crash
    crash: str = "sysrq"                # as in guest.FirstKernel
    load: str = "-s"
    arm: str = ""                       # armed by `kcapture arm` with these options instead of by kexec
    dirty: int = 0
    # the capture
    relaxed: bool = True                # iomem=relaxed on its command line
    args: str = ""                      # more of its command line
    config: tuple = ()                  # more directives
    target: str = "ext4"                # or raw, or xfs, btrfs, vfat (then only the console is checked)
    bus: str = "nvme"
    partition: bool = False
    disk: int = 0                       # MiB, default: enough
    oracle: bool = False                # also compare with a raw copy of /proc/vmcore
    # what is broken
    direct: bool = False                # the initramfs is booted by itself, nothing crashed
    elfcorehdr: str = ""                # a bogus address instead of the real one
    header: str = ""                    # a bad header instead of the real one: truncated, phnum, notes
    throttle: int = 0                   # bytes/s that the disk takes
    unplug: bool = False                # the disk is taken away in the middle
    eio: bool = False                   # a sector in the middle of the disk cannot be written
    # how it must end
    expect: str = "saved"               # saved, failed, or ended (either, but in order)
    symlink: bool = False               # the configured path is a link that leads nowhere on the target
    partial: bool = False               # a failure must leave a core that is marked incomplete, and its log
    says: str = ""                      # pattern that the console must show
    final: str = "reboot"
    deadline: int = 150                 # s


CRASHES = [Case(f"{crash}{load}-{target}", crash=crash, load=load, target=target, smp=smp, oracle=oracle)
           for crash, load, target, smp, oracle in (
               ("sysrq", "-s", "ext4", 2, True),
               ("sysrq", "-c", "ext4", 2, True),
               ("sysrq", "-s", "raw", 4, True),
               ("sysrq", "-c", "raw", 2, False),
               ("oops", "-s", "ext4", 2, False),
               ("oops", "-c", "raw", 4, True),
               ("nmi", "-s", "ext4", 4, False),
               ("nmi", "-c", "ext4", 2, False),
               ("softlockup", "-s", "ext4", 2, False),
               ("softlockup", "-c", "raw", 2, False),
               ("irqsoff", "-s", "ext4", 2, False),
               ("cpu1", "-s", "ext4", 2, True),
               ("cpu3", "-c", "ext4", 4, False),
           )]

MACHINES = [
    Case("4-level-s", cpu="qemu64", oracle=True),
    Case("4-level-c", cpu="qemu64", load="-c"),
    Case("one-cpu", smp=1),
    Case("numa-s", memory=1024, smp=4, numa=True, oracle=True),
    Case("numa-c", memory=1024, smp=4, numa=True, load="-c"),
    Case("above-4g", memory=5120, dirty=300, crashkernel="256M", config=("crosscheck no",), deadline=240),
    Case("dirty-2g", memory=2048, dirty=1200, crashkernel="256M", oracle=True, deadline=300),
]

TARGETS = [
    Case("partition-ext4", partition=True),
    Case("partition-raw", partition=True, target="raw"),
    Case("virtio-blk", bus="virtio-blk", partition=True),
    Case("virtio-scsi", bus="virtio-scsi"),
    Case("generic-nvme", crashed="6.1-generic", crashkernel="256M", memory=768, oracle=True),
    Case("generic-virtio-blk", crashed="6.1-generic", bus="virtio-blk", crashkernel="256M", memory=768, load="-c"),
    Case("generic-ahci", crashed="6.1-generic", bus="ahci", partition=True, crashkernel="256M", memory=768),
    Case("xfs", target="xfs"),
    Case("btrfs", target="btrfs"),
    Case("vfat", target="vfat"),
    Case("generic-xfs", crashed="6.1-generic", target="xfs", bus="virtio-blk", crashkernel="256M", memory=768),
    Case("path", config=("path /deep/er/dumps",)),
    Case("path-leads-away", config=("path /crash",), symlink=True, says="using the top of"),
]

PAIRS = [Case(f"pair-{crashed}-by-{capture}{load}", crashed=crashed, capture=capture, load=load)
         for crashed in ("6.1", "6.12", "7") for capture in ("6.1", "6.12", "7") for load in ("-s", "-c")
         if (crashed, capture) != ("6.1", "6.1")]       # that pair is most of the other cases

SOURCES = [
    # /dev/mem refuses what lies behind this crash region, and there lie the registers of the CPUs
    Case("not-relaxed-s", relaxed=False, crashkernel="160M@320M", kernel_args="nokaslr", oracle=True),
    Case("not-relaxed-c", relaxed=False, load="-c", oracle=True),
    Case("lockdown", args="lockdown=integrity", oracle=True),
    Case("source-vmcore", config=("source vmcore",)),
    Case("source-devmem", config=("source devmem",)),
]

ARMED = [
    Case("armed-auto", arm="--load auto"),
    Case("armed-legacy", arm="--load legacy", partition=True),
]

ACTIONS = [
    Case("final-halt", config=("final_action halt",), final="halt"),
    Case("final-poweroff", config=("final_action poweroff",), final="poweroff"),
    Case("failure-poweroff", config=("failure_action poweroff", "target_timeout 3", "ext4 /dev/nvme7n1"),
         expect="failed", final="poweroff"),
    Case("cmdline-wins", args="kcapture.final_action=poweroff", final="poweroff"),
]

FAULTS = [
    Case("target-missing", config=("ext4 /dev/nvme7n1", "target_timeout 5"), expect="failed", says="nvme7n1"),
    Case("target-not-ext4", config=("ext4 /dev/nvme0n1",), target="raw", expect="failed", says="nvme0n1"),
    Case("disk-full", disk=48, expect="failed", partial=True, says="No space|ENOSPC|full|room"),
    Case("raw-too-small", disk=32, target="raw", expect="failed"),
    Case("disk-eio", eio=True, expect="failed"),
    Case("disk-unplugged", throttle=8 << 20, unplug=True, config=("timeout 40",), expect="failed", deadline=90),
    Case("disk-unplugged-raw", throttle=8 << 20, unplug=True, target="raw", expect="failed"),
    Case("disk-stalled", throttle=65536, config=("stall_timeout 8",), expect="failed", says="no byte moved", final="forced",
         deadline=120),
    Case("timed-out", throttle=8 << 20, config=("timeout 6",), expect="failed", says="not done within", partial=True),
    Case("no-crash", direct=True, expect="failed", says="elfcorehdr|vmcore"),
    Case("elfcorehdr-beyond-ram", elfcorehdr="0x7000000000", expect="ended"),
    Case("elfcorehdr-in-code", elfcorehdr="0x1000000", expect="ended"),
    Case("elfcorehdr-nonsense", elfcorehdr="zzz", expect="ended"),
    Case("header-truncated", header="truncated", expect="failed"),
    Case("header-phnum-lies", header="phnum", expect="ended"),
    Case("header-notes-overrun", header="notes", expect="ended"),
]

SELECTION = [
    Case("level-31", config=("dump_level 31",), dirty=100),
    Case("level-31-6.12", crashed="6.12", config=("dump_level 31",)),
    Case("level-31-7", crashed="7", config=("dump_level 31",)),
    Case("level-16-raw", target="raw", config=("dump_level 16",), load="-c"),
    Case("no-aliases", config=("aliases no",)),
]

CASES = SELECTION + CRASHES + MACHINES + TARGETS + PAIRS + SOURCES + ARMED + ACTIONS + FAULTS
