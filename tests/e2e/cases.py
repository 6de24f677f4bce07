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
    efi: bool = False                   # OVMF instead of SeaBIOS
    crashkernel: str = "160M"
    kernel_args: str = ""               # more of the crashed kernel's command line
    # the crash
    crash: str = "sysrq"                # as in guest.FirstKernel
    load: str = "-s"
    arm: str = ""                       # armed by `kcapture arm` with these options instead of by kexec
    dirty: int = 0
    listings: bool = False              # the guest prints what the kernel says of itself
    # the capture
    relaxed: bool = True                # iomem=relaxed on its command line
    args: str = ""                      # more of its command line
    config: tuple = ()                  # more directives
    targets: tuple = ()                 # directives instead of the one for the target disk
    target: str = "ext4"                # or raw, or xfs, btrfs, vfat
    bus: str = "nvme"
    by: str = ""                        # the disk is named by UUID, LABEL, PARTUUID or ID
    partition: bool | str = False       # or what sfdisk(8) is to make
    prepare: str = ""                   # a script that makes what is on the disk, in a machine; it tells "guest: KEY=VALUE"
    live: str = ""                      # a script that puts it together in the first kernel, for `kcapture arm` to find
    reopen: tuple = ("", "")            # the commands that put a prepared device together again, and what it is called then
    disk: int = 0                       # MiB, default: enough
    oracle: bool = False                # also compare with a raw copy of /proc/vmcore
    crosscheck: bool = False            # /init itself compares its sources, and what it wrote with /proc/vmcore
    stacks: bool = False                # all stacks must be drgn's, and gdb's must reach the entry thanks to the aliases
    tasks: int = 0                      # so many more tasks, each of which must be a thread in `kcapture gdb`
    # what is broken
    direct: bool = False                # the initramfs is booted by itself, nothing crashed
    elfcorehdr: str = ""                # a bogus address instead of the real one
    header: str = ""                    # a bad header instead of the real one: truncated, phnum, notes, memsz
    throttle: int = 0                   # bytes/s that the disk takes
    unplug: bool = False                # the disk is taken away in the middle
    stall: bool = False                 # from the middle on it answers no write any more
    eio: bool = False                   # a sector in the middle of the disk cannot be written
    old: tuple = ()                     # complete dumps that lie there already, so many minutes old
    pre: str = ""                       # a shell script for kdump_pre, and for kdump_post
    post: str = ""
    devices: tuple = ()                 # more QEMU arguments
    # how it must end
    expect: str = "saved"               # saved, failed, ended (either, but in order), looping (saved without memory),
                                        # called-off, or bitten (ended by the kernel's panic or the watchdog)
    corrupt: bool = False               # the filesystem's group descriptors are rubbish
    readonly: bool = False              # the disk takes no writes
    symlink: bool = False               # the configured path is a link that leads nowhere on the target
    partial: bool = False               # a failure must leave a core that is marked incomplete, and its log
    readers: bool = False               # and every reader must open it
    says: str = ""                      # pattern that the console must show
    final: str = "reboot"
    left: tuple = ()                    # of the old dumps those that stay, by their age
    memory_bar: int = 4096              # KiB of /init's own peak memory

    def __post_init__(self):
        for field in ("config", "targets", "devices", "reopen", "old", "left"):
            if not isinstance(getattr(self, field), tuple):
                raise TypeError(f"{self.name}: {field} is no tuple")


DEFAULT_LEVEL = ("dump_level 31",)

CRASHES = [Case(f"{crash}{load}-{target}", crash=crash, load=load, target=target, smp=smp, oracle=oracle,
                stacks=crash in ("oops", "cpu1") and load == "-s")
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
    Case("above-4g", memory=5120, dirty=300, crashkernel="256M"),
    Case("dirty-2g", memory=2048, dirty=1200, crashkernel="256M", oracle=True),
]

TARGETS = [
    Case("partition-ext4", partition=True),
    Case("partition-raw", partition=True, target="raw"),
    Case("virtio-blk", bus="virtio-blk", partition=True, by="PARTUUID", config=("extra_modules virtio_blk virtio_pci",)),
    Case("virtio-scsi", bus="virtio-scsi", by="ID", config=("extra_modules sd_mod virtio_scsi virtio_pci",)),
    Case("generic-nvme", crashed="6.1-generic", crashkernel="256M", memory=768, oracle=True),
    Case("generic-virtio-blk", crashed="6.1-generic", bus="virtio-blk", crashkernel="256M", memory=768, load="-c"),
    Case("generic-ahci", crashed="6.1-generic", bus="ahci", partition=True, crashkernel="256M", memory=768),
    Case("generic-usb", crashed="6.1-generic", bus="usb", partition=True, by="ID", crashkernel="256M", memory=768,
         config=("extra_modules sd_mod usb_storage xhci_pci",)),
    Case("generic-sdcard", crashed="6.1-generic", bus="sdcard", disk=1024, crashkernel="256M", memory=768),
    Case("generic-pmem", crashed="6.1-generic", bus="pmem", crashkernel="256M", memory=768),
    Case("xfs", target="xfs", by="UUID", config=("extra_modules nvme",)),
    Case("btrfs", target="btrfs", by="UUID", config=("extra_modules nvme",)),
    Case("vfat", target="vfat"),
    Case("generic-xfs", crashed="6.1-generic", target="xfs", bus="virtio-blk", crashkernel="256M", memory=768),
    Case("path", config=("path /deep/er/dumps",)),
    Case("path-leads-away", config=("path /crash",), symlink=True, says="using the top of"),
]

# By half of the loaders all of the memory, by half what is written by default.
PAIRS = [Case(f"pair-{crashed}-by-{capture}{load}", crashed=crashed, capture=capture, load=load,
              stacks=crashed == capture and load == "-s", config=() if load == "-s" else DEFAULT_LEVEL)
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
    Case("failure-poweroff", config=("failure_action poweroff", "target_timeout 3"), targets=("ext4 /dev/nvme7n1",),
         expect="failed", final="poweroff"),
    Case("cmdline-wins", args="kcapture.final_action=poweroff", final="poweroff"),
]


def when_written(percent, what):
    """
    A script for kdump_pre that goes on beside the dump: when so much of the core is written it stops the process that writes,
    and does something. At level 31 a core has few holes, so its size tells how far it is.
    """
    return f"""size() {{ core=$(echo /mnt/0/var/crash/*/vmcore-incomplete); stat -c %s $core 2> /dev/null || echo -1; }}
(until [ "$sum" ]; do usleep 20000; sum=$(dmesg | sed -n 's/.*plan: .* \\([0-9]*\\) MB of memory/\\1/p'); done
until [ $(size) -ge $((sum * 10000 * {max(0, percent - 10)})) ]; do usleep 20000; done
until kill -STOP $PPID; [ $(size) -ge $((sum * 10000 * {percent})) ]; do kill -CONT $PPID; usleep 5000; done
{what}; kill -CONT $PPID) & exit 0"""


FILL = """for unit in M k; do n=1024; while [ $n -gt 0 ]; do
i=0; while fallocate -l $n$unit /mnt/0/fill$n$unit.$i; do i=$((i + 1)); done; n=$((n / 2)); done; done"""
USED_UP = "n=0; while true > /mnt/0/inode$n; do n=$((n + 1)); done"     # not a file more; a failing ":" ends the shell
PANIC = "echo c > /proc/sysrq-trigger"
HOOK_TOOLS = "extra_bins /bin/busybox"

MOST_CACHED = """(most=0; while usleep 50000; do
read name cached unit << end
$(grep ^Cached: /proc/meminfo)
end
[ $cached -le $most ] || { most=$cached; echo $most > /cached; }; done) & exit 0"""

FAULTS = [
    Case("target-missing", targets=("ext4 /dev/nvme7n1",), config=("target_timeout 5",), expect="failed", says="nvme7n1"),
    Case("efi-variable", efi=True, memory=768, targets=("ext4 /dev/nvme7n1", "target_timeout 3"), config=("extra_modules efivarfs",),
         expect="failed", says="the last words were written to the EFI variable"),
    Case("second-target", targets=("ext4 /dev/nvme7n1", "target_timeout 8", "ext4 /dev/nvme0n1"), says="trying the next target"),
    Case("target-not-ext4", targets=("ext4 /dev/nvme0n1",), target="raw", expect="failed", says="nvme0n1"),
    Case("full-at-50", dirty=150, throttle=32 << 20, pre=when_written(50, FILL), config=(HOOK_TOOLS,), says="once more, with dump level 31"),
    Case("full-at-99", throttle=16 << 20, pre=when_written(99, FILL), config=(HOOK_TOOLS, "dump_level 31"),
         expect="failed", partial=True, readers=True, says="writing to /dev/nvme0n1:.*vmcore failed: No space"),
    Case("full-at-60-kdump", throttle=16 << 20, pre=when_written(60, FILL), config=(HOOK_TOOLS, "dump_level 31", "format kdump", "compress none"),
         expect="failed", partial=True, says="writing to /dev/nvme0n1:.*vmcore failed: No space"),
    Case("raw-too-small", disk=32, target="raw", expect="failed"),
    Case("disk-eio", eio=True, expect="failed"),
    Case("disk-unplugged", throttle=8 << 20, unplug=True, config=("stall_timeout 20",), expect="failed"),
    Case("disk-unplugged-raw", throttle=8 << 20, unplug=True, target="raw", expect="failed"),
    Case("disk-stalled", throttle=8 << 20, stall=True, config=("stall_timeout 8",), expect="failed", says="no byte moved",
         final="forced"),
    Case("disk-stalled-at-once", throttle=1, config=("stall_timeout 4", "target_timeout 3"), expect="failed", says="no byte moved",
         final="forced"),
    Case("watchdog", devices=("-device", "i6300esb"), crashed="6.1-generic", memory=768, crashkernel="256M",
         config=("extra_modules i6300esb", "final_action halt"), says="watchdog /dev/watchdog is fed", final="halt"),
    Case("wrong-uuid", targets=("ext4 UUID=5d8e4f1c-9c1d-4a53-8f0e-3c1f0f4f2a11", "target_timeout 3"), config=("extra_modules nvme",),
         expect="failed", says="Kernel panic - not syncing: sysrq triggered crash"),
    Case("read-only", bus="virtio-blk", readonly=True, expect="failed", says="Read-only|read-only|Permission denied"),
    Case("fs-corrupt", corrupt=True, expect="failed", says="mounting /dev/nvme0n1 as ext4 failed"),
    Case("full-at-0", disk=5, pre=when_written(0, USED_UP), config=(HOOK_TOOLS,), expect="failed", partial=True, says="once more, with dump level 31"),
    Case("memory-exhausted", pre="tail /dev/zero & exit 0", config=("extra_bins /bin/busybox",)),
    # the capture kernel itself panics: by itself it reboots (panic=), and where it stands still the watchdog bites
    Case("capture-panics", throttle=16 << 20, pre=when_written(30, PANIC), config=(HOOK_TOOLS, "dump_level 31"), expect="bitten", args="panic=-1"),
    Case("watchdog-bites", devices=("-machine", "q35", "-global", "ICH9-LPC.noreboot=false", "-action", "watchdog=reset"),
         crashed="6.1-generic", memory=768, crashkernel="256M", throttle=16 << 20, pre=when_written(30, PANIC),
         config=("extra_modules lpc_ich iTCO_wdt", HOOK_TOOLS, "dump_level 31"), args="panic=0", expect="bitten", says="watchdog /dev/watchdog is fed"),
    Case("hooks", pre="echo before > /dev/console; exit 0", post="echo after: $1", says="after: 0"),
    # of 300 MB that are written no more is cached at any time than what is on its way to the disk
    Case("page-cache", memory=1024, dirty=300, crosscheck=True, crashkernel="512M", pre=MOST_CACHED, post="echo most cached: $(cat /cached) kB",
         config=(HOOK_TOOLS,), says=r"most cached: \d{4,5} kB"),
    Case("pre-calls-off", pre="exit 1", expect="called-off", says="no dump: "),
    Case("crash-loop", old=(10, 50, 300), config=("crash_loop 3", "keep 1"), says="crash number 3 within an hour", left=(10, 50, 300),
         expect="looping"),
    Case("keep-two", old=(100, 300, 200), config=("keep 2",), says="deleted the old dump", left=(100,)),
    Case("timed-out", throttle=8 << 20, config=("timeout 12",), expect="failed", says="not done within", partial=True),
    Case("no-crash", direct=True, expect="failed", says="elfcorehdr|vmcore"),
    Case("elfcorehdr-beyond-ram", elfcorehdr="0x7000000000", expect="ended"),
    Case("elfcorehdr-in-code", elfcorehdr="0x1000000", expect="ended"),
    Case("elfcorehdr-nonsense", elfcorehdr="zzz", expect="ended"),
    Case("header-truncated", header="truncated", expect="failed"),
    Case("header-phnum-lies", header="phnum", expect="ended"),
    Case("header-memsz-lies", header="memsz", config=("format kdump", "dump_level 1"), expect="ended"),
    Case("header-notes-overrun", header="notes", expect="ended"),
]

SELECTION = [
    Case("level-31", config=("dump_level 31",), dirty=100),
    Case("level-31-6.12", crashed="6.12", config=("dump_level 31",)),
    Case("level-31-7", crashed="7", config=("dump_level 31",)),
    Case("level-16-raw", target="raw", config=("dump_level 16",), load="-c"),
    Case("no-aliases", config=("aliases no",)),
]

FORMATS = [
    Case("kdump-lzo", memory_bar=12288, config=("format kdump", "compress lzo"), oracle=True),
    Case("zstd-two-jobs", memory_bar=16384, config=("compress zstd", "jobs 2"), oracle=True, dirty=60),
    Case("zstd-31-raw", memory_bar=12288, target="raw", config=("compress zstd", "dump_level 31")),
    Case("kdump-31-raw", memory_bar=12288, target="raw", load="-c",
         config=("format kdump", "compress zlib", "dump_level 31")),
    Case("armed-two-jobs", memory_bar=16384, smp=4, arm="--load auto",
         config=("format kdump", "compress zstd", "jobs 2", "dump_level 31")),
]

LISTINGS = [
    Case("listings-5.10", crashed="5.10", cpu="qemu64", listings=True),      # this kernel has no 5-level page tables
    Case("listings-6.12", crashed="6.12", listings=True),
    Case("listings-7", crashed="7", listings=True),
]

LVM = "conf='devices{use_devicesfile=0} activation{udev_sync=0 udev_rules=0}'\n"
HALVES = "label: gpt\nsize=700M\nsize=700M\n"
MIRROR = "mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 --assume-clean /dev/nvme0n1p1 /dev/nvme0n1p2\n"
VOLUME = LVM + """
lvm pvcreate --config "$conf" DEVICE; lvm vgcreate --config "$conf" vg-a DEVICE
lvm lvcreate --config "$conf" -Wn -Zn -n crash -l 100%FREE vg-a
"""
SECRET = """cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 DEVICE /etc/key
cryptsetup open --key-file /etc/key DEVICE secret
echo "guest: luks=$(/usr/bin/blkid -o value -s UUID DEVICE)"
"""
MKFS = """/usr/bin/mke2fs -q -t ext4 -L crashes DEVICE; echo "guest: fs=$(/usr/bin/blkid -p -o value -s UUID DEVICE)"
"""
SUBVOLUME = """mkfs.btrfs -q -f /dev/nvme0n1; mkdir /mnt; mount -t btrfs /dev/nvme0n1 /mnt
btrfs subvolume create /mnt/crashes; umount /mnt
"""
MD_UUID = "echo \"guest: md=$(mdadm --detail --export /dev/md0 | sed -n 's/MD_UUID=//p')\"; mdadm --stop /dev/md0\n"

REOPEN = LVM + """mdadm --assemble --run /dev/md0 /dev/nvme0n1p1 /dev/nvme0n1p2
lvm vgchange --config "$conf" -ay vg-a; cryptsetup open --key-file /etc/key /dev/vg-a/crash secret
"""

STACKED = [
    Case("lvm", partition=HALVES, disk=1536, targets=("ext4 LABEL=crashes", "assemble lvm:vg-a/crash"), config=("extra_modules nvme",),
         reopen=(LVM + 'lvm vgchange --config "$conf" -ay vg-a', "/dev/vg-a/crash"),
         prepare=VOLUME.replace("DEVICE", "/dev/nvme0n1p1") + MKFS.replace("DEVICE", "/dev/vg-a/crash")),
    Case("md-mirror", partition=HALVES, disk=1536, targets=("ext4 UUID={fs}", "assemble md:{md}"), config=("extra_modules nvme",),
         reopen=("mdadm --assemble --run /dev/md0 /dev/nvme0n1p1 /dev/nvme0n1p2", "/dev/md0"),
         prepare=MIRROR + MKFS.replace("DEVICE", "/dev/md0") + MD_UUID),
    Case("md-degraded", partition=HALVES, disk=1536, targets=("ext4 UUID={fs}", "assemble md:{md}", "target_timeout 8"),
         config=("extra_modules nvme",), reopen=("mdadm --assemble --run /dev/md0 /dev/nvme0n1p1", "/dev/md0"),
         prepare=MIRROR.replace("/dev/nvme0n1p2", "missing") + MKFS.replace("DEVICE", "/dev/md0") + MD_UUID),
    Case("btrfs-subvol", target="btrfs", targets=("btrfs /dev/nvme0n1", "subvol crashes"), prepare=SUBVOLUME),
    Case("luks", partition=HALVES, disk=1536, targets=("ext4 /dev/mapper/luks-{luks}", "assemble luks:{luks}", "luks_key {key}"),
         config=("extra_modules nvme",), crashkernel="192M",
         reopen=("cryptsetup open --key-file /etc/key /dev/nvme0n1p1 secret", "/dev/mapper/secret"),
         prepare=SECRET.replace("DEVICE", "/dev/nvme0n1p1") + MKFS.replace("DEVICE", "/dev/mapper/secret")),
    # All of them one on the other. The configuration says nothing of it: arm sees it on the live machine.
    Case("stacked-armed", partition=HALVES, disk=1536, targets=("ext4 UUID={fs}", "luks_key {key}"), arm="--load auto",
         memory=640, crashkernel="224M", reopen=(REOPEN, "/dev/mapper/secret"),
         says="putting together md:[0-9a-f:]+ lvm:vg-a/crash luks:",
         prepare=MIRROR + VOLUME.replace("DEVICE", "/dev/md0") + SECRET.replace("DEVICE", "/dev/vg-a/crash") +
         MKFS.replace("DEVICE", "/dev/mapper/secret"),
         live="mdadm --assemble --run /dev/md0 /dev/nvme0n1p1 /dev/nvme0n1p2\n"
              "lvm vgchange --config 'devices{use_devicesfile=0} activation{udev_sync=0 udev_rules=0}' -ay\n"
              "cryptsetup open --key-file /etc/key /dev/vg-a/crash secret\n"),
]

# Where stacks are hard to follow, on each kernel: in a module, an interrupt on the way, that of another CPU, a softirq, an exception
# because there is no room left; in a system call the pairs do it, but for the one that captures itself.
STACKS = [Case(f"stacks-{crashed}-{crash}", crashed=crashed, crash=crash, stacks=True)
          for crashed in ("6.1", "6.12", "7") for crash in ("oops", "timer", "ipi", "overflow")]
STACKS += [Case(f"stacks-5.10-{crash}", crashed="5.10", cpu="qemu64", crash=crash, stacks=True)
           for crash in ("sysrq", "oops", "timer", "ipi", "overflow")]

GDB = [Case("gdb-200-tasks", tasks=200)]

# Of what the memory holds and how it is reached somebody must have a second opinion: the crosscheck, where no oracle has one.
MEMORY = [case if case.oracle or case.memory > 4096 else dataclasses.replace(case, crosscheck=True) for case in CRASHES + MACHINES + PAIRS + SOURCES]

# Where a dump goes, how it ends and what stacks it has depends on no more than is written by default; large files on each filesystem.
ANYWHERE = [case if case.oracle or case.target in ("xfs", "btrfs", "vfat") else dataclasses.replace(case, config=case.config + DEFAULT_LEVEL)
            for case in TARGETS + ARMED + ACTIONS + STACKS + STACKED]

CASES = GDB + LISTINGS + SELECTION + FORMATS + MEMORY + ANYWHERE + FAULTS
