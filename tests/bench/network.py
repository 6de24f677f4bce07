#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Measure the tcp target against a plain TCP copy: the same machine with the same memory, of which most is not zero, crashes;
its one CPU either runs /init with a tcp target, or busybox `nc` that copies /proc/vmcore. Megabytes of the dump per second,
from the first to the last byte, by the clock of the machine. Both ends are on this machine: what is measured is the guest's
CPU, not a network.
"""

import argparse
import dataclasses
import pathlib
import re
import shutil
import socket
import statistics
import sys
import threading

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from e2e import network, scenario
from lib import guest
from lib.cpio import Archive
from lib.paths import BUILD
from lib.runner import drop_large_files

BENCH = BUILD / "bench"
BAR = 0.9
PLAIN = network.NetCase("plain", memory=1024, dirty=600, smp=1, crashkernel="192M")
DEVICES = ("-netdev", "user,id=n0", "-device", f"virtio-net-pci,netdev=n0,mac={network.MAC}")
# checksum: SHA-256 over everything by the sender, in addition to the tags of the protocol
KINDS = {"tcp target": ("checksum no",), "tcp target with checksum": ("checksum yes",)}

NC_INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null
for module in MODULES; do /bin/busybox insmod $module; done
/bin/busybox ip link set eth0 up; /bin/busybox ip addr add 10.0.2.15/24 dev eth0
/bin/busybox cat /proc/uptime > /before
/bin/busybox nc 10.0.2.2 PORT < /proc/vmcore
read before rest < /before; read after rest < /proc/uptime
echo "bench: from $before to $after"
/bin/busybox reboot -f
"""


class NcScenario(network.NetScenario):
    """The same machine, but the capture initramfs is busybox nc."""

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


def prepare(name, config):
    directory = BENCH / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return dataclasses.replace(PLAIN, name=name, devices=DEVICES, config=(*config, *network.QUICK)), directory


def plain_copy():
    """MB/s of nc."""
    case, directory = prepare("nc", ())
    one = NcScenario(case, directory)
    found = re.search(r"bench: from ([\d.]+) to ([\d.]+)", one.run().text())
    scenario.expect(found and one.received > case.memory << 19, f"nc copied {one.received} bytes")
    drop_large_files(directory)
    return one.received / 1e6 / (float(found[2]) - float(found[1]))


def target(config):
    """MB/s of the tcp target; the zeros that it leaves out count, as nc sends them."""
    case, directory = prepare("tcp", config)
    text = network.NetScenario(case, directory).run().text()
    found = re.search(r"saved tcp:\S+ \((\d+) MB, (\d+) MB of them not zero, ([\d.]+) s\)", text)
    scenario.expect(found, f"not saved, log {directory}")
    drop_large_files(directory)
    size, sent, seconds = float(found[1]), float(found[2]), float(found[3])
    return size / seconds, sent / seconds


def main():
    parser = argparse.ArgumentParser(description="Measure the tcp target against a plain TCP copy.")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind (default %(default)s)")
    args = parser.parse_args()
    plain, ours = [], {kind: [] for kind in KINDS}
    for _ in range(args.rounds):
        plain.append(plain_copy())
        for kind, config in KINDS.items():
            ours[kind].append(target(config))
    base = statistics.median(plain)
    print(f"plain TCP copy: {base:.1f} MB/s ({' '.join(f'{value:.1f}' for value in plain)})")
    missed = 0
    for kind, values in ours.items():
        rate, sent = (statistics.median(column) for column in zip(*values))
        met = rate / base >= BAR
        missed += not met and kind == "tcp target"
        print(f"{'ok  ' if met else 'MISS'} {kind}: {rate:.1f} MB/s of memory ({rate / base:.2f}, bar {BAR}), "
              f"{sent:.1f} MB/s on the wire ({sent / base:.2f})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
