# SPDX-License-Identifier: GPL-2.0-or-later
"""
kcapture in the place of makedumpfile, as the users of Debian's kdump-tools have it: an installed system whose
/usr/bin/makedumpfile is diverted to kcapture boots, loads its capture kernel, crashes, and saves with kdump-tools' own
scripts and defaults (makedumpfile -F -c -d 31, makedumpfile --dump-dmesg). The diverted makedumpfile dumps the same
/proc/vmcore once more, to compare with.
"""

import re
import subprocess

from e2e import scenario
from lib import debian_root, kdump, readers
from lib.disk import MIB, Disk
from lib.fetch_kernels import fetch_kernel, fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import Failure, expect
from lib.vm import VM, Timeout, steady

KERNEL = "6.1"

CRASH_UNIT = """[Unit]
After=kdump-tools.service
Requires=kdump-tools.service
[Service]
Type=oneshot
StandardOutput=tty
ExecStart=/bin/sh -c 'echo "guest: loaded $(cat /sys/kernel/kexec_crash_loaded)"; sync; echo c > /proc/sysrq-trigger'
[Install]
WantedBy=multi-user.target
"""

# In the capture kernel, before kdump-tools saves: what the real one makes of this crash, and kcapture by the command line that
# kdump.conf has by default.
PEER_DUMP = """[Service]
ExecStartPre=/bin/sh -c 'makedumpfile.distrib -F -c -d 31 /proc/vmcore > /var/peer.flat 2> /dev/null'
ExecStartPre=/usr/bin/makedumpfile -l --message-level 7 -d 31 /proc/vmcore /var/vmcore-incomplete
"""


def install(root):
    """Divert makedumpfile, put kcapture there, and let the machine crash when kdump is loaded."""
    subprocess.run(["chroot", root, "dpkg-divert", "--local", "--rename", "--add", "/usr/bin/makedumpfile"], check=True,
                   capture_output=True)
    debian_root.install_program(root, KCAPTURE, "usr/sbin/kcapture")
    (root / "usr/lib/kcapture").mkdir()
    (root / "usr/lib/kcapture/makedumpfile").symlink_to("../../sbin/kcapture")
    (root / "usr/bin/makedumpfile").symlink_to("/usr/lib/kcapture/makedumpfile")
    (root / "etc/hostname").write_text("crashbox\n")
    (root / "etc/fstab").write_text("/dev/vda / ext4 rw 0 1\n")
    units = root / "etc/systemd/system"
    (units / "crash.service").write_text(CRASH_UNIT)
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants/crash.service").symlink_to("../crash.service")
    (units / "kdump-tools-dump.service.d").mkdir()
    (units / "kdump-tools-dump.service.d/peer.conf").write_text(PEER_DUMP)
    # Nobody logs in, and waiting for terminals and time costs minutes under emulation.
    for unit in ("getty@tty1.service", "serial-getty@ttyS0.service", "systemd-timesyncd.service", "apt-daily.timer",
                 "apt-daily-upgrade.timer", "e2scrub_reap.service", "fstrim.timer"):
        (units / unit).symlink_to("/dev/null")


def make_machine(directory):
    """(disk, initramfs) of the installed system."""
    kernel, root = fetch_kernel(KERNEL), directory / "root"
    debian_root.unpack(debian_root.root_tar(KERNEL), root)
    install(root)
    initrd = directory / "initrd.img"
    subprocess.run(["cp", root / f"var/lib/kdump/initrd.img-{kernel.version}", initrd], check=True)
    disk = Disk(directory / "root.img", 2048 * MIB, "virtio-blk")
    disk.create()
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-d", root, disk.path], check=True, capture_output=True)
    subprocess.run(["rm", "-rf", root], check=True)
    return disk, initrd


def crash(directory, disk, initrd):
    append = "root=/dev/vda rw console=ttyS0 crashkernel=256M quiet systemd.show_status=0 random.trust_cpu=on " + steady()
    args = ["-kernel", str(fetch_kernel(KERNEL).vmlinuz), "-initrd", str(initrd), "-append", append, *disk.qemu_args()]
    with VM(directory / "serial.log", args, 1024, 2) as vm:
        try:
            vm.wait_for("guest: loaded 1")
            vm.wait_end()
        except Timeout as timeout:
            raise Failure(f"{timeout}; the last line was: {scenario.last_line(vm)}") from None
    return vm


def check(directory):
    disk, initrd = make_machine(directory)
    vm = crash(directory, disk, initrd)
    disk.repair()
    files = disk.files("/var")
    found = {name: [path for path in files if re.fullmatch(rf"/var/crash/(\d{{12}})/{name}\.\1", path)] for name in ("dump", "dmesg")}
    expect(all(len(paths) == 1 for paths in found.values()), f"kdump-tools saved {sorted(path for path in files if '/crash/' in path)}")
    for name, path in (("dump", found["dump"][0]), ("dmesg", found["dmesg"][0]), ("peer", "/var/peer.flat"),
                       ("lzo", "/var/vmcore-incomplete")):
        disk.extract(path, directory / {"dmesg": "dmesg.txt", "lzo": "lzo.kdump"}.get(name, f"{name}.flat"))
    text = vm.text()
    for wanted in ("saved dmesg content in", "saved vmcore in"):
        expect(wanted in text, f"kdump-tools does not say {wanted!r}")
    expect("sysrq triggered crash" in (directory / "dmesg.txt").read_text(errors="replace"), "no panic in the dmesg")
    return f"{same_dump(directory)} pages"


def same_dump(directory):
    """The real makedumpfile puts both streams together: the same pages with the same bytes, and crash and drgn open ours."""
    for name in ("dump", "peer"):
        run = subprocess.run(f"makedumpfile -R '{directory}/{name}.kdump' < '{directory}/{name}.flat'", shell=True,
                             capture_output=True, text=True)
        expect(run.returncode == 0, f"makedumpfile -R of {name}: {(run.stdout + run.stderr).strip()[-200:]}")
    # kexec_load's copy of low memory ends in the middle of a page: makedumpfile drops that page, kcapture keeps what is there.
    pages = min(kdump.same(directory / name, directory / "peer.kdump", more=(0x9f,)) for name in ("dump.kdump", "lzo.kdump"))
    expect(pages > 1000, f"{pages} pages are hardly any")
    vmlinux = fetch_vmlinux(KERNEL)
    code, text = readers.crash(directory / "dump.kdump", vmlinux, "sys", "bt")
    (directory / "crash.txt").write_text(text)
    expect(code == 0 and "sysrq_handle_crash" in text, "crash does not show the panic")
    code, text = readers.drgn(directory / "dump.kdump", vmlinux)
    expect(code == 0 and "sysrq_handle_crash" in text, f"drgn: {text.strip()[-200:]}")
    return pages
