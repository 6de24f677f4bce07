# SPDX-License-Identifier: GPL-2.0-or-later
"""
A small installed Debian system of the machine's own suite, with kdump-tools as its users have it, for a machine under test to boot:
a tar file in build/cache/, made once from the mirror. The kernel is the one that other tests use; kdump-tools' initramfs
is built in the chroot, where its own first boot would take minutes to do it under emulation.
"""

import os
import pathlib
import subprocess

from lib.debian import KEYRING, Unavailable, last_error, mirror_uris
from lib.fetch_kernels import fetch_kernel, locked, say
from lib.paths import CACHE

PACKAGES = ("systemd", "systemd-sysv", "udev", "kmod", "procps", "kdump-tools", "kexec-tools", "makedumpfile", "initramfs-tools",
            "zstd", "libelf1")
MODULES = ("virtio_pci", "virtio_blk", "ext4")

# Runs in the chroot: what the packages of a kernel do when they are installed. There is no root disk to look at: MODULES=list.
# kdump-tools takes an initramfs without its copy of the sysctls for an old one.
SETUP = """set -e
sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf
for module in {modules}; do echo $module; done >> /etc/initramfs-tools/modules
depmod {version}
/etc/kernel/postinst.d/kdump-tools {version}
test -f /var/lib/kdump/initrd.img-{version}
cp /etc/kdump/sysctl.conf /var/lib/kdump/latest_sysctls-{version}
"""


def suite():
    release = dict(line.strip().split("=", 1) for line in open("/etc/os-release", encoding="utf-8") if "=" in line)
    if release.get("ID") != "debian":
        raise Unavailable("this machine is no Debian: no root of its own suite")
    return release["VERSION_CODENAME"]


def root_tar(kernel_name):
    """The tar file of the system with a kernel of fetch_kernels.py; what is there stays as it was fetched first."""
    kernel = fetch_kernel(kernel_name)
    tar = CACHE / "roots" / f"kdump-tools-{suite()}-{kernel.version}.tar"
    with locked():
        if not tar.exists():
            say(f"{', '.join(PACKAGES)} of {suite()} (two minutes)")
            tar.parent.mkdir(parents=True, exist_ok=True)
            build(kernel, tar)
    return tar


def build(kernel, tar):
    archive, security = mirror_uris()
    sources = [f"deb [signed-by={KEYRING}] {archive} {suite()} main"]
    if security:
        sources.append(f"deb [signed-by={KEYRING}] {security} {suite()}-security main")
    setup = SETUP.format(version=kernel.version, modules=" ".join(MODULES))
    unfinished = tar.with_suffix(".tmp.tar")
    argv = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}",
            "--aptopt=Acquire::Retries \"3\"", "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            f"--customize-hook=tar -C '{kernel.root}' -c boot lib/modules usr/lib/modules | tar -C \"$1\" -x --keep-directory-symlink",
            f"--customize-hook=chroot \"$1\" sh -c '{setup}'", suite(), str(unfinished), *sources]
    run = subprocess.run(argv, capture_output=True, text=True, env=dict(os.environ, LC_ALL="C"))
    if run.returncode:
        unfinished.unlink(missing_ok=True)
        raise Unavailable(f"mmdebstrap: {last_error(run.stderr)}")
    unfinished.rename(tar)


def unpack(tar, root):
    root.mkdir()
    subprocess.run(["tar", "-C", root, "-xf", tar, "--exclude=./dev/*", "--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/lists/*"],
                   check=True)


def install_program(root, program, path):
    """A program of the host, with the libraries that the system lacks."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["install", "-m", "755", program, target], check=True)
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for library in (word for word in listing.split() if word.startswith("/")):
        inside = root / pathlib.Path(library).relative_to("/")
        if not inside.exists():
            inside.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-L", library, inside], check=True)
