#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Measure the tcp target against a plain TCP copy: the same machine with the same memory, of which most is not zero, crashes;
its one CPU either runs /init with a tcp target, or busybox `nc` that copies /proc/vmcore. The bar is for megabytes on the
wire, and the runs take turns. Both ends are on this machine: what is measured is the machine's CPU, not a network, so the
clock is the time that the emulated CPU has run; what else this machine has to do does not count. By the machine's own clock
the figures are told, too.

QEMU before 8.2 emulates no SHA instructions, which servers have had since 2017 to 2021: --sha runs everything a second time in the
QEMU of Debian 13, which does.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import socket
import statistics
import sys
import threading

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from bench import bars
from e2e import network, scenario
from lib import foreign, guest, vm
from lib.cpio import Archive
from lib.paths import BUILD
from lib.runner import drop_large_files

BENCH = BUILD / "bench"
BAR = 0.9
PLAIN = network.NetCase("plain", memory=1024, dirty=600, smp=1, crashkernel="192M")
SHA_CPU = "EPYC"            # a server of 2017
DEVICES = ("-netdev", "user,id=n0", "-device", f"virtio-net-pci,netdev=n0,mac={network.MAC}")
# checksum: SHA-256 over everything by the sender, in addition to the tags of the protocol
KINDS = {"checksum yes": ("checksum yes",), "checksum no": ("checksum no",)}


@dataclasses.dataclass
class Rate:
    """MB/s of one copy."""
    wire: float                 # a second of the emulated CPU
    memory: float
    wall: float                 # on the wire, a second of the machine's clock


class CpuClock:
    """For a Scenario: seconds that the machine's CPU has run between two lines on the console."""
    begins = ends = ""

    def _interfere(self, machine):
        thread = machine.qmp("query-cpus-fast")[0]["thread-id"]
        stat = pathlib.Path(f"/proc/{machine.process.pid}/task/{thread}/stat")
        times = []
        for pattern in (self.begins, self.ends):
            machine.wait_for(pattern)
            times.append(sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK"))
        self.cpu_seconds = times[1] - times[0]


NC_INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null
for module in MODULES; do /bin/busybox insmod $module; done
/bin/busybox ip link set eth0 up; /bin/busybox ip addr add 10.0.2.15/24 dev eth0
echo "bench: begins"
/bin/busybox cat /proc/uptime > /before
/bin/busybox nc 10.0.2.2 PORT < /proc/vmcore
read before rest < /before; read after rest < /proc/uptime
echo "bench: from $before to $after"
/bin/busybox reboot -f
"""


class TargetScenario(CpuClock, network.NetScenario):
    """/init with a tcp target."""
    begins, ends = "kcapture: .*saving to", "kcapture: .*(saved|FAILED)"


class NcScenario(CpuClock, network.NetScenario):
    """The same machine, but the capture initramfs is busybox nc."""
    begins, ends = "bench: begins", "bench: from"

    def __init__(self, case, directory):
        super().__init__(case, directory)
        self.received = 0
        self.server = socket.create_server(("127.0.0.1", self.receiver.port))
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        connection, _ = self.server.accept()
        buffer = bytearray(1 << 20)
        while size := connection.recv_into(buffer):
            self.received += size
        connection.close()

    def capture_initrd(self):
        archive = Archive()
        archive.copy(guest.BUSYBOX, "bin/busybox")
        modules = guest.module_closure(self.capture, "virtio_pci", "virtio_net")
        for module in modules:
            archive.copy(self.capture.root / module, "modules/" + module.rsplit("/", 1)[-1])
        names = " ".join("/modules/" + module.rsplit("/", 1)[-1] for module in modules)
        archive.file("init", NC_INIT.replace("MODULES", names).replace("PORT", str(self.receiver.port)), 0o755)
        return archive.image()

    def run(self):
        with self.server:
            return scenario.Scenario.run(self)


def prepare(base, name, config):
    directory = BENCH / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return dataclasses.replace(base, name=name, devices=DEVICES, config=tuple(config)), directory


def plain_copy(base):
    """nc sends every byte of /proc/vmcore."""
    case, directory = prepare(base, "nc", ())
    one = NcScenario(case, directory)
    found = re.search(r"bench: from ([\d.]+) to ([\d.]+)", one.run().text())
    scenario.expect(found and one.received > case.memory << 19, f"nc copied {one.received} bytes")
    drop_large_files(directory)
    size = one.received / 1e6
    return Rate(size / one.cpu_seconds, size / one.cpu_seconds, size / (float(found[2]) - float(found[1])))


def target(base, config):
    """Zeros are left out: they count as memory, not on the wire."""
    case, directory = prepare(base, "tcp", config)
    one = TargetScenario(case, directory)
    text = one.run().text()
    found = re.search(r"saved tcp:\S+ \((\d+) MB, (\d+) MB of them not zero, ([\d.]+) s\)", text)
    scenario.expect(found, f"not saved, log {directory}")
    drop_large_files(directory)
    size, sent, seconds = float(found[1]), float(found[2]), float(found[3])
    return Rate(sent / one.cpu_seconds, size / one.cpu_seconds, sent / seconds)


def column(rates, what):
    return statistics.median(getattr(rate, what) for rate in rates)


def compare(what, base, rounds):
    """Returns whether the bar was met with the checksum, which is the default."""
    plain, ours = [], {kind: [] for kind in KINDS}
    for _ in range(rounds):
        plain.append(plain_copy(base))
        for kind, config in KINDS.items():
            ours[kind].append(target(base, config))
    nc = column(plain, "wire")
    print(f"{what}\n  plain TCP copy: {nc:.1f} MB/s a CPU second ({' '.join(f'{rate.wire:.1f}' for rate in plain)}), "
          f"{column(plain, 'wall'):.1f} by the clock")
    met = {}
    for kind, rates in ours.items():
        wire, memory = column(rates, "wire"), column(rates, "memory")
        met[kind] = wire / nc >= BAR
        print(f"  {bars.mark(met[kind])} {kind}: {wire:.1f} MB/s on the wire, {wire / nc:.2f} of it (bar {BAR}), "
              f"{memory:.1f} MB/s of memory, {memory / nc:.2f}; by the clock {column(rates, 'wall') / column(plain, 'wall'):.2f} "
              f"({' '.join(f'{rate.wire:.1f}' for rate in rates)})", flush=True)
    return met["checksum yes"]


def main():
    parser = argparse.ArgumentParser(description="Measure the tcp target against a plain TCP copy.")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind (default %(default)s)")
    parser.add_argument("--sha", action="store_true", help="also with a processor that has SHA instructions")
    args = parser.parse_args()
    judged = [compare("A processor without SHA instructions", PLAIN, args.rounds)]
    if args.sha:
        vm.QEMU = foreign.qemu("trixie")
        judged.append(compare("A processor with SHA instructions", dataclasses.replace(PLAIN, cpu=SHA_CPU), args.rounds))
    return bars.total(judged)


if __name__ == "__main__":
    sys.exit(main())
