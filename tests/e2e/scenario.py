# SPDX-License-Identifier: GPL-2.0-or-later
"""
One end-to-end case from beginning to end: build the capture image with `kcapture initramfs`, boot the machine, let it
crash and be captured, then hold what the console said and what lies on the target against what the case expects. The
other tests, the benchmark and the demo use its parts.
"""

import datetime
import json
import re
import subprocess

from e2e import armed, machine, old_dumps, remains
from lib import compare_cores, elf, gdb_stacks, gdb_threads, guest, listings, read_back, sparse, stacks
from lib.disk import DRIVERS, MIB, Disk
from lib.fetch_kernels import build_module, fetch_kernel
from lib.paths import INIT, KCAPTURE
from lib.runner import DEADLINE, Failure, expect
from lib.vm import VM, Timeout, steady

PANIC_IN_DMESG = {"sysrq": "sysrq triggered crash", "oops": "kcrash_touch", "softlockup": "softlockup: hung tasks",
                  "nmi": "NMI", "irqsoff": "NMI", "ipi": "kcrash_interrupt", "timer": "kcrash: timer",
                  "overflow": "kcrash_recurse"}
# Where it happened, as crash.json says
PLACES = {"sysrq": r"sysrq_handle_crash\+", "oops": r"kcrash_touch.*\[kcrash\]", "softlockup": r"kcrash_spin.*\[kcrash\]",
          "nmi": ".", "irqsoff": ".", "ipi": r"kcrash_touch.*\[kcrash\]", "timer": r"kcrash_expired.*\[kcrash\]",
          "overflow": r"kcrash_recurse.*\[kcrash\]"}
MODULE_CRASHES = ("oops", "softlockup", "irqsoff", "ipi", "timer", "overflow")
ENDINGS = {"reboot": ("kcapture: rebooting", "reboot: Restarting system"),
           "forced": ("kcapture: rebooting", "sysrq: Resetting"),
           "halt": ("kcapture: halting", "reboot: System halted"),
           "poweroff": ("kcapture: powering off", "reboot: Power down")}
SYSCTL = "kernel.panic_on_oops=1 kernel.unknown_nmi_panic=1 kernel.panic_on_unrecovered_nmi=1"
# Only where that is the crash: under load a CPU of the machine stands still for longer all by itself.
SOFTLOCKUP_SYSCTL = " kernel.softlockup_panic=1 kernel.watchdog_thresh=2"
CAME_UP = "guest: up|kcapture: "    # the first line of the machine's user space
NO_PLACE = "crashkernel reservation failed"     # the first kernel lies, by chance (KASLR), in the middle of a small memory
MEMORY_BAR = 4096                   # KiB of /init's own peak memory


def run_tool(*argv):
    """A program that must succeed silently on stderr; its output."""
    run = subprocess.run([str(arg) for arg in argv], capture_output=True, text=True, errors="replace")
    expect(run.returncode == 0, f"{argv[0]} exits {run.returncode}: {(run.stderr or run.stdout).strip()[-300:]}")
    expect(not run.stderr.strip(), f"{argv[0]} complains: {run.stderr.strip()[-300:]}")
    return run.stdout


def capture_image(kernel, config_lines, directory):
    """The initramfs that kcapture builds for a kernel and a configuration."""
    config, image = directory / "kcapture.conf", directory / "capture.img"
    config.write_text("".join(line + "\n" for line in config_lines))
    run = subprocess.run([KCAPTURE, "initramfs", "--kernel", kernel.version, "--root", kernel.root, "--config", config,
                          "--init", INIT, "-o", image], capture_output=True, text=True)
    expect(run.returncode == 0, f"kcapture initramfs exits {run.returncode}: {run.stderr.strip()[-300:]}")
    return image.read_bytes()


class Scenario:
    """A case with its files in a directory."""
    live_network = False            # the first kernel has an address when it arms

    def __init__(self, case, directory):
        self.case = case
        self.dir = directory
        self.started = datetime.datetime.now(datetime.timezone.utc)
        self.crashed = fetch_kernel(case.crashed)
        self.capture = fetch_kernel(case.capture or case.crashed)
        self.prepared = {}
        self.needs_module = case.crash in MODULE_CRASHES or bool(case.header) or case.listings
        self.target = Disk(directory / "target.img", (case.disk or case.memory + 128) * MIB, case.bus,
                           partition=case.partition, drive_options=self._throttle())
        self.variables = directory / "variables.fd"
        self.dump = self.target         # who tells what lies there: the disk itself, or what was read back from it
        self.oracle = None
        if case.oracle:
            self.oracle = Disk(directory / "oracle.img", (case.memory + 128) * MIB, "virtio-blk" if case.bus == "nvme" else "nvme")

    def _throttle(self):
        throttle = f",throttling.bps-write={self.case.throttle}" if self.case.throttle else ""
        return throttle + (",readonly=on" if self.case.readonly else "")

    def config_lines(self):
        key = self.dir / "key"
        key.write_text("a key that everybody may know")
        lines = [line.format(key=key, **self.prepared) for line in self.case.targets] or [f"{self.case.target} {self.target.place(self.case.by)}"]
        if not any(line.startswith("dump_level") for line in self.case.config):
            lines.append("dump_level 0")
        if self.case.crosscheck:
            lines.append("crosscheck yes")
        for word, script in (("kdump_pre", self.case.pre), ("kdump_post", self.case.post)):
            if script:
                path = self.dir / f"{word}.sh"
                path.write_text(f"#!/bin/busybox sh\n{script}\n")
                path.chmod(0o755)
                lines.append(f"{word} {path}")
        return lines + list(self.case.config)

    def capture_args(self):
        words = ["console=ttyS0", "reset_devices", "nr_cpus=1", "irqpoll", "panic=-1", steady()]
        words += ["iomem=relaxed"] if self.case.relaxed else []
        words += [self.case.args] if self.case.args else []
        words += [f"elfcorehdr={self.case.elfcorehdr}"] if self.case.elfcorehdr else []
        return " ".join(words)

    def make_disks(self):
        self.target.create()
        if self.case.prepare:
            self._prepare()
        elif self.case.target != "raw":
            self.target.format(self.case.target)
        if self.case.symlink:
            self.target.debugfs("symlink /crash /srv/crash", "-w")
        for minutes in self.case.old:
            old_dumps.make(self, minutes)
        if self.case.corrupt:
            with open(self.target.path, "r+b") as image:
                image.seek(4096)
                image.write(b"rubbish " * 8192)
        if self.case.eio:
            self.target.drive = machine.failing_drive(self.target)
        if self.oracle:
            self.oracle.create()

    def _prepare(self):
        """Have a machine make what needs block devices on the target disk (two partitions) and read what it is called."""
        kernel, initrd = self.capture, self.dir / "prepare.img"
        modules = (*guest.STACK_MODULES, *read_back.MODULES[self.case.target])
        programs = (*guest.STACK_PROGRAMS, "mke2fs", "mkfs.btrfs", "btrfs")
        initrd.write_bytes(guest.prepare_image(kernel, self.case.prepare, programs, modules, self.target.device))
        with VM(self.dir / "prepare.log", ["-kernel", str(kernel.vmlinuz), "-initrd", str(initrd), "-append",
                                           f"console=ttyS0 panic=-1 quiet {steady()}", *self.target.qemu_args()], 512, 1) as vm:
            vm.wait_for("guest: prepared")
            vm.wait_end()
            self.prepared = dict(re.findall(r"guest: (\w+)=(\S+)", vm.text()))

    def write_config(self):
        """For a `kcapture arm` that shall find out everything else."""
        (self.dir / "kcapture.conf").write_text("".join(line + "\n" for line in self.config_lines()))
        return b""

    def capture_initrd(self):
        if self.case.live:
            return self.write_config()
        image = capture_image(self.capture, self.config_lines(), self.dir)
        if self.oracle:
            modules = guest.module_closure(self.capture, *DRIVERS[self.oracle.bus])
            image = guest.with_oracle(image, INIT, self.oracle.device, modules, self.capture.root)
        return image

    def first_initrd(self):
        case = self.case
        first = guest.FirstKernel(crash=case.crash, load=case.load, append=self.capture_args(),
                                  sysctl=SYSCTL + (SOFTLOCKUP_SYSCTL if case.crash == "softlockup" else ""),
                                  dirty=case.dirty, tasks=case.tasks, header=case.header, arm=case.arm, listings=case.listings,
                                  net=self.live_network)
        module = build_module(case.crashed) if self.needs_module else None
        image = first.image(self.capture.vmlinuz, self.capture_initrd(), module)
        if case.listings:
            image += guest.listed_modules(self.crashed)
        if case.arm:
            image += guest.installed_system(self.crashed, KCAPTURE, INIT, self.dir / "kcapture.conf")
        if case.live:
            image += guest.stack(self.crashed, case.live, self.dir / "key")
        return image

    def vm(self, prepared=lambda: None):
        """Start the machine; prepared() is called when its disks are made."""
        case = self.case
        self.make_disks()
        prepared()
        self._make_initrd()
        return VM(self.dir / "serial.log", self.vm_args(), case.memory, case.smp, case.cpu)

    def _make_initrd(self):
        image = self.capture_initrd() if self.case.direct else self.first_initrd()
        (self.dir / "initrd.img").write_bytes(image)

    def vm_args(self):
        """QEMU's arguments: kernel, devices and disks."""
        case, initrd = self.case, self.dir / "initrd.img"
        if case.direct:
            append = self.capture_args()
        else:
            append = f"console=ttyS0 crashkernel={case.crashkernel} panic=-1 {steady()} {case.kernel_args}".rstrip()
        args = ["-kernel", str(self.crashed.vmlinuz), "-initrd", str(initrd), "-append", append]
        args += machine.args(case, self.variables)
        for disk in filter(None, (self.target, self.oracle)):
            args += disk.qemu_args()
        return args

    def run(self):
        """Boot, crash, capture; returns the ended VM. One that ran nothing of ours, or could not be armed, is started once more."""
        vm, timeout = self._run_once()
        if not re.search(CAME_UP, vm.text()) or NO_PLACE in vm.text():
            print(f"note {self.case.name}: the machine did not come up, once more; the last line was: {last_line(vm)}", flush=True)
            (self.dir / "serial.log").rename(self.dir / "serial-not-up.log")
            vm, timeout = self._run_once()
        if timeout:
            raise Failure(f"{timeout}; the last line was: {last_line(vm)}")
        return vm

    def _run_once(self):
        """(the ended VM, what it was waited for in vain)."""
        with self.vm() as vm:
            try:
                vm.wait_for(CAME_UP, DEADLINE / 3)
                self._interfere(vm)
                self._wait_for_end(vm)
            except Timeout as timeout:
                return vm, timeout
        return vm, None

    def _interfere(self, vm):
        if self.case.crash in ("nmi", "irqsoff"):
            vm.wait_for("guest: crashing" if self.case.crash == "nmi" else "kcrash: spinning")
            vm.qmp("inject-nmi")
        if self.case.unplug:
            vm.wait_for(r"kcapture: writing.* [1-9]\d ?%")
            vm.qmp("device_del", id=f"dev-{self.target.id}")
        if self.case.stall:
            vm.wait_for(r"kcapture: writing.* [1-9]\d ?%")
            vm.qmp("block_set_io_throttle", device=f"disk-{self.target.id}", bps=0, bps_rd=0, bps_wr=1, iops=0, iops_rd=0, iops_wr=0)

    def _wait_for_end(self, vm):
        if self.case.final == "halt":
            vm.wait_for(ENDINGS["halt"][1])
        else:
            vm.wait_end()

    def first_line_of_capture(self, vm):
        """Index in vm.lines where the capture kernel begins."""
        starts = [index for index, (_, text) in enumerate(vm.lines) if "Linux version" in text]
        expect(len(starts) == (1 if self.case.direct else 2), f"{len(starts)} kernels booted; the last line was: {last_line(vm)}")
        return starts[-1]


def last_line(vm):
    return vm.lines[-1][1] if vm.lines else "nothing"


# What the console must say

def saved_core(text):
    """The match that names where the core was saved, on the console; the log of the dead kernel alone is none."""
    return re.search(r"kcapture: saved ((?:/|tcp:)\S+)", text)


def check_console(scenario, vm):
    case = scenario.case
    if case.arm:
        armed.check(vm)
    lines = [text for _, text in vm.lines[scenario.first_line_of_capture(vm):]]
    text = "\n".join(lines)
    kernel = "\n".join(line for line in lines if "kcapture: " not in line)
    for bad in () if case.expect == "bitten" else ("Kernel panic", "Attempted to kill init", "Oops:", "soft lockup", "blocked for more than"):
        expect(bad not in kernel, f"the capture kernel says {bad!r}")
    expect("kcapture: " in text, "kcapture never spoke")
    if case.expect == "bitten":
        expect(re.search(f"kcapture: .*{case.says}", text), f"the console does not say /{case.says}/")
        expect("kcapture: rebooting" not in text and not saved_core(text), "it ended before the watchdog bit")
        return text
    saved = saved_core(text) or (
        case.expect == "looping" and re.search("kcapture: saved the log and the notes", text)) or (
        case.expect == "called-off" and "kcapture: no dump" in text)
    failed = re.search(r"kcapture: FAILED: (.+)", text)
    expect(saved or failed, "neither saved nor FAILED on the console")
    expect(not (saved and failed), "both saved and FAILED on the console")
    if case.expect == "saved":
        expect(saved, f"not saved: {failed and failed[1]}")
    elif case.expect == "failed":
        expect(failed, f"called saved: {saved and saved[0]}")
    if case.says:
        expect(re.search(rf"kcapture: .*({case.says})", text), f"the console does not say /{case.says}/")
    for wanted in ENDINGS[case.final]:
        expect(wanted in text, f"the console does not say {wanted!r}")
    check_crosscheck(case, text, bool(saved))
    check_memory(text, bool(saved) and case.expect != "called-off", case.memory_bar)
    return text


def check_crosscheck(case, text, saved):
    found = re.findall(r"kcapture: (crosscheck.*): (\d+) pages compared, (\d+) differ", text)
    for what, pages, differ in found:
        expect(int(differ) == 0, f"{what}: {differ} of {pages} pages differ")
    if saved and case.crosscheck and case.expect == "saved":
        expect(any(int(pages) > 1000 for _, pages, _ in found), "the crosscheck compared nothing")


def peak_memory(text):
    """KiB that /init needed: resident, and mapped anonymously besides; None when it does not say."""
    match = re.search(r"kcapture: memory peak (\d+) KiB(?: resident, (\d+) KiB)?", text)
    return int(match[1]) + int(match[2] or 0) if match else None


def check_memory(text, saved, bar):
    peak = peak_memory(text)
    expect(peak is not None or not saved, "no peak memory reported")
    expect(peak is None or peak < bar, f"peak memory of {peak} KiB")


# What must lie on the target

def fetch_core(scenario, text):
    """Get the core off the target: its path on the host, holes kept."""
    out = scenario.dir / "vmcore"
    if scenario.case.target == "raw":
        copy_raw(scenario.target, out)
        run_tool(KCAPTURE, "verify", out)
        return plain(out, on_device=True)
    if scenario.case.target != "ext4" or scenario.case.prepare:
        options = "".join(f",subvol={line.split()[1]}" for line in scenario.config_lines() if line.startswith("subvol "))
        scenario.dump = read_back.read_back(scenario.target, scenario.case.target, scenario.dir, options, scenario.case.reopen)
    files = scenario.dump.files()
    old = [old_dumps.name(scenario, minutes) for minutes in scenario.case.old]
    cores = [path for path in files if re.search(r"/vmcore(-incomplete)?$", path) and path.split("/")[-2] not in old]
    expect(len(cores) == 1, f"{len(cores)} cores on the target: {' '.join(files)}")
    check_directory(scenario, cores[0], files, text)
    scenario.dump.extract(cores[0], out)
    return plain(out)


def plain(core, on_device=False):
    """The ELF core that a dump in another format stands for, in its place; what it was stays beside it."""
    with open(core, "rb") as file:
        magic = file.read(8)
    packed = core.with_suffix(".packed")
    if magic[:4] == b"\x28\xb5\x2f\xfd":
        core.rename(packed)
        if on_device:                   # zstd(1) would miss the end of the file
            run_tool(KCAPTURE, "copy", "-q", packed, core)
        else:
            run_tool("zstd", "-q", "-d", packed, "-o", core)
    elif magic == b"KDUMP   ":
        core.rename(packed)
        run_tool(KCAPTURE, "verify", packed)
        run_tool(KCAPTURE, "copy", "-q", packed, core)
    return core


def copy_raw(disk, out):
    """The core at the beginning of a raw target; its headers say how long it is."""
    with open(disk.path, "rb") as image, open(out, "wb") as core:
        core.truncate(disk.size - 2 * disk.offset)
        sparse.copy_range(image.fileno(), disk.offset, core.fileno(), 0, disk.size - 2 * disk.offset)
    with open(out, "rb") as core:
        if core.read(4) != b"\x7fELF":
            return
    with elf.Core(out) as core:
        end = max(phdr.offset + phdr.filesz for phdr in core.phdrs)
    with open(out, "r+b") as core:
        core.truncate(end)


def check_directory(scenario, path, files, text):
    """PATH/HOST-YYYY-MM-DD-HH:MM:SS/vmcore with mode 0600, and the log beside it."""
    host = guest.HOSTNAME if scenario.case.expect == "saved" else f"(?:{guest.HOSTNAME}|localhost)"
    match = re.fullmatch(rf"(|/.*)/{host}-(\d{{4}}-\d\d-\d\d-\d\d[:-]\d\d[:-]\d\d)/vmcore(-incomplete)?", path)
    expect(match, f"the core is called {path}")
    paths = [line.split()[1] for line in scenario.config_lines() if line.startswith("path ")]
    wanted = "" if scenario.case.symlink else paths[-1] if paths else "/var/crash"
    expect(match[1] == wanted, f"the core is in {match[1]}")
    expect(files[path][0] == 0o600 or scenario.case.target == "vfat", f"{path} has mode {files[path][0]:o}")
    log = path.rsplit("/", 1)[0] + "/kcapture.log"
    expect(log in files, "no kcapture.log beside the core")
    scenario.dump.extract(log, scenario.dir / "kcapture.log")
    said = (scenario.dir / "kcapture.log").read_text(errors="replace")
    expect("capturing the crashed kernel" in said and "saving to" in said and "\0" not in said, f"kcapture.log says: {said[:200]}")
    if scenario.case.expect == "saved":
        dmesg = path.rsplit("/", 1)[0] + "/vmcore-dmesg.txt"
        expect(dmesg in files, "no vmcore-dmesg.txt beside the core")
        scenario.dump.extract(dmesg, scenario.dir / "vmcore-dmesg.txt")
        check_crash_json(scenario, path.rsplit("/", 1)[0])
        check_sums(scenario, path.rsplit("/", 1)[0], files)
    if not match[3]:
        expect(path in text, f"the console does not name {path}")


def check_crash_json(scenario, directory):
    """crash.json tells what happened and how the dump ended; returns it."""
    scenario.dump.extract(f"{directory}/crash.json", scenario.dir / "crash.json")
    told = json.loads((scenario.dir / "crash.json").read_text())
    place = PLACES[re.sub(r"^cpu\d+$", "sysrq", scenario.case.crash)]
    for key, wanted in (("host", guest.HOSTNAME), ("kernel", re.escape(scenario.crashed.version)), ("place", place),
                        ("ip", "0xffffffff[0-9a-f]{8}"), ("signature", "k1-[0-9a-f]{16}"), ("panic", ".")):
        expect(re.match(wanted, told.get(key, "")), f"crash.json: {key} is {told.get(key)!r}")
    expect(told["dump"]["status"] == "complete" and told["dump"]["memory_bytes"] > 0, f"crash.json: {told['dump']}")
    expect(told["cpu"] < scenario.case.smp and told["uptime_s"] >= 0 and told["stack"], "crash.json lacks cpu, uptime or stack")
    return told


def check_sums(scenario, directory, files):
    """SHA256SUMS names every other file, and sha256sum agrees; the core itself is fetched later."""
    sums = scenario.dir / "SHA256SUMS"
    if "checksum no" in scenario.case.config:
        expect(f"{directory}/SHA256SUMS" not in files, "there is a SHA256SUMS that nobody wanted")
        return
    scenario.dump.extract(f"{directory}/SHA256SUMS", sums)
    named = [line.split("  ", 1)[1] for line in sums.read_text().splitlines()]
    there = [path.rsplit("/", 1)[1] for path in files if path.startswith(directory + "/")]
    expect(sorted(named + ["SHA256SUMS"]) == sorted(there), f"SHA256SUMS names {named}, the files are {there}")
    for name in named:
        scenario.dump.extract(f"{directory}/{name}", scenario.dir / name)
    run_tool("env", "-C", scenario.dir, "sha256sum", "--strict", "-c", "SHA256SUMS")
    dump = scenario.dir / "dump"
    dump.mkdir()
    for name in there:
        (dump / name).symlink_to(scenario.dir / name)
    run_tool(KCAPTURE, "verify", dump)


def check_saved_core(scenario, path):
    """A complete core of the crashed kernel that other programs can open."""
    case = scenario.case
    with elf.Core(path) as core:
        expect(core.flags & elf.E_FLAGS_INCOMPLETE == 0, "a saved core is marked incomplete")
        expect(core.phdrs[0].type == elf.PT_NOTE, "the first program header is not PT_NOTE")
        expect(core.size >= max(phdr.offset + phdr.filesz for phdr in core.phdrs), "the core is cut off")
        expect(core.nr_prstatus() == case.smp, f"{core.nr_prstatus()} NT_PRSTATUS notes for {case.smp} CPUs")
        info = core.vmcoreinfo()
    expect(info["OSRELEASE"] == scenario.crashed.version, f"OSRELEASE is {info['OSRELEASE']}")
    if case.cpu.startswith("max"):
        expect(info.get("NUMBER(pgtable_l5_enabled)") == "1", "5-level paging was wanted and is off")
    for argv in (("readelf", "-W", "-h", "-l", "-n"), ("eu-readelf", "-h", "-l", "-n")):
        run_tool(*argv, path)
    check_dmesg(scenario, path)
    return info


def check_dmesg(scenario, path):
    """The crash is in the kernel log, as makedumpfile finds it in the core and as /init wrote it beside."""
    theirs, ours = scenario.dir / "dmesg.txt", scenario.dir / "vmcore-dmesg.txt"
    subprocess.run(["makedumpfile", "--dump-dmesg", path, theirs], capture_output=True)
    wanted = PANIC_IN_DMESG[re.sub(r"^cpu\d+$", "sysrq", scenario.case.crash)]
    expect(theirs.exists() and wanted in theirs.read_text(errors="replace"), f"no {wanted!r} in the core's dmesg")
    if ours.exists():
        expect(printable(ours) == printable(theirs), "vmcore-dmesg.txt is not what makedumpfile finds in the core")


def printable(dmesg):
    """The lines without time stamps: the two indent what follows a line break in a message differently."""
    lines = dmesg.read_text(errors="replace").rstrip().splitlines()
    return [re.sub(r"^(\[\s*[\d.]+\])?\s*", "", line) for line in lines]


def check_crash_time(path_text, info):
    stamp = datetime.datetime.fromtimestamp(int(info["CRASHTIME"]), datetime.timezone.utc)
    expect(re.search(f"{stamp:%Y-%m-%d-%H[:-]%M[:-]%S}", path_text), f"the directory is not named after the crash time {stamp}")


def oracle_size(vm):
    """Bytes of the raw copy of /proc/vmcore."""
    expect("oracle: done" in vm.text(), "the raw copy of /proc/vmcore was not finished")
    return int(re.search(r"oracle: vmcore (\d+) bytes", vm.text())[1])


def check_oracle(scenario, vm, core):
    result = compare_cores.compare(scenario.oracle.path, core, oracle_size(vm))
    (scenario.dir / "oracle.txt").write_text(result.summary() + "\n")
    # kdump-compressed dumps have no program headers to compare
    good = result.good or ("format kdump" in scenario.case.config and result.pages > 10000 and not result.differing)
    expect(good, f"against raw /proc/vmcore: {result.summary()}")
    return f"oracle: {result.pages} pages equal"


def check_remains(scenario, vm, text):
    ending = ENDINGS[scenario.case.final][1]
    return remains.check(scenario, vm, text, PANIC_IN_DMESG[re.sub(r"^cpu\d+$", "sysrq", scenario.case.crash)], ending)


def check(case, directory):
    """Run a case and check everything; what to print behind ok."""
    scenario = Scenario(case, directory)
    vm = scenario.run()
    text = check_console(scenario, vm)
    old_dumps.check(scenario)
    if case.expect == "looping":
        old_dumps.check_no_memory(scenario)
    if case.expect == "called-off":
        return expect(not scenario.target.files(), "there is something on the target")
    if not saved_core(text):
        return check_remains(scenario, vm, text)
    if case.target == "ext4" and not case.prepare:
        expect(scenario.target.is_clean(), "the target filesystem was not cleanly unmounted")
    core = fetch_core(scenario, text)
    if case.expect != "saved":
        return ""
    info = check_saved_core(scenario, core)
    if case.target != "raw":
        check_crash_time(text, info)
    if case.listings:
        return listings.check(core, "\n".join(line for _, line in vm.lines))
    said = [check_oracle(scenario, vm, core)] if scenario.oracle else []
    if case.stacks:
        said.append(f"{stacks.check(core, case.crashed, scenario.needs_module)} stacks equal")
        said.append(gdb_stacks.check(core, case.crashed, scenario.needs_module, scenario.dir))
    if case.tasks:
        said.append(gdb_threads.check(core, scenario.dir))
    return ", ".join(said)

