# SPDX-License-Identifier: GPL-2.0-or-later
"""
What runs inside the machines under test. FirstKernel: an initramfs of busybox and kexec-tools that loads the capture
kernel and then crashes as told, talking to the harness by "guest: ..." lines on the serial console. with_oracle():
wraps a capture initramfs so that busybox copies /proc/vmcore raw to a disk before the real /init starts as PID 1.
"""

import dataclasses
import functools
import lzma
import pathlib
import re
import shutil
import subprocess

from lib.cpio import Archive

HOSTNAME = "crashbox"
NETWORK_MODULES = ("virtio_pci", "virtio_net", "af_packet", "ipv6")
IPCONFIG = "/usr/lib/klibc/bin/ipconfig"
BUSYBOX = "/bin/busybox"

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/usr/bin:/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null
# What was packed for /tmp, as where this tree lies there, stays.
mkdir -p /tmp /new; mount -t tmpfs -o size=90% tmp /new; cp -a /tmp/. /new; mount --move /new /tmp; rmdir /new
. /guest.conf
hostname "$HOSTNAME"
say() { read up rest < /proc/uptime; echo "guest: $* [uptime $up]"; }
say "up, kernel $(uname -r), $(nproc) CPUs"
[ "$DIRTY" = 0 ] || {
    # Three quarters of the memory in tmpfs files, the rest in the heap of a process that stays.
    # What memory is made of: noise, programs, text; shifted each time, for whoever finds equal pages would find only those.
    (head -c 256k /dev/urandom; head -c 256k /bin/busybox; head -c 512k /proc/kallsyms) > /tmp/seed; tail -c 64k /tmp/seed > /tmp/text
    n=0; while [ $n -lt $((DIRTY * 3 / 4)) ]; do (head -c $((n * 7 + 1)) /tmp/seed; cat /tmp/seed) > /tmp/f$n; n=$((n + 1)); done
    hold='n=0; while [ $n -lt $0 ]; do eval "x$n=\\$( (head -c $((n * 7 + 1)) /tmp/text; cat /tmp/seed) | tr -d \\"\\\\0\\")"; n=$((n + 1)); done; : > /tmp/held; sleep 1000; :'
    sh -c "$hold" $((DIRTY / 4)) &
    until [ -e /tmp/held ]; do sleep 0.1; done
    say "dirtied $DIRTY MiB"
}
sleep 1000 &
n=0; while [ $n -lt $TASKS ]; do sleep 1000 & n=$((n + 1)); done
[ -z "$HEADER" ] || {
    insmod /kcrash.ko header=$HEADER
    address=$(dmesg | sed -n 's/.*kcrash: header at //p')
    APPEND="$APPEND elfcorehdr=$address"
}
list() { echo "listing: $1"; cat; echo "listing: end"; }
# What tools say of a core is held against what the kernel itself said right before.
listings() {
    for module in $(cat /listed/order); do insmod /listed/$module; done
    [ ! -e /kcrash.ko ] || insmod /kcrash.ko mode=locks
    ip link set lo up; ip link set dummy0 up; ip addr add 192.0.2.7/24 dev dummy0; ip addr add 2001:db8::7/64 dev dummy0
    mkdir "/tmp/a b" /tmp/sub; mount -t tmpfs -o ro,noexec,nosuid,size=1m "some name" "/tmp/a b"; mount --bind /tmp/sub /tmp/sub
    sh -c 'exec sleep 999' & until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.1; done
    list release < /proc/sys/kernel/osrelease
    list modules < /proc/modules
    grep "\\[dummy\\]" /proc/kallsyms | list kallsyms
    list mounts < /proc/mounts
    list interrupts < /proc/interrupts
    ip -o addr | list addresses
    dmesg -r | sed -n 10,70p | list levels
    cat /proc/[0-9]*/task/[0-9]*/stat 2>/dev/null | list tasks
}
# What status says as it is, with another configuration, and after somebody has interrupted arm in the middle of kexec.
statuses() {
    kcapture status; say "status of it"
    echo "# more" >> /etc/kcapture.conf; kcapture status; say "status of a changed one"
    mkdir /fake; printf '#!/bin/sh\nkill $PPID; sleep 9\n' > /fake/kexec; chmod 755 /fake/kexec
    PATH=/fake:$PATH kcapture arm --init /usr/lib/kcapture/init $ARM
    kcapture status; say "status of an unknown one"
}
arm() {
    [ -z "$ARM" ] || { kcapture status; kcapture arm --init /usr/lib/kcapture/init $ARM && statuses; return; }
    kexec -p $LOAD /capture/vmlinuz --initrd=/capture/initrd --append="$APPEND"
}
dry() {
    kcapture arm --dry-run --init /usr/lib/kcapture/init --config /dry.conf 2>&1 | sed "s/^/dry run: /"
    say "dry run"
}
# What arm says of network targets that are not as they should be.
dry_runs() {
    conf=/etc/kcapture.conf; echo "another key that nobody knows" > /wrong.key
    cp $conf /dry.conf; dry
    grep -v ^key $conf > /dry.conf; dry
    sed "s,^key.*,key /wrong.key," $conf > /dry.conf; dry
    sed "s/crash-receiver/no-such-host/" $conf > /dry.conf; dry
    (cat $conf; echo "net 52:54:00:00:00:99 dhcp") > /dry.conf; dry
    sed "s/^tcp crash-receiver:.*/tcp crash-receiver:1/" $conf > /dry.conf; dry
}
[ -z "$NET" ] || {
    for module in $(cat /net/order); do insmod /net/$module; done
    ip link set lo up; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0
    echo "10.0.2.2 crash-receiver" > /etc/hosts
    sleep 1; dry_runs
}
[ ! -f /live.sh ] || {
    for module in $(cat /live/order); do insmod /live/$module; done
    mkdir -p /run/lock/lvm /run/cryptsetup; export DM_DISABLE_UDEV=1 MDADM_NO_UDEV=1
    . /live.sh
}
arm && [ "$(cat /sys/kernel/kexec_crash_loaded)" = 1 ] || { say "arming failed"; sleep 1; poweroff -f; }
say "armed"
[ -z "$LISTINGS" ] || listings
[ ! -f /before ] || . /before
[ -z "$SYSCTL" ] || sysctl -q -w $SYSCTL
say "crashing by $CRASH"
case $CRASH in
sysrq)    echo c > /proc/sysrq-trigger ;;
cpu*)     taskset -p $(printf %x $((1 << ${CRASH#cpu}))) $$ > /dev/null; echo c > /proc/sysrq-trigger ;;
nmi)      sleep 1000 ;;
irqsoff)  insmod /kcrash.ko mode=irqsoff & sleep 1000 ;;
# The interrupted CPU idles, and is not the first: without NT_PRPSINFO (elfcore/idle_notes.h) gdb takes it for the first.
ipi)      taskset -p 1 $$ > /dev/null; insmod /kcrash.ko mode=ipi ;;
*)        insmod /kcrash.ko mode=$CRASH; sleep 1000 ;;
esac
say "still alive"; sleep 1000
"""

ORACLE_INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null
for module in MODULES; do /bin/busybox insmod $module; done
n=0; while [ ! -b DISK ] && [ $n -lt 100 ]; do /bin/busybox usleep 100000; n=$((n + 1)); done
echo "oracle: vmcore $(/bin/busybox stat -c %s /proc/vmcore) bytes"
/bin/busybox dd if=/proc/vmcore of=DISK bs=1M conv=fsync && echo "oracle: done"
/bin/busybox umount /dev; /bin/busybox umount /proc
FINALLY
"""


@dataclasses.dataclass
class FirstKernel:
    """What the first kernel's user space does; the names are the variables of guest.conf."""
    crash: str = "sysrq"            # sysrq, cpuN, oops, softlockup, irqsoff (then NMI), nmi
    load: str = "-s"                # kexec -s or -c
    append: str = ""                # capture kernel command line
    sysctl: str = ""
    dirty: int = 0                  # MiB of memory to fill
    tasks: int = 0                  # to start, which sleep
    header: str = ""                # bad elfcorehdr to make: truncated, phnum, notes, memsz
    arm: str = ""                   # options of `kcapture arm`, which then does it
    listings: bool = False          # load modules, and print what the kernel says of itself
    net: bool = False               # load network modules, have an address, and make dry runs of arm

    def image(self, vmlinuz, capture_initrd, module=None):
        archive = Archive()
        archive.file("init", INIT, 0o755)
        archive.file("guest.conf", "".join(f'{key}="{value}"\n' for key, value in (
            ("HOSTNAME", HOSTNAME), ("CRASH", self.crash), ("LOAD", self.load), ("APPEND", self.append),
            ("SYSCTL", self.sysctl), ("DIRTY", self.dirty), ("TASKS", self.tasks), ("HEADER", self.header), ("ARM", self.arm),
            ("LISTINGS", self.listings or ""), ("NET", self.net or ""))))
        archive.copy(vmlinuz, "capture/vmlinuz")
        archive.file("capture/initrd", capture_initrd)
        if module:
            archive.copy(module, "kcrash.ko")
        return base_image() + archive.image()


def add_program(archive, name):
    """A program of the host with the libraries it needs."""
    path = shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")
    archive.copy(path, f"usr/bin/{name}")
    add_libraries(archive, path)


def add_libraries(archive, path):
    run = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=True)
    for library in re.findall(r"(/\S+) \(0x", run.stdout):
        archive.copy(library)


@functools.cache
def base_image():
    """busybox and kexec."""
    archive = Archive()
    for directory in ("proc", "sys", "dev", "tmp"):
        archive.directory(directory)
    archive.copy(BUSYBOX, "bin/busybox")
    add_program(archive, "kexec")
    return archive.image()


def installed_system(kernel, kcapture, init, config):
    """What `kcapture arm` finds on a machine where it and the kernel are installed."""
    archive = Archive()
    for program in ("cpio", "gzip"):
        add_program(archive, program)
    archive.copy(kcapture, "usr/bin/kcapture")
    add_libraries(archive, kcapture)
    archive.copy(init, "usr/lib/kcapture/init")
    archive.copy(config, "etc/kcapture.conf", 0o644)
    archive.directory("var/lib")
    boot = kernel.root / "boot"
    modules = kernel.root / "lib" / "modules" / kernel.version
    for path in (kernel.vmlinuz, *boot.glob("config-*"), *modules.glob("modules.*")):
        archive.copy(path, str(path.relative_to(kernel.root)), 0o644)
    return archive.image()


def loadable_modules(kernel, directory, *wanted):
    """Modules that a guest loads, unpacked, and their order."""
    archive, names = Archive(), []
    for path in module_closure(kernel, *wanted):
        data = (kernel.root / path).read_bytes()
        name = path.rsplit("/", 1)[-1].removesuffix(".xz")
        archive.file(f"{directory}/{name}", lzma.decompress(data) if path.endswith(".xz") else data)
        names.append(name)
    archive.file(f"{directory}/order", "\n".join(names) + "\n")
    return archive


def listed_modules(kernel):
    """Those of a guest with listings."""
    return loadable_modules(kernel, "listed", "dummy", "veth").image()


STACK_PROGRAMS = ("mdadm", "lvm", "cryptsetup", "blkid")
STACK_MODULES = ("nvme", "raid1", "dm-mod", "dm-crypt", "xts", "aesni-intel", "algif_skcipher", "ext4", "crc32c_generic")


def stack(kernel, script, key):
    """What a guest needs besides for a stack of block devices that it finds on its disk, and for arming with it as the target."""
    archive = loadable_modules(kernel, "live", *STACK_MODULES)
    # arm takes what may be needed of them, too: other levels, other ciphers.
    paths = {kernel.root / path for path in module_closure(kernel, *STACK_MODULES)}
    for directory in ("drivers/md", "crypto", "arch/x86/crypto"):
        paths.update((kernel.root / "lib/modules" / kernel.version / "kernel" / directory).rglob("*.ko*"))
    for path in sorted(paths):
        archive.copy(path, str(path.relative_to(kernel.root)), 0o644)
    for program in STACK_PROGRAMS:
        add_program(archive, program)
    archive.file("live.sh", script)
    for place in ("etc/key", str(key).lstrip("/")):
        archive.copy(key, place, 0o600)
    return archive.image()


def network(kernel, key):
    """What a guest needs besides for a live interface and for arming a tcp target: modules, ipconfig, the key."""
    archive = loadable_modules(kernel, "net", *NETWORK_MODULES)
    for path in module_closure(kernel, *NETWORK_MODULES):
        archive.copy(kernel.root / path, path, 0o644)
    archive.copy(IPCONFIG)
    for library in pathlib.Path("/lib").glob("klibc-*.so"):
        archive.copy(library)
    archive.copy(key, str(key).lstrip("/"), 0o600)
    return archive.image()


def busybox_capture(disk, modules=(), kernel_root=None, finally_do="exec /init.kcapture"):
    """A cpio whose /init copies /proc/vmcore to a disk with busybox dd and then does something else."""
    archive = Archive()
    archive.copy(BUSYBOX, "bin/busybox")
    for module in modules:
        archive.copy(kernel_root / module, f"oracle/{module.rsplit('/', 1)[-1]}")
    names = " ".join("/oracle/" + module.rsplit("/", 1)[-1] for module in modules)
    script = ORACLE_INIT.replace("MODULES", names).replace("DISK", disk).replace("FINALLY", finally_do)
    archive.file("init", script, 0o755)
    return archive


def dd_only(disk, **kwargs):
    """A whole capture initramfs that is only the busybox dd: for trying the harness, and for the benchmark."""
    return busybox_capture(disk, finally_do="/bin/busybox reboot -f", **kwargs).image()


def with_oracle(capture_initrd, init, disk, modules=(), kernel_root=None):
    """A capture initramfs whose raw copy of /proc/vmcore comes first; init is the path of the real /init."""
    archive = busybox_capture(disk, modules, kernel_root)
    archive.copy(init, "init.kcapture")
    return capture_initrd + b"\0" * (-len(capture_initrd) % 4) + archive.image()


def module_closure(kernel, *names):
    """Paths below the kernel's root of the modules (dependencies first) that provide names; none for built-ins."""
    paths = []
    for name in names:
        run = subprocess.run(["modprobe", "-d", str(kernel.root), "-S", kernel.version, "--show-depends", name],
                             capture_output=True, text=True, check=True)
        for line in run.stdout.splitlines():
            if line.startswith("insmod "):
                path = line.split()[1].removeprefix(str(kernel.root)).lstrip("/")
                if path not in paths:
                    paths.append(path)
    return paths


PREPARE_INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/usr/bin:/bin DM_DISABLE_UDEV=1 MDADM_NO_UDEV=1
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /run/lock/lvm /run/cryptsetup /tmp
for module in $(cat /modules.list); do insmod /$module; done
n=0; while [ ! -b DISK ] && [ $n -lt 100 ]; do usleep 100000; n=$((n + 1)); done
set -e
trap 'echo "guest: preparing failed"; poweroff -f' EXIT
SCRIPT
sync
trap - EXIT
echo "guest: prepared"
poweroff -f
"""


def prepare_image(kernel, script, programs, modules, disk):
    """An initramfs that runs a script on disks and powers off: for what needs block devices to be made."""
    archive = Archive()
    archive.file("init", PREPARE_INIT.replace("DISK", disk).replace("SCRIPT", script), 0o755)
    paths = module_closure(kernel, *modules)
    archive.file("modules.list", "\n".join(paths))
    for path in paths:
        archive.copy(kernel.root / path, path)
    for program in programs:
        add_program(archive, program)
    archive.file("etc/key", "a key that everybody may know", 0o600)
    return base_image() + archive.image()
