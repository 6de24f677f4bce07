# SPDX-License-Identifier: GPL-2.0-or-later
"""
What must be true of every capture that did not end well: the kernel log and the notes of the crash are somewhere, that is
where the console says, nothing of it is called a dump that can be trusted, and the machine ended in time.
"""

import base64
import json
import re
import subprocess

from e2e import old_dumps
from lib import elf, guest, kdump, readers
from lib.fetch_kernels import fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import expect

TARGET_WORDS = ("ext4", "xfs", "btrfs", "vfat", "raw", "tcp")
LIMITS = {"target_timeout": 30, "stall_timeout": 120, "target_limit": 0, "timeout": 0}      # s, the defaults
ENDING_TIME = 10 + 30 + 30          # s: to clean up, to tell the last words, and until a shutdown that hangs is forced
PATIENCE = 30                       # s more: this machine may be a busy one
WATCHDOG_TIME = 30


def limits(lines):
    """(deadline of the whole capture or 0, [each target's limits]) by the configuration, s."""
    defaults, targets, whole = dict(LIMITS), [], 0
    for line in lines:
        word, _, value = line.partition(" ")
        if word in TARGET_WORDS:
            targets.append(dict(defaults))
        elif word == "timeout":
            whole = int(value)
        elif word in LIMITS:
            (targets[-1] if targets else defaults)[word] = int(value)
    return whole, targets


def check_deadline(scenario, vm, start, ending):
    """From the first word of kcapture, or from the last byte that moved, to the ending."""
    if scenario.case.expect == "bitten":
        bite, what = vm.stamp_of("sysrq: Trigger a crash", last=True), "the panic of the capture kernel"
        return expect(vm.ended - bite < WATCHDOG_TIME + PATIENCE, f"{what} was {vm.ended - bite:.0f} s before the end")
    whole, targets = limits(scenario.config_lines())
    moved = vm.stamp_of(r"kcapture: writing.* \d+ %", last=True)
    since = start if moved is None or whole else max(start, moved)
    allowed = sum(target["target_limit"] or target["target_timeout"] + target["stall_timeout"] for target in targets)
    allowed = min(allowed, whole or allowed) + ENDING_TIME + PATIENCE
    end = vm.stamp_of(ending, last=True)
    expect(end - since < allowed, f"it ended {end - since:.0f} s after it could have, {allowed} s are allowed")


def check_notes(scenario, path):
    with elf.Core(path) as core:
        expect(core.nr_prstatus() == scenario.case.smp, f"{path.name}: {core.nr_prstatus()} NT_PRSTATUS notes")
        release = core.vmcoreinfo()["OSRELEASE"]
    expect(release == scenario.crashed.version, f"{path.name}: OSRELEASE is {release}")
    code, said = readers.run(["readelf", "-W", "-n", path])
    expect(code == 0 and said.count("PRSTATUS") == scenario.case.smp, f"readelf -n {path.name}: {said[-300:]}")
    code, said = readers.run([KCAPTURE, "info", path])
    expect(code == 0 and f"kernel       {release}" in said and said.count(" ip 0x") == scenario.case.smp, f"kcapture info {path.name}: {said[-300:]}")


def check_console(scenario, text, panic):
    """The end of the log, and the notes in letters: what says notes_console.h gives them back."""
    shown = re.search("kcapture: the end of the crashed kernel's log:\n(.*)the end of the crashed kernel's log was above", text, re.S)
    expect(shown and panic in shown[1], f"no {panic!r} in the end of the log on the console")
    letters = "".join(re.findall(r"kcapture: notes: (\S+)", text))
    packed, notes = base64.b64decode(letters), scenario.dir / "vmcore-notes"
    run = subprocess.run(["zstd", "-q", "-d"], input=packed, capture_output=True)
    expect(run.returncode == 0, f"the notes on the console: {run.stderr}")
    notes.write_bytes(run.stdout)
    check_notes(scenario, notes)
    return "the log and the notes are on the console"


def copy_directory(scenario, directory):
    """A dump's directory off the target."""
    out = scenario.dir / "remains"
    out.mkdir()
    for path in scenario.dump.files():
        if path.rsplit("/", 1)[0] == directory:
            scenario.dump.extract(path, out / path.rsplit("/", 1)[1])
    return out


def check_directory(scenario, directory, panic):
    """The dump's directory as it came off the target or lies at the receiver."""
    names = sorted(path.name for path in directory.iterdir())
    expect("vmcore-dmesg.txt" in names and "vmcore-notes" in names, f"{directory} holds {names}")
    expect(panic in (directory / "vmcore-dmesg.txt").read_text(errors="replace"), f"no {panic!r} in vmcore-dmesg.txt")
    check_notes(scenario, directory / "vmcore-notes")
    expect("vmcore" not in names, f"{directory} has a vmcore after a failure")
    run = subprocess.run([KCAPTURE, "verify", directory], capture_output=True, text=True)
    expect(run.returncode == 1, f"kcapture verify trusts what is left: {run.stdout}{run.stderr}")
    part = directory / "vmcore-incomplete"
    if part.exists() and part.stat().st_size:
        check_part(part)
    return names


def check_part(path):
    """The beginning of a core says that it is no more than that."""
    with open(path, "rb") as file:
        magic = file.read(4)
    if magic == b"KDUM":
        expect(kdump.Dump(path).status & kdump.INCOMPLETE, f"{path} is not marked incomplete")
    else:
        with elf.Core(path) as core:
            expect(core.flags & elf.E_FLAGS_INCOMPLETE, f"{path} is not marked incomplete")
    run = subprocess.run([KCAPTURE, "verify", "-q", path])
    expect(run.returncode == 1, f"kcapture verify trusts {path}")


def check_partial(directory, text):
    """The disk was full, or the time over: everything is there but the end of the core."""
    names = {path.name for path in directory.iterdir()}
    expect({"vmcore-incomplete", "kcapture.log", "crash.json"} <= names, f"of a dump that ended early there is {names}")
    dump = json.loads((directory / "crash.json").read_text())["dump"]
    killed = re.search("FAILED: (not done|no byte)", text)
    expect(dump["status"] == ("saving" if killed else "failed"), f"crash.json: {dump}")
    said = (directory / "kcapture.log").read_text(errors="replace")
    expect("saving to" in said, f"kcapture.log says {said[:200]}")
    if "vmcore failed: No space" in text:
        code, said = readers.run([KCAPTURE, "info", directory / "vmcore-incomplete"])
        expect(code == 0 and "STATUS=incomplete 28" in said and "HOLES=" in said, f"kcapture info: {said[-300:]}")


DRGN_SCRIPT = """
import drgn
program = drgn.Program()
program.set_core_dump({core!r})
print("release", program["UTS_RELEASE"].string_().decode())
"""


def check_readers(scenario, core, panic):
    """Each opens a core without its end: headers, notes, registers, and the log where the reader has a way to it."""
    vmlinux = fetch_vmlinux(scenario.case.crashed)
    for argv in (("readelf", "-W", "-h", "-l", "-n"), ("eu-readelf", "-h", "-l", "-n")):
        code, said = readers.run([*argv, core])
        expect(code == 0 and "PRSTATUS" in said, f"{argv[0]}: {said[-300:]}")
    said = readers.gdb(core, vmlinux, "info threads", "thread apply all info registers rip")
    expect(len(re.findall(r"^rip +0xffffffff", said, re.M)) == scenario.case.smp, f"gdb: {said[-300:]}")
    code, said = readers.run(["crash", "-s", "--minimal", "--no_modules", vmlinux, core], stdin="log\nquit\n")
    expect(code == 0 and panic in said, f"crash: {said[-300:]}")
    code, said = readers.run(["/usr/bin/python3", "-c", DRGN_SCRIPT.format(core=str(core))])
    expect(code == 0 and f"release {scenario.crashed.version}" in said, f"drgn: {said[-300:]}")
    # makedumpfile needs the struct pages of all memory, and those lie at its end
    code, said = readers.run([KCAPTURE, "dmesg", core])
    expect(code == 0 and panic in said, f"kcapture dmesg: {said[-300:]}")


def check(scenario, vm, text, panic, ending):
    """All of it, after anything but a dump that was saved; a remark."""
    case = scenario.case
    start = vm.lines[scenario.first_line_of_capture(vm)][0]
    check_deadline(scenario, vm, start, ending)
    if case.direct or case.elfcorehdr or case.header:
        return ""                   # no crash, or none whose header says where anything is
    if case.efi:
        check_variable(scenario.variables, panic)
    if case.target == "raw" and not case.corrupt:
        check_raw(scenario)
    said = re.search(r"what there is of the crash is in (\S+)", text) or re.search("saved the log and the notes.* in (\S+)", text)
    if case.expect != "bitten" and not said:
        return check_console(scenario, text, panic)
    if case.expect == "bitten":
        expect("kcapture: saved " not in text, "a part of a dump was called saved")
    return check_disk(scenario, text, said and said[1], panic)


def check_variable(variables, panic):
    """The firmware keeps the last words over the reset, under their name."""
    flash = variables.read_bytes()
    at = flash.find("KcaptureLastCrash".encode("utf-16-le"))
    expect(at >= 0 and panic.encode() in flash[at:at + 512], f"no variable with {panic!r} in the firmware")


def check_raw(scenario):
    """A raw device holds a part of a core that says so, or nothing that is taken for one."""
    image = scenario.target.path
    with open(image, "rb") as file:
        file.seek(scenario.target.offset)
        magic = file.read(4)
    if magic == b"\x7fELF":
        check_part(image)


def check_disk(scenario, text, place, panic):
    if scenario.dump is scenario.target:
        scenario.target.repair()
    old = [old_dumps.name(scenario, minutes) for minutes in scenario.case.old]
    found = {path.rsplit("/", 1)[0] for path in scenario.dump.files()
             if re.match(rf"({guest.HOSTNAME}|localhost)-\d", path.split("/")[-2]) and path.split("/")[-2] not in old}
    expect(len(found) == 1, f"directories on the target: {found}")
    directory = found.pop()
    expect(not place or place.endswith(directory), f"the console names {place}, it is {directory}")
    out = copy_directory(scenario, directory)
    check_directory(scenario, out, panic)
    if scenario.case.partial:
        check_partial(out, text)
    if scenario.case.readers:
        check_readers(scenario, out / "vmcore-incomplete", panic)
    return "the log and the notes are on the disk"
