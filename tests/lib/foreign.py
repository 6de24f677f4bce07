# SPDX-License-Identifier: GPL-2.0-or-later
"""
Programs of other Debian suites, for kernels that the machine's own are too old for: unpacked with the libraries they
need, the C library too, into build/cache/foreign/, and run through their own dynamic loader. Nothing is installed.
"""

from lib.debian import Suite, Unavailable, unpack
from lib.fetch_kernels import locked, say, staging
from lib.paths import CACHE

LIBRARIES = r"(lib|gcc-|zlib).*"


def root_of(package, suite_name):
    """The directory that a package of a suite is unpacked in; it stays as it was fetched first."""
    root = CACHE / "foreign" / f"{package}-{suite_name}"
    with locked():
        if root.exists():
            return root
        suite = Suite(suite_name)
        suite.update()
        versions = suite.closure(package, LIBRARIES)
        say(f"{package} {versions[package]} from {suite_name}")
        with staging(CACHE / "foreign") as tmp:
            (tmp / "root" / "usr" / "lib64").mkdir(parents=True)
            (tmp / "root" / "usr" / "lib").mkdir()
            for link in ("lib", "lib64"):
                (tmp / "root" / link).symlink_to(f"usr/{link}")
            for deb in suite.download(versions, tmp / "debs"):
                unpack(deb, tmp / "root", ["./usr/bin/*", "./usr/sbin/*", "./usr/lib/*", "./usr/lib64/*", "./lib/*", "./lib64/*"])
            (tmp / "root").rename(root)
    return root


def program(package, suite_name="sid", name=""):
    """The argument vector that runs a program of a package, the one named like it if nothing is said."""
    root, name = root_of(package, suite_name), name or package
    found = [path for path in (root / "usr" / "bin" / name, root / "usr" / "sbin" / name) if path.exists()]
    if not found:
        raise Unavailable(f"{package} of {suite_name} has no program {name}")
    lib = root / "usr" / "lib" / "x86_64-linux-gnu"
    return [str(lib / "ld-linux-x86-64.so.2"), "--library-path", str(lib), str(found[0])]


def qemu(suite_name):
    """Another QEMU, with this machine's firmware, which does not care."""
    return [*program("qemu-system-x86", suite_name, "qemu-system-x86_64"), "-L", "/usr/share/qemu", "-L", "/usr/share/seabios"]
