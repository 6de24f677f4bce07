# SPDX-License-Identifier: GPL-2.0-or-later
"""
A sender of dumps written from src/wire.h alone, on another library (python3-cryptography): what it and `kcapture
receive` agree on is what the header says. It can also misbehave.
"""

import hashlib
import hmac
import os
import socket
import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

BEGIN, DATA, COMMIT, SYNC, END, ACK, REFUSE = 1, 2, 3, 4, 5, 64, 65
VMCORE, DMESG, NOTES, JSON, LOG, SUMS = range(6)
DUMP, PROBE = 1, 2
OK, BAD_VERSION, DENIED, UNKNOWN_DUMP, FULL, BUSY, FAILED, MISMATCH = range(8)
COMPLETE, HAS_SHA256 = 1, 2


class Ended(Exception):
    """The receiver hung up."""


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


class Keys:
    """HKDF-SHA-256 of the shared key with both nonces as salt."""

    def __init__(self, shared, sender_nonce, receiver_nonce):
        prk = mac(sender_nonce + receiver_nonce, hashlib.sha256(shared).digest())
        names = ("sender proof", "receiver proof", "frames", "answers", "dump")
        self.sender, self.receiver, self.frames, self.answers, dump = (
            mac(prk, f"kcapture 1 {name}".encode() + b"\1") for name in names)
        self.dump_id = dump[:16]


def seal(key, seq, data):
    return ChaCha20Poly1305(key).encrypt(bytes(4) + struct.pack(">Q", seq), b"", data)


class Client:
    """One connection; attributes say what the receiver has answered."""

    def __init__(self, port, shared, purpose=DUMP, dump_id=bytes(16), version=1, keys=None, host="127.0.0.1"):
        self.sock = socket.create_connection((host, port), timeout=30)
        self.seq = self.answer_seq = 0
        self.acked, self.refusals = 0, []
        nonce = os.urandom(32)
        hello = b"kcapture" + struct.pack(">HHI", version, 0, 0) + nonce + dump_id
        self.sock.sendall(hello)
        challenge = self.recv(64)
        assert challenge[:8] == b"kc-recv1"
        self.version, _, self.challenge_status = struct.unpack(">HHI", challenge[8:16])
        if self.challenge_status:
            return
        self.link = Keys(shared, nonce, challenge[16:48])
        self.keys = keys or self.link
        proof = struct.pack(">I", purpose) + bytes(28)
        proof += mac(self.link.sender, hello + challenge + proof + bytes(32))
        self.sock.sendall(proof)
        welcome = self.recv(64)
        self.status, _, self.next_seq, self.room = struct.unpack(">IIQQ", welcome[:24])
        self.proved = welcome[32:] == mac(self.link.receiver, hello + challenge + proof + welcome[:32] + bytes(32))
        self.seq = self.acked = self.next_seq

    def recv(self, size):
        data = b""
        while len(data) < size:
            try:
                piece = self.sock.recv(size - len(data))
            except ConnectionError:
                piece = b""
            if not piece:
                raise Ended()
            data += piece
        return data

    def frame(self, kind, payload=b"", file=0, off=0, seq=None, length=None, reserved=0):
        """The bytes of the next frame, with whatever of it is to be wrong."""
        if seq is None:
            seq = self.seq
            self.seq += 1
        head = struct.pack(">IBBHQQ", len(payload) if length is None else length, kind, file, reserved, seq, off)
        return head + payload + seal(self.keys.frames, seq, head + payload)

    def send(self, *args, **kwargs):
        self.sock.sendall(self.frame(*args, **kwargs))

    def begin(self, host="box", name="box-1"):
        self.send(BEGIN, host.encode() + b"\0" + name.encode() + b"\0")
        self.wait()

    def commit(self, file, size, flags=COMPLETE, sha256=bytes(32)):
        self.send(COMMIT, struct.pack(">QII", size, flags, 0) + sha256, file)

    def answer(self):
        """Read one frame of the receiver's."""
        head = self.recv(24)
        length, kind, _, _, seq, off = struct.unpack(">IBBHQQ", head)
        payload = self.recv(length)
        assert seq == self.answer_seq and self.recv(16) == seal(self.link.answers, seq, head + payload)
        self.answer_seq += 1
        if kind == ACK:
            self.acked = off
        else:
            self.refusals.append((off, struct.unpack(">I", payload[:4])[0], payload[4:].decode()))

    def wait(self):
        """Until everything is acknowledged."""
        while self.acked < self.seq:
            self.answer()

    def ended(self):
        """Read what is left; true when the receiver has hung up."""
        try:
            while True:
                self.answer()
        except Ended:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.sock.close()
