#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Fetch Debian kernels by package name into build/cache/kernels/NAME/: root/ (the modules and the kernel as they lie on
an installed system, depmod run), meta (version, kernel path), and on demand vmlinux (DWARF, from the -dbg package) and
headers/ (to build a module). What is present stays as it is; a new tree appears whole, by rename, under a lock.
"""

import argparse
import contextlib
import dataclasses
import fcntl
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lib.debian import Suite, Unavailable, unpack
from lib.paths import CACHE, TESTS

# name: (suite, meta package that depends on the newest kernel, or the kernel's own). Of 5.10 it is the last point release's:
# the archive no longer has debug symbols of the later ones.
KERNELS = {
    "5.10": ("bullseye", "linux-image-5.10.0-32-cloud-amd64"),
    "6.1": ("bookworm", "linux-image-cloud-amd64"),
    "6.1-generic": ("bookworm", "linux-image-amd64"),
    "6.12": ("trixie", "linux-image-cloud-amd64"),
    "7": ("sid", "linux-image-cloud-amd64"),
}
KERNEL_PARTS = r"linux-(image|base|binary|modules)-[0-9].*"
HEADER_PARTS = r"linux-(headers|kbuild)-[0-9].*"


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One kernel in the cache."""
    name: str
    version: str        # as uname -r says
    deb_version: str
    vmlinuz: pathlib.Path

    @property
    def dir(self):
        return CACHE / "kernels" / self.name

    @property
    def root(self):
        return self.dir / "root"


@contextlib.contextmanager
def locked():
    """One fetch at a time, over all processes."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def staging(directory):
    """A scratch directory beside the final place, removed afterwards whatever happens."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".tmp-") as tmp:
        yield pathlib.Path(tmp)


def say(text):
    print(f"fetch: {text}", file=sys.stderr, flush=True)


def load(name):
    """The kernel from the cache, None when it is not there."""
    directory = CACHE / "kernels" / name
    try:
        meta = dict(line.split("=", 1) for line in (directory / "meta").read_text().splitlines())
    except FileNotFoundError:
        return None
    return Kernel(name, meta["version"], meta["deb_version"], directory / "root" / meta["vmlinuz"])


def one(paths, what):
    paths = list(paths)
    if len(paths) != 1:
        raise Unavailable(f"{what}: {len(paths)} of them, not one")
    return paths[0]


def fetch_kernel(name):
    """The kernel from the cache, fetched first when it is not there. Who needs no fetch waits for nobody's."""
    if kernel := load(name):
        return kernel
    with locked():
        if kernel := load(name):
            return kernel
        suite_name, package = KERNELS[name]
        suite = Suite(suite_name)
        suite.update()
        versions = suite.closure(package, KERNEL_PARTS)
        if not re.fullmatch(KERNEL_PARTS, package):
            del versions[package]
        say(f"{name}: {' '.join(sorted(versions))} from {suite_name}")
        with staging(CACHE / "kernels") as tmp:
            root = tmp / name / "root"
            (root / "usr" / "lib").mkdir(parents=True)
            (root / "lib").symlink_to("usr/lib")
            for deb in suite.download(versions, tmp / "debs"):
                unpack(deb, root, ["./boot/vmlinuz-*", "./boot/config-*", "./lib/modules/*", "./usr/lib/modules/*"])
            write_meta(tmp / name, max(versions.values()))
            (tmp / name).rename(CACHE / "kernels" / name)
        return load(name)


def write_meta(directory, deb_version):
    """Find out what was unpacked, complete it as the package's own scripts would, and write it down."""
    root = directory / "root"
    version = one((root / "lib" / "modules").iterdir(), "module directories").name
    candidates = (root / "boot" / f"vmlinuz-{version}", root / "usr" / "lib" / "modules" / version / "vmlinuz")
    vmlinuz = one((path for path in candidates if path.is_file()), "kernel images")
    subprocess.run(["depmod", "-b", str(root), version], check=True)
    (directory / "meta").write_text(f"version={version}\ndeb_version={deb_version}\n"
                                    f"vmlinuz={vmlinuz.relative_to(root)}\n")


def fetch_vmlinux(name):
    """Path of the kernel's ELF file with DWARF."""
    kernel = fetch_kernel(name)
    vmlinux = kernel.dir / "vmlinux"
    if vmlinux.exists():
        return vmlinux
    with locked():
        if vmlinux.exists():
            return vmlinux
        package = f"linux-image-{kernel.version}-dbg"
        suite = Suite(KERNELS[name][0])
        suite.update()
        require_version(suite, package, kernel)
        say(f"{name}: {package} (some 300 MB; only vmlinux is kept)")
        with staging(kernel.dir) as tmp:
            for deb in suite.download([package], tmp):
                unpack(deb, tmp, ["./usr/lib/debug/*/vmlinux*"])
            found = one((path for path in tmp.glob("usr/lib/debug/**/vmlinux*")
                         if path.is_file() and not path.is_symlink()), f"vmlinux in {package}")
            found.rename(vmlinux)
    return vmlinux


def require_version(suite, package, kernel):
    version = suite.candidate(package)[0]
    if version != kernel.deb_version:
        raise Unavailable(f"{package} is at {version}, the cached kernel at {kernel.deb_version}: "
                          f"remove {kernel.dir} to fetch anew")


def fetch_headers(name):
    """Directory to give to `make -C` for building a module against the kernel."""
    kernel = fetch_kernel(name)
    headers = kernel.dir / "headers"
    build = headers / "usr" / "src" / f"linux-headers-{kernel.version}"
    if headers.exists():
        return build
    with locked():
        if headers.exists():
            return build
        package = f"linux-headers-{kernel.version}"
        suite = Suite(KERNELS[name][0])
        suite.update()
        require_version(suite, package, kernel)
        versions = suite.closure(package, HEADER_PARTS)
        say(f"{name}: {' '.join(sorted(versions))}")
        with staging(kernel.dir) as tmp:
            root = tmp / "headers"
            root.mkdir()
            for deb in suite.download(versions, tmp / "debs"):
                unpack(deb, root, ["./usr/*"])
            borrow_libc(suite, root, headers.resolve(), tmp)
            relocate(root, headers.resolve())
            root.rename(headers)
    return build


def borrow_libc(suite, root, final, tmp):
    """The tools of a newer suite run with that suite's libc and this system's other libraries; an older one's run as they are."""
    reals = [path for pattern in ("scripts/mod/modpost.real-lsb-64", "tools/objtool/objtool.real-x86")
             for path in root.glob(f"usr/lib/linux-kbuild-*/{pattern}")
             if "not found" in subprocess.run(["ldd", path], capture_output=True, text=True).stdout]
    if not reals:
        return
    for deb in suite.download(["libc6"], tmp / "libc"):
        unpack(deb, root, ["./lib/*", "./usr/lib/*"])
    loader = next(path for path in root.glob("**/x86_64-linux-gnu/ld-linux-x86-64.so.2"))
    libraries = final / loader.parent.relative_to(root)
    for real in reals:
        program = real.with_suffix("")      # which only starts the one for its architecture
        program.unlink()
        program.write_text(f"#!/bin/sh\nexec {libraries / loader.name} --library-path {libraries}:"
                           f"/usr/lib/x86_64-linux-gnu {final / real.relative_to(root)} \"$@\"\n")
        program.chmod(0o755)


def relocate(root, final):
    """Debian's header tree names /usr/src and /usr/lib by absolute path: point it at where it is unpacked."""
    for makefile in root.glob("usr/src/linux-headers-*/Makefile"):
        makefile.write_text(re.sub(r"([ =])/usr/", rf"\g<1>{final}/usr/", makefile.read_text()))
    for path in root.glob("usr/src/linux-headers-*/*"):
        if path.is_symlink() and path.readlink().is_absolute():
            target = path.readlink()
            path.unlink()
            path.symlink_to(f"{final}{target}")


def build_module(name):
    """Path of the crash module (tests/e2e/module) built for the kernel."""
    kernel = fetch_kernel(name)
    source = TESTS / "e2e" / "module" / "kcrash.c"
    module = kernel.dir / f"kcrash-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}.ko"
    if module.exists():
        return module
    headers = fetch_headers(name)
    with locked():
        if module.exists():
            return module
        with staging(kernel.dir) as tmp:
            shutil.copy(source, tmp)
            (tmp / "Kbuild").write_text("obj-m := kcrash.o\n")
            run = subprocess.run(["make", f"CC={source.with_name('cc')}", "CONFIG_DEBUG_INFO_BTF_MODULES=", "-C", str(headers), f"M={tmp.resolve()}", "modules"], capture_output=True, text=True)
            if run.returncode:
                raise Unavailable(f"the crash module does not build for {kernel.version}: {run.stderr.strip()[-400:]}")
            (tmp / "kcrash.ko").rename(module)
    return module


def main():
    parser = argparse.ArgumentParser(description="Fetch Debian kernels for the tests into build/cache/kernels/.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(KERNELS)} (default: all)")
    parser.add_argument("--dbg", action="append", default=[], metavar="NAME", help="also vmlinux with DWARF")
    parser.add_argument("--module", action="append", default=[], metavar="NAME", help="also build the crash module")
    args = parser.parse_args()
    unknown = set(args.names + args.dbg + args.module) - set(KERNELS)
    if unknown:
        parser.error(f"no such kernel: {', '.join(sorted(unknown))}")
    failures = 0
    jobs = [(fetch_kernel, name) for name in args.names or ([] if args.dbg or args.module else KERNELS)]
    jobs += [(fetch_vmlinux, name) for name in args.dbg] + [(build_module, name) for name in args.module]
    for job, name in jobs:
        try:
            job(name)
        except Unavailable as error:
            say(f"{name}: {error}")
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
