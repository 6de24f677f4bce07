# SPDX-License-Identifier: GPL-2.0-or-later
"""
The same sources on a 32-bit klibc: i386's is unpacked beside the tests, /init is built against it as klcc would, and a
program that runs shows that offsets beyond 4 GiB survive.
"""

import errno
import re
import subprocess

from lib.cpio import Archive
from lib.debian import Suite, unpack
from lib.fetch_kernels import fetch_kernel, locked
from lib.guest import BUSYBOX
from lib.paths import CACHE, REPO
from lib.runner import expect
from lib.vm import VM, steady

SUITE = "bookworm"
FLAGS = ("-D__KLIBC__=2 -D__KLIBC_MINOR__=0 -D_BITSIZE=32 -fno-stack-protector -fwrapv -fno-PIE -fno-builtin-bcmp -fcommon "
         "-mregparm=3 -D_REGPARM=3 -m32 -march=i686 -Os -fomit-frame-pointer -fno-asynchronous-unwind-tables "
         "-nostdinc -iwithprefix include -std=gnu11 -I. -DKCAPTURE_VERSION=\"test\" "
         "-Wall -Wextra -Wno-format-truncation -Wno-clobbered -Werror").split()
INCLUDES = ["-I/usr/include/bearssl", "-Ibuild/klibc/include"]
OF_LIBRARIES = r"br_|SHA256_|OPENSSL_|lzo1x_|libdeflate_|ZSTD_|ssp_init$|_GLOBAL_OFFSET_TABLE_$"
MMAP_PROGRAM = ["tests/unit/klibc_mmap32.c", "src/sys.c"]


def gcc_major():
    return subprocess.run(["gcc", "-dumpversion"], capture_output=True, text=True, check=True).stdout.strip().split(".")[0]


def root():
    """Where i386's klibc, its kernel headers and gcc's 32-bit support library lie."""
    where = CACHE / "klibc-i386"
    with locked():
        if not (where / "done").exists():
            fetch(where)
    return where


def fetch(where):
    where.mkdir(parents=True, exist_ok=True)
    for arch, names in (("i386", ["libklibc-dev", "linux-libc-dev"]), ("amd64", [f"lib32gcc-{gcc_major()}-dev"])):
        suite = Suite(SUITE, arch)
        suite.update()
        for deb in suite.download(names, CACHE / "debs" / f"klibc-{arch}"):
            unpack(deb, where, ["./usr/*"])
    (where / "done").touch()


def compiled(sources, directory):
    """One object file a source."""
    klibc = root() / "usr/lib/klibc"
    includes = [f"-I{klibc}/include/{sub}" for sub in ("arch/i386", "bits32", "")] + INCLUDES
    objects = []
    for source in sources:
        objects.append(directory / (source.replace("/", "_") + ".o"))
        run(["gcc", *FLAGS, *includes, "-c", "-o", objects[-1], source])
    return objects


def link(objects, out, *options):
    """Together with the libraries, as klcc does it."""
    klibc = root() / "usr/lib/klibc"
    libgcc = next((root() / "usr/lib/gcc").glob("*/*/32/libgcc.a"))
    run(["ld", "-m", "elf_i386", *options, "-o", out, klibc / "lib/crt0.o", *objects, "--start-group", klibc / "lib/libc.a",
         libgcc, "--end-group"])
    return out


def run(argv):
    done = subprocess.run([str(arg) for arg in argv], capture_output=True, text=True, errors="replace", cwd=REPO)
    expect(done.returncode == 0, f"{argv[0]} exits {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")
    return done.stdout


def in_machine(program, directory):
    """Not every 64-bit kernel runs 32-bit programs, and QEMU's own Linux of 32 bits cuts such offsets: a kernel that does."""
    archive = Archive()
    archive.copy(BUSYBOX, "bin/busybox")
    archive.copy(program, "program")
    archive.file("init", "#!/bin/busybox sh\n/program /sparse; s=$?; echo; echo \"program: status $s\"; /bin/busybox poweroff -f\n", 0o755)
    (directory / "initrd").write_bytes(archive.image())
    with VM(directory / "serial.log", ["-kernel", str(fetch_kernel("6.1").vmlinuz), "-initrd", str(directory / "initrd"),
                                       "-append", f"console=ttyS0 quiet panic=-1 {steady()}"]) as vm:
        status = vm.wait_for(r"program: status (\d+)")[1]
        expect(status == "0", f"{program.name} exits {status}: {vm.text()}")


def offsets_beyond_4g(directory):
    program = link(compiled(MMAP_PROGRAM, directory), directory / "mmap32", "-static")
    try:
        run([program, directory / "sparse"])
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        in_machine(program, directory)


def init_builds(directory):
    """
    Not run (no 32-bit capture is tested yet), but no source may lose the way to 32 bits. i386's klibc passes arguments
    in registers, which no library of the distribution does: those stay out, and their names open.
    """
    listed = subprocess.run(["make", "-s", "--no-print-directory", "print-init-sources"], capture_output=True, text=True,
                            check=True, cwd=REPO).stdout.split()
    out = link(compiled(listed, directory), directory / "init32", "-r")
    expect(re.search("ELF32", run(["readelf", "-h", out])), "not a 32-bit program")
    missing = [name for name in run(["nm", "-u", "-j", out]).split() if not re.match(OF_LIBRARIES, name)]
    expect(not missing, f"nobody has {' '.join(missing)}")
    return f"{len(listed)} sources"
