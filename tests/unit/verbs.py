# SPDX-License-Identifier: GPL-2.0-or-later
"""The command as such: what it says to wrong use, outputs that `kcapture copy` must not touch, directories to verify."""

import hashlib
import os
import re
import signal
import stat
import struct
import subprocess
import time

from lib.paths import KCAPTURE
from lib.runner import DEADLINE, expect

VERBS = ("arm", "disarm", "status", "initramfs", "info", "dmesg", "bt", "sym", "verify", "dump", "estimate", "copy",
         "receive", "symbols", "struct", "rd", "vtop", "mods", "ps", "mounts", "net", "irqs", "locks")
VERBS += ("report", "gdb", "gdbserver", "drgn", "crash")
WRONG = {
    (): "no verb",
    ("bogus",): '"bogus"',
    ("info",): "missing",
    ("copy", "-xq", "a", "b"): "option -x;",
    ("copy", "--quiet", "-xq", "a", "b"): "option -x;",
    ("copy", "--quiet=3", "a", "b"): "option --quiet=3",
    ("copy", "-d", "32", "a", "b"): '"32"',
    ("copy", "-d"): "-d needs",
    ("dump", "-d", "32", "a", "b"): "(32)",
    ("dump", "-E", "-c", "a", "b"): "ELF",
    ("dump", "a"): "missing",
    ("estimate", "--rate", "0"): '"0"',
    ("estimate", "--rate", "-5"): '"-5"',
    ("estimate", "--rate", "5x"): '"5x"',
    ("copy", "--compress", "lzo", "a", "b"): "ELF",
    ("copy", "--format", "tar", "a", "b"): '"tar"',
    ("copy", "-j", "0", "a", "b"): "\"0\"",
    ("copy", "-R", "a", "-"): "can seek",
    ("copy", "-R", "a", "b", "c"): '"b"',
    ("initramfs",): "-o OUT",
    ("arm", "--load", "bogus"): "bogus",
    ("receive", "--dir", "d"): "--key",
    ("receive", "--quota", "5X"): '"5X"',
}


def run(*argv):
    return subprocess.run([KCAPTURE, *argv], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def wrong_use(directory):
    """Exit code 2, one line that names what is wrong, nothing on stdout; --help is no wrong use."""
    wrong = {**WRONG, **{(verb, "--bogus"): "option --bogus" for verb in VERBS}}
    for argv, wanted in wrong.items():
        done = run(*argv)
        where = "kcapture " + " ".join(argv)
        expect(done.returncode == 2 and not done.stdout, f"{where}: exit code {done.returncode}")
        expect(done.stderr.count("\n") == 1 and wanted in done.stderr, f"{where} says {done.stderr.strip()!r}")
    for verb in VERBS:
        done = run(verb, "--help")
        expect(done.returncode == 0 and done.stdout.startswith(f"usage: kcapture {verb}") and not done.stderr,
               f"kcapture {verb} --help exits {done.returncode}")
    return f"{len(wrong)} wrong uses"


def full_output(directory):
    """Output that went nowhere is no success, output that nobody wanted any more is no failure."""
    for argv in (("--help",), ("info", "--help"), ("copy", "--help"), ("--version",)):
        with open("/dev/full", "w") as full:
            done = subprocess.run([KCAPTURE, *argv], stdout=full, stderr=subprocess.PIPE, text=True)
        expect(done.returncode == 1 and "standard output" in done.stderr, f"kcapture {' '.join(argv)} > /dev/full: {done}")
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([KCAPTURE, *argv], stdout=writer, stderr=subprocess.PIPE, text=True)
        os.close(writer)
        expect(done.returncode == 0 and not done.stderr, f"kcapture {' '.join(argv)} into a closed pipe: {done}")
    return ""


FLAT_HEADER = struct.pack(">16sQQ", b"makedumpfile", 1, 1).ljust(4096, b"\0")


def interrupted(directory):
    """Ctrl-C in the middle: by the signal, and what it leaves is said."""
    for name, unfinished in (("out", "out-incomplete"), ("out.txt", "out-incomplete.txt")):
        interrupt(directory / name, directory / unfinished)


def interrupt(out, left):
    process = subprocess.Popen([KCAPTURE, "copy", "-R", "-", out], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(FLAT_HEADER + struct.pack(">QQ", 0, 1 << 21) + bytes([7]) * (1 << 21))
    process.stdin.write(struct.pack(">QQ", 1 << 21, 1 << 21))                   # whose data does not come
    process.stdin.flush()
    until = time.monotonic() + DEADLINE
    while not (left.exists() and left.stat().st_size) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    code, said = process.wait(), process.stderr.read().decode()
    process.stdin.close()
    expect(code == -signal.SIGINT and f"what was written stays in {left}" in said, f"it ends with {code} and says {said}")
    expect(left.exists() and not out.exists(), f"there is {os.listdir(out.parent)}")


def unfinished(directory):
    """What broke off: kcapture tells its name, makedumpfile gives it the one it was to have, long and with an ending too."""
    link, stream = directory / "makedumpfile", FLAT_HEADER + struct.pack(">QQ", 0, 100) + b"x" * 50
    link.symlink_to(KCAPTURE)
    for name in ("out", "out.txt", "n" * 255, "n" * 251 + ".txt"):
        out = directory / name
        done = subprocess.run([KCAPTURE, "dump", "-R", out], input=stream, capture_output=True)
        left = re.search(r"What could be saved is in (.*)\.\n", done.stdout.decode())
        expect(done.returncode == 1 and left, f"dump -R {name}: {done}")
        expect(os.path.exists(left[1]) and not out.exists() and left[1].endswith(out.suffix), f"{left[1]} is told for {name}")
        done = subprocess.run([link, "-R", out], input=stream, capture_output=True)
        expect(done.returncode == 1 and b"This is an incomplete dumpfile" in done.stdout, f"makedumpfile -R {name}: {done}")
        expect(out.exists() and not os.path.exists(left[1]), f"{name}: it did not get its name")
    done = subprocess.run([link, "-R", directory / ("n" * 256)], input=stream, capture_output=True)
    expect(done.returncode == 1 and b"name too long" in done.stderr, f"a name of 256 characters: {done}")


def refused(source, out, wanted):
    done = run("copy", "--force", source, out)
    expect(done.returncode == 1 and wanted in done.stderr, f"copy to {out}: {done.returncode} {done.stderr.strip()}")


def copy_refuses(directory):
    """What is no place for a core stays what it is, even with --force."""
    core, fifo = directory / "core", directory / "fifo"
    core.write_text("no core, and nobody gets as far as looking")
    os.mkfifo(fifo)
    refused(core, fifo, "neither")
    refused(core, directory, "neither")
    refused(core, core, "same file")
    expect(stat.S_ISFIFO(fifo.stat().st_mode) and sorted(os.listdir(directory)) == ["core", "fifo"], "something was made")
    one, other = directory / "disk", directory / "same-disk"
    try:
        for node in (one, other):
            os.mknod(node, 0o600 | stat.S_IFBLK, os.makedev(250, 99))       # a local number: no driver answers
    except PermissionError:
        return "no right to make device nodes"
    refused(one, other, "same file")
    return ""


def verify_directory(directory):
    """What has changed, is missing, unfinished or named by no sum is said, and the exit code is 1."""
    (directory / "good").write_text("as it was")
    (directory / "changed").write_text("as it was not")
    (directory / "vmcore-incomplete").write_text("half")
    digest = hashlib.sha256(b"as it was").hexdigest()
    (directory / "SHA256SUMS").write_text(f"{digest}  good\n{digest}  changed\n{digest}  gone\n{digest}  ../good\nrubbish\n")
    done = run("verify", directory)
    expect(done.returncode == 1, f"verify exits {done.returncode}")
    for wanted in ("/changed: has changed", "/gone: No such file", "/vmcore-incomplete: was not finished", "no complete core",
                   "a line that is none of sha256sum's", "NOT trustworthy: 6 defects"):
        expect(wanted in done.stdout, f"{wanted!r} is not in {done.stdout}")
    expect("/good" not in done.stdout, f"a good file is blamed: {done.stdout}")
    (directory / "vmcore").write_text("no core")
    (directory / "SHA256SUMS").write_text(f"{digest}  vmcore\n")
    expect("has changed since it was written" in run("verify", directory / "vmcore").stdout, "a changed core is not blamed")
