# SPDX-License-Identifier: GPL-2.0-or-later
"""
`kcapture receive` (with sanitizers) against senders good and bad: one written in Python from the protocol's description,
and the code of /init in tests/lib/dump_sender.c.
"""

import contextlib
import hashlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

from lib import wire_client as wire
from lib.paths import BUILD
from lib.runner import expect

PROGRAM = BUILD / "kcapture.asan"
SENDER = BUILD / "tools/dump_sender"
KEY = bytes(range(32))
PATIENCE = 300          # s, on a machine that has other things to do


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Receiver:
    """A running receiver of its own directory."""

    def __init__(self, directory, *options, port=None, listen="127.0.0.1", under=()):
        self.dir = directory / "dumps"
        self.key = directory / "key"
        self.port = port or free_port()
        self.log_path = directory / "receive.log"
        self.key.write_bytes(KEY)
        self.key.chmod(0o600)
        self.log = open(self.log_path, "a")
        before = self.said().count("listening on")
        self.process = subprocess.Popen([*under, PROGRAM, "receive", "--dir", self.dir, "--key", self.key, "--listen",
                                         f"{listen}:{self.port}", *options], stderr=self.log)
        self.wait_for("listening on", before + 1)

    def said(self):
        return self.log_path.read_text()

    def wait_for(self, pattern, times=1):
        until = time.monotonic() + PATIENCE
        while len(re.findall(pattern, self.said())) < times:
            expect(time.monotonic() < until, f"waited in vain for /{pattern}/: {self.said()[-300:]}")
            time.sleep(0.02)

    def client(self, **kwargs):
        return wire.Client(self.port, KEY, **kwargs)

    def end(self):
        """Exit code of a receiver that ends by itself."""
        code = self.process.wait(PATIENCE)
        expect("Sanitizer" not in self.said() and "runtime error" not in self.said(), f"sanitizer: {self.log_path}")
        return code

    def files(self):
        return sorted(str(path.relative_to(self.dir)) for path in self.dir.rglob("*") if path.is_file())


@contextlib.contextmanager
def receiver(directory, *options, **kwargs):
    running = Receiver(directory, *options, **kwargs)
    try:
        yield running
        if running.process.poll() is None:
            running.process.terminate()
            expect(running.end() == 0, f"the receiver exits {running.process.returncode} on SIGTERM")
    finally:
        running.process.kill()
        running.process.wait()
        running.log.close()


def blob(size, seed=1):
    return (hashlib.sha256(bytes([seed])).digest() * (size // 32 + 1))[:size]


def send_whole(client, size=600000, file=wire.VMCORE, **commit):
    data = blob(size)
    for off in range(0, size, 200000):
        client.send(wire.DATA, data[off:off + 200000], file, off)
    client.commit(file, size, **commit)
    client.wait()
    return data


def protocol(directory):
    """What the description says is what the receiver does: files, sums, acknowledgements."""
    with receiver(directory, "--once") as there:
        probe = there.client(purpose=wire.PROBE)
        expect(probe.status == wire.OK and probe.proved and probe.room > 0, f"probe: status {probe.status}")
        probe.close()
        client = there.client()
        expect(client.status == wire.OK and client.proved and client.next_seq == 0, f"hello: status {client.status}")
        client.begin()
        client.send(wire.DATA, b"an earlier one", wire.DMESG)
        client.commit(wire.DMESG, 14)
        client.send(wire.DATA, b"a panic\n", wire.DMESG)
        client.commit(wire.DMESG, 8)
        data = blob(450000)
        client.send(wire.DATA, b"?" * 100, wire.VMCORE, 0)
        client.send(wire.DATA, data[200000:], wire.VMCORE, 1300000)     # a hole, and the end before the beginning
        client.send(wire.SYNC)
        client.wait()
        expect(there.files()[1:] == ["box/box-1/vmcore-dmesg.txt", "box/box-1/vmcore-incomplete"], f"{there.files()}")
        client.send(wire.DATA, data[:200000], wire.VMCORE, 0)
        whole = data[:200000] + bytes(1100000) + data[200000:] + bytes(1000)
        client.commit(wire.VMCORE, len(whole), wire.COMPLETE | wire.HAS_SHA256, hashlib.sha256(whole).digest())
        client.send(wire.END)
        client.wait()
        expect(there.end() == 0, "--once does not end with 0")
        expect((there.dir / "box/box-1/vmcore").read_bytes() == whole, "the core is not what was sent")
        expect((there.dir / "box/box-1/vmcore-dmesg.txt").read_bytes() == b"a panic\n", "the second text is not there")
        run = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=there.dir / "box/box-1", capture_output=True, text=True)
        expect(run.returncode == 0 and run.stdout.count(": OK") == 2, f"sha256sum: {run.stdout}{run.stderr}")
        modes = {path.stat().st_mode & 0o777 for path in there.dir.rglob("*") if path.is_file()}
        expect(modes == {0o600}, f"modes {modes}")


def resume(directory):
    """The connection breaks, the receiver is killed: the dump goes on where it was, and only for who has the key."""
    with receiver(directory) as there:
        first = there.client()
        first.begin()
        first.send(wire.DATA, b"a" * 5000, wire.VMCORE, 0)
        first.wait()
        kept = first.frame(wire.DATA, b"b" * 5000, wire.VMCORE, 5000)
        there.process.kill()
        there.end()
    with receiver(directory, "--once", port=there.port) as there:
        expect(there.client(dump_id=os.urandom(16)).status == wire.UNKNOWN_DUMP, "an unknown dump goes on")
        stranger = wire.Client(there.port, b"another key, as long", dump_id=first.keys.dump_id)
        expect(stranger.status == wire.DENIED and not stranger.proved, "a wrong key is let in")
        # The second connection hangs; the third takes the dump over.
        second = there.client(dump_id=first.keys.dump_id, keys=first.keys)
        expect((second.status, second.next_seq) == (wire.OK, 2), f"goes on with {second.next_seq}")
        third = there.client(dump_id=first.keys.dump_id, keys=first.keys)
        expect((third.status, third.next_seq) == (wire.OK, 2) and second.ended(), "the old connection still has the dump")
        third.sock.sendall(kept)
        third.seq = 3
        third.commit(wire.VMCORE, 10000)
        third.send(wire.END)
        third.wait()
        expect(there.end() == 0, "the dump is not complete")
        expect((there.dir / "box/box-1/vmcore").read_bytes() == b"a" * 5000 + b"b" * 5000, "not what was sent")


def begun_and_killed(directory, name, spoil):
    """A dump of 30000 bytes is acknowledged, the receiver killed, something spoiled: the dump's connection, a new receiver."""
    with receiver(directory) as there:
        first = there.client()
        first.begin(name=name)
        first.send(wire.DATA, blob(30000), wire.VMCORE, 0)
        first.wait()
        there.process.kill()
        there.end()
        spoil(there.dir / "box" / name / "vmcore-incomplete", there.dir / ".kcapture" / first.keys.dump_id.hex())
    return first, there.port


def unsynced(directory):
    """What was acknowledged and lost, or spoiled, before the receiver is back: never part of a dump that is called whole."""
    def power_cut(_, state):
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_bytes()
        record = state.read_bytes()
        expect(record.count(boot) == 1, "the record does not say of which boot it is")
        state.write_bytes(record.replace(boot, boot[::-1]))

    def cut_off(core, _):
        os.truncate(core, 29999)

    def change(core, _):
        data = bytearray(core.read_bytes())
        data[-1] ^= 1
        core.write_bytes(data)

    for what, spoil, said in (("power-cut", power_cut, "started anew"), ("cut-off", cut_off, "has 29999 bytes, 30000 were received"),
                              ("gone", lambda core, _: core.unlink(), "has 0 bytes, 30000 were received")):
        first, port = begun_and_killed(directory, what, spoil)
        with receiver(directory, port=port) as there:
            again = there.client(dump_id=first.keys.dump_id, keys=first.keys)
            expect(again.status == wire.UNKNOWN_DUMP and again.proved, f"{what}: status {again.status}")
            there.wait_for(said)
    first, port = begun_and_killed(directory, "changed", change)
    with receiver(directory, port=port) as there:
        again = there.client(dump_id=first.keys.dump_id, keys=first.keys)
        expect((again.status, again.next_seq) == (wire.OK, 2), f"goes on with {again.next_seq}, status {again.status}")
        again.commit(wire.VMCORE, 30000, wire.COMPLETE | wire.HAS_SHA256, hashlib.sha256(blob(30000)).digest())
        expect(again.ended() and again.refusals[-1][1] == wire.MISMATCH, f"a changed file: {again.refusals}")
        saved = [path for path in there.files() if path.endswith("/vmcore")]
        expect(not saved and "saved" not in there.said(), f"called whole: {saved}")
    # Killed between the rename and the record: the commit comes again.
    first, port = begun_and_killed(directory, "renamed", lambda core, _: core.rename(core.with_name("vmcore")))
    with receiver(directory, "--once", port=port) as there:
        again = there.client(dump_id=first.keys.dump_id, keys=first.keys)
        again.commit(wire.VMCORE, 30000)
        again.send(wire.END)
        again.wait()
        expect(there.end() == 0, "a dump that has its name already does not go on")


def traced(directory, *options):
    """A receiver of which every call that makes something last, and every answer, is in the file of the second value."""
    trace = directory / "trace"
    under = ("strace", "-D", "-f", "-y", "-q", "-o", trace, "-e", "trace=fsync,renameat,renameat2,sendto", *options)
    return receiver(directory, "--once", under=under), trace


def acknowledged(directory):
    """Synced, renamed, the directory synced, and only then acknowledged; what cannot be synced is not."""
    global PROGRAM
    sanitized, PROGRAM = PROGRAM, BUILD / "kcapture"        # a traced process cannot look for leaks
    try:
        running, trace = traced(directory)
        with running as there:
            client = there.client()
            client.begin()
            client.send(wire.DATA, b"x" * 5000, wire.VMCORE, 0)
            client.send(wire.SYNC)
            client.wait()
            client.commit(wire.VMCORE, 5000)
            client.wait()
            client.send(wire.END)
            expect(there.end() == 0, "--once does not end with 0")
        until = time.monotonic() + PATIENCE             # the tracer goes last
        while not re.search(rf"^{there.process.pid} +\+\+\+ exited", trace.read_text(), re.M) and time.monotonic() < until:
            time.sleep(0.05)
        kinds = (("C", r"fsync\(\d+<.*/box-1/vmcore-incomplete>\) += 0$"), ("D", r"fsync\(\d+<.*/box/box-1>\) += 0$"),
                 ("R", r'renameat2?\(.*"vmcore-incomplete", .*"vmcore".*\) += 0$'), ("A", r"sendto\("), ("?", ""))
        calls = "".join(next(kind for kind, pattern in kinds if re.search(pattern, line)) for line in trace.read_text().splitlines())
        expect(re.search("ACDACRDA", calls), f"the order of sync, rename and acknowledgement is {calls}")
        for number, fault in enumerate(("fsync", "renameat")):
            running, _ = traced(directory, "-e", f"inject={fault}:error=EIO")
            with running as there:
                client = there.client()
                client.begin(name=f"fault-{number}")
                client.send(wire.DATA, b"x" * 5000, wire.VMCORE, 0)
                client.wait()
                client.commit(wire.VMCORE, 5000)
                expect(client.ended() and client.refusals[-1][1] == wire.FAILED, f"{fault} fails: {client.refusals}")
                expect(client.acked == 2, f"{fault} fails, acknowledged up to {client.acked}")
    finally:
        PROGRAM = sanitized


def refused(there, what, client, *frames, **kwargs):
    """Each of these ends the connection; nothing may come of it."""
    for frame in frames:
        with contextlib.suppress(ConnectionError):
            client.sock.sendall(frame)
    expect(client.ended(), f"{what}: the connection goes on")
    client.close()


def hostile(directory):
    """Nobody writes outside the directory, replays, injects, or is believed without the key."""
    with receiver(directory) as there:
        old = there.client(version=7)
        expect(old.challenge_status == wire.BAD_VERSION, "version 7 is taken")
        for text in (b"GET / HTTP/1.1\r\n" + bytes(100), bytes(64), b"\xff" * 64):
            with socket.create_connection(("127.0.0.1", there.port), timeout=30) as sock:
                sock.sendall(text)
                with contextlib.suppress(ConnectionError):
                    expect(not sock.recv(100), f"{text[:8]} is answered")
        expect(wire.Client(there.port, b"another key, as long").status == wire.DENIED, "a wrong key is let in")

        def begun(name="box-1"):
            client = there.client()
            client.begin(name=name)
            return client

        for host, name in (("../../etc", "../../x"), ("/etc", "/"), ("..", "."), ("a/b", "c\nd"), (".kcapture", ".ssh")):
            begun_there = there.client()
            begun_there.begin(host, name)
            send_whole(begun_there, 1000)
            begun_there.send(wire.END)
            begun_there.wait()
        there.wait_for(": saved ", 5)
        outside = [path for path in directory.iterdir() if path.name not in ("dumps", "key", "receive.log")]
        expect(not outside, f"made outside: {outside}")
        strange = [path for path in there.files() if not re.fullmatch(r"[\w.:-]+/[\w.:-]+/[\w.-]+", path)]
        expect(not strange and len([path for path in there.files() if path.endswith("/vmcore")]) == 5, f"files: {there.files()}")

        client = there.client()
        refused(there, "data before begin", client, client.frame(wire.DATA, b"x"))
        for what, args in (("a second begin", dict(kind=wire.BEGIN, payload=b"a\0b\0")),
                           ("an oversize length", dict(kind=wire.DATA, payload=b"x", length=300 << 10)),
                           ("4 GiB", dict(kind=wire.DATA, payload=b"x", length=0xffffffff)),
                           ("an empty frame", dict(kind=wire.DATA)),
                           ("an offset beyond everything", dict(kind=wire.DATA, payload=b"x", off=(1 << 64) - 1)),
                           ("file 200", dict(kind=wire.DATA, payload=b"x", file=200)),
                           ("type 99", dict(kind=99, payload=b"x")),
                           ("an answer", dict(kind=wire.ACK)),
                           ("a number left out", dict(kind=wire.DATA, payload=b"x", seq=2)),
                           ("a number again", dict(kind=wire.BEGIN, payload=b"a\0b\0", seq=0)),
                           ("reserved bytes", dict(kind=wire.SYNC, reserved=1)),
                           ("a commit of another length", dict(kind=wire.COMMIT, payload=b"x"))):
            client = begun()
            refused(there, what, client, client.frame(**args))
        client = begun()
        forged = bytearray(client.frame(wire.DATA, b"x" * 100))
        forged[50] ^= 1
        refused(there, "a changed byte", client, bytes(forged))
        # A whole connection, recorded and played again: the receiver's nonce is another.
        one, two = begun(), there.client()
        frame = one.frame(wire.DATA, b"x" * 100)
        two.begin()
        refused(there, "a frame of another dump", two, frame)
        client = begun()
        send_whole(client, 1000)
        refused(there, "more of a finished file", client, client.frame(wire.DATA, b"x"))
        client = begun()
        client.send(wire.DATA, b"x" * 100)
        client.commit(wire.VMCORE, 100, wire.COMPLETE | wire.HAS_SHA256, bytes(32))
        expect(client.ended() and client.refusals and client.refusals[-1][1] == wire.MISMATCH, f"a wrong SHA-256: {client.refusals}")
        expect("nothing was kept" not in there.said().splitlines()[-1], "a begun dump is called nothing")
        # A link that somebody laid in the directory leads nowhere.
        client = begun("box-link")
        target = directory / "outside"
        (there.dir / "box/box-link/vmcore-incomplete").symlink_to(target)
        client.send(wire.DATA, b"x" * 100)
        client.ended()
        expect(not target.exists(), "a symbolic link was followed")


def limits(directory):
    """Quotas hold, what was refused is not called complete, half-open and slow connections are in nobody's way."""
    with receiver(directory, "--quota", "5M", "--quota-machine", "3M", "--keep", "2") as there:
        client = there.client()
        expect(client.room == 3 << 20, f"room {client.room}")
        client.begin()
        for off in range(0, 6 << 20, 200 << 10):
            client.send(wire.DATA, blob(200 << 10), wire.VMCORE, off)
        client.wait()
        expect(client.refusals and {code for _, code, _ in client.refusals} == {wire.FULL}, f"{client.refusals[:3]}")
        client.send(wire.DATA, b"header", wire.VMCORE, 0)       # there is always room for the truth
        before = len(client.refusals)
        client.commit(wire.VMCORE, 6 << 20, flags=0)
        client.wait()
        expect(len(client.refusals) == before, "the header of an incomplete core was refused")
        client.commit(wire.VMCORE, 6 << 20)
        expect(client.ended(), "what was refused in part is called complete")
        used = sum(path.stat().st_blocks * 512 for path in there.dir.rglob("*") if path.is_file())
        expect(used <= 3 << 20, f"{used} bytes are used of a quota of 3 MiB")
        refused_one = send(there, "box", 4)
        expect(refused_one.wait(PATIENCE) == 1, "a machine without quota is let in")
        expect("quota" in refused_one.stderr.read(), "the sender does not say why")
        other = there.client()
        other.begin("other")
        for off in range(0, 4 << 20, 200 << 10):
            other.send(wire.DATA, blob(200 << 10), wire.VMCORE, off)
        other.wait()
        used = sum(path.stat().st_blocks * 512 for path in there.dir.rglob("*") if path.is_file())
        expect(other.refusals and used <= 5 << 20, f"{used} bytes are used of a quota of 5 MiB")
    with receiver(directory, "--idle", "1") as there:
        expect(there.client().ended() and "nothing came for 1 s" in there.said(), "an idle connection stays")

    for path in sorted(there.dir.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    with receiver(directory, "--keep", "2", "--once") as there:
        strangers = [socket.create_connection(("127.0.0.1", there.port)) for _ in range(100)]
        for sock in strangers[:50]:
            sock.sendall(b"kcap")
        for number in range(4):
            client = there.client()
            expect(client.status == wire.OK, "strangers stand in the way")
            client.begin(name=f"box-{number}")
            if number == 3:
                break
            send_whole(client, 1000)
            client.close()
            time.sleep(0.05)
        send_whole(client, 1000)
        client.send(wire.END)
        client.wait()
        expect(there.end() == 0, "--once does not end with 0")
        names = [path for path in there.files() if path.endswith("/vmcore")]
        expect(names == ["box/box-2/vmcore", "box/box-3/vmcore"], f"kept: {names}")
        for sock in strangers:
            sock.close()


def send(there, name, mib, *more, place=None):
    return subprocess.Popen([SENDER, place or f"127.0.0.1:{there.port}", there.key, name, str(mib), *more],
                            stderr=subprocess.PIPE, text=True)


def resident(there):
    """KiB of the receiver and its children that are theirs alone, summed."""
    pids = [there.process.pid] + [int(pid) for pid in pathlib.Path(
        f"/proc/{there.process.pid}/task/{there.process.pid}/children").read_text().split()]
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return total, len(pids) - 1


class Slow:
    """Connections that are in no hurry: strangers who send their hello by the byte, and some who know the key and a frame so."""

    def __init__(self, there, nr_strangers, nr_senders):
        self.there, self.stopped, self.socks = there, False, []
        for _ in range(nr_strangers):
            self.socks.append((socket.create_connection(("::1", there.port)), b"kcapture"))
        for number in range(nr_senders):
            client = there.client(host="::1")
            client.begin(f"slow{number}")
            self.socks.append((client.sock, client.frame(wire.DATA, blob(5000))))
        self.thread = threading.Thread(target=self._trickle)
        self.thread.start()

    def _trickle(self):
        for round_ in range(5000):
            for sock, data in self.socks:
                if self.stopped:
                    return
                with contextlib.suppress(OSError):
                    sock.send(data[round_ % len(data):][:1])
            time.sleep(0.2)

    def end(self):
        self.stopped = True
        self.thread.join()
        for sock, _ in self.socks:
            sock.close()


def used(there):
    total = 0
    for path in there.dir.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_blocks * 512 if path.is_file() else 0
    return total


def many_senders(directory):
    """
    Fifty at once; the memory is a fixed 2 MiB at most for each, who sends many times that. Seventy strangers and five that know
    the key hold nobody up by being slow.
    """
    global PROGRAM
    sanitized, PROGRAM = PROGRAM, BUILD / "kcapture"
    try:
        with receiver(directory, listen="[::1]") as there:
            slow = Slow(there, 70, 5)
            place = f"[::1]:{there.port}"
            gate = directory / "gate"
            senders = [send(there, f"box{number}", 24, "0", gate, place=place) for number in range(50)]
            there.wait_for(r"/box\d+: begins", 50)             # and nobody ends before the gate is open
            peaks = [resident(there)]
            gate.touch()
            while any(sender.poll() is None for sender in senders):
                peaks.append(resident(there))
                time.sleep(0.2)
            slow.end()
            for sender in senders:
                expect(sender.wait() == 0, f"a sender fails: {sender.stderr.read()[-200:]}")
            there.wait_for(r"/box\d+/vmcore \(", 50)
            cores = [path for path in there.files() if path.endswith("/vmcore")]
            sums = {hashlib.sha256((there.dir / path).read_bytes()).hexdigest() for path in cores}
            expect(len(cores) == 50 and len(sums) == 1, f"{len(cores)} cores, {len(sums)} contents")
            most, crowd = max(kib for kib, _ in peaks), peaks[0][1]
            fattest = max(kib / (1 + children) for kib, children in peaks)
            expect(crowd >= 55 and fattest < 2048, f"{most} KiB, {fattest:.0f} a process, for {crowd} senders at once")
    finally:
        PROGRAM = sanitized
    return f"{crowd} connections at once in {most // 1024} MiB"


def crowded_quota(directory):
    """Fifty at once want three times the quota: it holds at every moment, and who is told that his dump is there has it."""
    limit = 100 << 20
    with receiver(directory, "--quota", "100M") as there:
        senders = [send(there, f"box{number}", 8) for number in range(50)]
        most = 0
        while any(sender.poll() is None for sender in senders):
            most = max(most, used(there))
            time.sleep(0.2)
        most = max(most, used(there))
        expect(most <= limit, f"{most} bytes are used of a quota of {limit}")
        content = b"".join(block(number) for number in range(8))
        codes = [sender.wait() for sender in senders]
        for number, code in enumerate(codes):
            core = there.dir / f"box{number}/box{number}/vmcore"
            expect(core.exists() == (code == 0), f"box{number} was told {code}")
            expect(code or core.read_bytes()[4096:] == content[4096:], f"box{number} is not what was sent")
        expect(0 < codes.count(0) < 50, f"{codes.count(0)} of 50 found room")
    return f"{codes.count(0)} of 50 found room"


def restarts(directory):
    """/init's sender and a receiver that is killed again and again, each time in the middle of something."""
    port = free_port()
    sender = None
    for number in range(4):
        with receiver(directory, port=port) as there:
            sender = sender or send(there, "box", 120, "40")
            if number < 3:
                there.wait_for("goes on with|begins", number + 1)
                time.sleep(0.3)
                os.kill(there.process.pid, signal.SIGKILL)
                there.process.wait()
                continue
            code, said = sender.wait(PATIENCE), sender.stderr.read()
            expect(code == 0 and said.count("is back") >= 3, f"the sender exits {code}: {said}")
            there.wait_for(": saved ")
    with open(there.dir / "box/box/vmcore", "rb") as core:
        whole = core.read()
    run = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=there.dir / "box/box", capture_output=True, text=True)
    expect(run.returncode == 0, f"sha256sum: {run.stdout}")
    for number in range(120):
        expect(whole[number << 20:(number + 1) << 20] == block(number), f"megabyte {number} is not what was sent")


def block(number):
    """As dump_sender.c makes it: a hole, or the numbers of a generator."""
    if number % 4 == 3:
        return bytes(1 << 20)
    x, out = number + 1, []
    for _ in range(1 << 17):
        x ^= x << 13 & 0xffffffffffffffff
        x ^= x >> 7
        x ^= x << 17 & 0xffffffffffffffff
        out.append(x)
    return b"".join(value.to_bytes(8, "little") for value in out)


TESTS = {"protocol": protocol, "resume": resume, "unsynced": unsynced, "acknowledged": acknowledged, "hostile": hostile,
         "limits": limits, "restarts": restarts, "many-senders": many_senders,
         "crowded-quota": crowded_quota}
