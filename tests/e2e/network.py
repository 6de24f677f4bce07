# SPDX-License-Identifier: GPL-2.0-or-later
"""
Dumps that go to `kcapture receive` on this machine: QEMU's user network is a DHCP server, an IPv6 router, and passes
connections to 10.0.2.2 and fec0::2 on to the loopback addresses. Network cases are data as in cases.py; what happens
to the network on the way is a function.
"""

import dataclasses
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading
import time

from e2e import scenario
from e2e.cases import Case
from lib import guest
from lib.paths import KCAPTURE
from lib.read_back import Tree
from lib.runner import DEADLINE, expect

MAC = "52:54:00:12:34:56"
KEY = b"a key of the end-to-end tests, 32"


@dataclasses.dataclass(frozen=True)
class NetCase(Case):
    """A crash whose first target is a receiver."""
    nic: str = "virtio-net-pci"
    netdev: str = "user"
    net: str = f"{MAC} dhcp"
    place: str = "10.0.2.2"             # of the receiver, as the machine sees it
    receiver: tuple = ()                # more of its options
    fault: str = ""                     # the name of a function of Faults
    memory_bar: int = 6144              # the unacknowledged megabyte counts twice, mapped and resident
    where: str = "receiver"             # where the whole core is in the end; or disk, or "" for nowhere
    fallback: bool = False              # the disk is the next target
    vlan: int = 0                       # frames of this one reach the receiver, no others
    before: tuple = ()                  # targets that are tried before the receiver


CASES = [
    NetCase("tcp"),
    NetCase("tcp-e1000-static", crashed="6.1-generic", memory=768, crashkernel="256M", nic="e1000",
            net="eth0 10.0.2.15/24 gateway 10.0.2.2", config=("extra_modules e1000",)),
    NetCase("tcp-ipv6-level-31", net=f"{MAC} slaac", place="[fec0::2]", config=("dump_level 31",), load="-c"),
    NetCase("tcp-kdump-zlib", memory_bar=12288, net="eth0,10.0.2.16/24", config=("format kdump", "compress zlib")),
    NetCase("tcp-vlan", vlan=5, net=f"{MAC} dhcp vlan 5", config=("dump_level 31",), says="eth0.5 has 10.0.2.15"),
    NetCase("tcp-armed", arm="--load auto", net="", place="crash-receiver", says="eth0 has 10.0.2.15"),
    NetCase("receiver-killed", fault="receiver_killed", says="is back, going on"),
    # The second of two receivers, by an interface named by its place; it loses power and what it had not synced.
    NetCase("receiver-power-cut", nic="virtio-net-pci,addr=9", net="0000:00:09.0 dhcp", before=("tcp 10.0.2.2:1",),
            config=("target_timeout 4",), fault="receiver_power_cut", says="once more, from the beginning"),
    NetCase("link-down", fault="link_down"),
    NetCase("dhcp-silent", netdev="hubport,hubid=0", config=("target_timeout 4",), where="disk", fallback=True,
            says="no address by dhcp"),
    NetCase("receiver-refusing", fault="nobody_listens", config=("target_timeout 4",), where="disk", fallback=True,
            says="waiting for the receiver"),
    NetCase("wrong-key", fault="wrong_key", config=("failure_action poweroff",), where="", final="poweroff",
            expect="failed", says="the receiver has another key"),
    NetCase("receiver-full", net="", args="ip=10.0.2.15::10.0.2.2:255.255.255.0::eth0:none", receiver=("--quota", "40M"), config=("target_timeout 4",), where="", expect="failed",
            says="the quota is used up"),
]


def free_port():
    with socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::", 0))
        return sock.getsockname()[1]


class Receiver:
    """`kcapture receive` beside the machine; may be killed and started again."""

    def __init__(self, directory, *options):
        self.dir, self.options = directory, options
        self.port = free_port()
        self.key = directory / "key"
        self.key.write_bytes(KEY)
        self.key.chmod(0o600)
        self.process = None

    def start(self):
        with open(self.dir / "receive.log", "a") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", KCAPTURE, "receive", "--dir", self.dir / "dumps",
                                             "--key", self.key, "--listen", f"[::]:{self.port}", *self.options], stderr=log)

    def kill(self, how=signal.SIGKILL):
        if self.process:
            os.kill(self.process.pid, how)
            self.process.wait()
        self.process = None

    def said(self):
        return (self.dir / "receive.log").read_text() if (self.dir / "receive.log").exists() else ""

    def wait_for_last_words(self):
        """The machine does not wait for the sums."""
        until = time.monotonic() + DEADLINE
        while self.process and (self.dir / "dumps/.kcapture").exists() and time.monotonic() < until:
            if not any((self.dir / "dumps/.kcapture").iterdir()):
                return
            time.sleep(0.1)

    def files(self):
        return sorted(path for path in (self.dir / "dumps").rglob("*") if path.is_file())


class VlanSwitch:
    """
    A switch between the machine's interface, where frames of the VLAN carry its tag and others are dropped, and QEMU's user
    network, which knows no tags. Frames travel as datagrams.
    """

    def __init__(self, vlan):
        self.tag = struct.pack(">HH", 0x8100, vlan)
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        self.ours, self.theirs = [], []
        for sock in self.sockets:
            sock.bind(("127.0.0.1", 0))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            self.ours.append(sock.getsockname()[1])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
                free.bind(("127.0.0.1", 0))
                self.theirs.append(free.getsockname()[1])
        for side in (0, 1):
            threading.Thread(target=self._pass_on, args=(side,), daemon=True).start()

    def _pass_on(self, side):
        while True:
            frame = self.sockets[side].recv(65536)
            if side == 1:
                frame = frame[:12] + self.tag + frame[12:]
            elif frame[12:16] == self.tag:
                frame = frame[:12] + frame[16:]
            else:
                continue
            self.sockets[1 - side].sendto(frame, ("127.0.0.1", self.theirs[1 - side]))

    def devices(self, nic):
        ends = [f"socket,udp=127.0.0.1:{ours},localaddr=127.0.0.1:{theirs}" for ours, theirs in zip(self.ours, self.theirs)]
        return ("-netdev", f"{ends[0]},id=n0", "-device", f"{nic},netdev=n0,mac={MAC}", "-netdev", "user,id=u0",
                "-netdev", f"{ends[1]},id=s0", "-netdev", "hubport,hubid=1,id=h0,netdev=u0",
                "-netdev", "hubport,hubid=1,id=h1,netdev=s0")


class Faults:
    """What happens while the machine sends; each gets the scenario and the machine."""

    @staticmethod
    def receiver_killed(one, vm):
        vm.wait_for(r"kcapture: .*writing.* [2-9]\d ?%")
        one.receiver.kill()
        time.sleep(2)
        one.receiver.start()

    @staticmethod
    def receiver_power_cut(one, vm):
        """What was not synced is gone, and the receiver's kernel is another one: its record must not be trusted."""
        vm.wait_for(r"kcapture: .*writing.* [2-9]\d ?%")
        one.receiver.kill()
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_bytes()
        for path in one.receiver.files():
            if path.name == "vmcore-incomplete":
                os.truncate(path, path.stat().st_size // 2)
            elif path.parent.name == ".kcapture":
                path.write_bytes(path.read_bytes().replace(boot, boot[::-1]))
        one.receiver.start()

    @staticmethod
    def link_down(one, vm):
        vm.wait_for(r"kcapture: .*writing.* [2-9]\d ?%")
        vm.qmp("set_link", name="n0", up=False)
        time.sleep(10)
        vm.qmp("set_link", name="n0", up=True)

    @staticmethod
    def nobody_listens(one, vm):
        one.receiver.kill()

    @staticmethod
    def wrong_key(one, vm):
        one.receiver.kill()
        one.receiver.key.write_bytes(KEY[::-1])
        one.receiver.start()


class NetScenario(scenario.Scenario):
    """The machine has an interface, and its capture image the key."""

    def __init__(self, case, directory):
        super().__init__(case, directory)
        self.receiver = Receiver(directory, *case.receiver)

    def config_lines(self):
        case = self.case
        lines = [*case.before, f"tcp {case.place}:{self.receiver.port}", f"key {self.receiver.key}"]
        lines += [f"net {case.net}"] if case.net else []
        lines += [f"ext4 {self.target.device}"] if case.fallback else []
        return [*case.config, *lines]

    @property
    def live_network(self):
        return bool(self.case.arm)

    def capture_initrd(self):
        """kcapture arm makes its own, of the configuration alone: name, interface and address are those of the live machine."""
        return self.write_config() if self.case.arm else super().capture_initrd()

    def first_initrd(self):
        more = guest.network(self.crashed, self.receiver.key) if self.case.arm else b""
        return super().first_initrd() + more

    def run(self):
        self.receiver.start()
        try:
            vm = super().run()
            self.receiver.wait_for_last_words()
            return vm
        finally:
            self.receiver.kill(signal.SIGTERM)

    def _interfere(self, vm):
        if self.case.fault:
            getattr(Faults, self.case.fault)(self, vm)


def check(case, directory):
    """Run a case and look at what arrived."""
    devices = ("-netdev", f"{case.netdev},id=n0", "-device", f"{case.nic},netdev=n0,mac={MAC}")
    if case.vlan:
        devices = VlanSwitch(case.vlan).devices(case.nic)
    one = NetScenario(dataclasses.replace(case, devices=devices), directory)
    vm = one.run()
    if case.arm:
        check_dry_runs(vm)
    text = scenario.check_console(one, vm)
    if case.where == "disk":
        saved = re.search(r"kcapture: .*saved (/dev/\S+)", text)
        expect(saved and not any(path.name == "vmcore" for path in one.receiver.files()), "not saved on the disk")
        core = scenario.fetch_core(one, text)
        scenario.check_saved_core(one, core)
        return ""
    if not case.where:
        expect(not any(path.name == "vmcore" for path in one.receiver.files()), "a failed dump is called vmcore")
        check_rest(one)
        one.dump = Tree(one.receiver.dir / "dumps")
        return scenario.check_remains(one, vm, text)
    return check_received(one, text)


def check_dry_runs(vm):
    """What `kcapture arm --dry-run` said of dry_runs() in guest.py, one after the other."""
    wanted = ((r"modules: .*virtio_net", r"would run: kexec"),
              (r"arm: .*a tcp target needs a key",),
              (r"arm: target tcp crash-receiver:\d+: .*the receiver has another key", r"warning: key /wrong.key is readable by others"),
              (r"arm: .*no-such-host.*name resolution|arm: .*no-such-host: .*not known",),
              (r"arm: .*no interface with a driver is 52:54:00:00:00:99",),
              (r"warning: target tcp crash-receiver:1: no receiver answers now: .*refused", r"would run: kexec"))
    said = re.split(r"guest: dry run.*", "\n".join(line for _, line in vm.lines))
    expect(len(said) == len(wanted) + 1, f"{len(said) - 1} dry runs")
    for number, patterns in enumerate(wanted):
        for pattern in patterns:
            expect(re.search("dry run: .*" + pattern, said[number]), f"dry run {number} does not say /{pattern}/")


def check_rest(one):
    """What a receiver without room holds must be what it says."""
    for path in one.receiver.files():
        if path.name == "vmcore-incomplete":
            run = subprocess.run([KCAPTURE, "info", path], capture_output=True, text=True)
            expect("ncomplete" in run.stdout, f"kcapture info of {path}: {run.stdout[-200:]}{run.stderr}")


def check_received(one, text):
    saved = re.search(r"kcapture: .*saved tcp:(\S+?)/(\S+)/vmcore", text)
    expect(saved, "the console does not say where it was saved")
    there = one.receiver.dir / "dumps" / saved[2]
    names = {path.name for path in there.iterdir()}
    expect({"vmcore", "vmcore-dmesg.txt", "kcapture.log", "SHA256SUMS"} <= names, f"{there} holds {names}")
    expect(not any(path.parent.name == ".kcapture" for path in one.receiver.files()), "the state of the dump is left")
    run = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=there, capture_output=True, text=True)
    expect(run.returncode == 0 and "vmcore" in (there / "SHA256SUMS").read_text(), f"sha256sum: {run.stdout}{run.stderr}")
    run = subprocess.run([KCAPTURE, "verify", there], capture_output=True, text=True)
    expect(run.returncode == 0, f"kcapture verify: {run.stdout}{run.stderr}")
    expect("saving to" in (there / "kcapture.log").read_text(), "kcapture.log says nothing")
    if "format kdump" not in one.case.config:
        (one.dir / "vmcore-dmesg.txt").write_bytes((there / "vmcore-dmesg.txt").read_bytes())
        info = scenario.check_saved_core(one, there / "vmcore")
        scenario.check_crash_time(saved[2], info)
    return ""
