# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run one QEMU machine: its serial console goes line by line, stamped with seconds since the start, into a log file and
to whoever waits for a pattern; QMP over a socket pair; a deadline after which the machine is killed.
"""

import json
import os
import re
import socket
import subprocess
import threading
import time

QEMU = "qemu-system-x86_64"
DIE_WITH_US = ["setpriv", "--pdeathsig", "KILL"]


class Timeout(Exception):
    """A pattern or the end of the machine did not come in time."""


class VM:
    """A running machine. Use as a context manager: leaving it ends QEMU."""

    def __init__(self, log_path, args, memory=512, smp=2, cpu="max,-erms", deadline=180):
        self.lines = []                         # (seconds since start, text)
        self.deadline = deadline
        self.ended = None
        self._changed = threading.Condition()
        self._log = open(log_path, "w", encoding="utf-8")
        self._qmp, theirs = socket.socketpair()
        argv = [*DIE_WITH_US, QEMU, "-accel", "tcg,thread=multi", "-m", str(memory), "-smp", str(smp), "-cpu", cpu,
                "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
                "-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control", *args]
        self._log.write(" ".join(argv) + "\n")
        self.start = time.monotonic()
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, pass_fds=[theirs.fileno()])
        theirs.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self._qmp.close()
        self._log.close()

    def _read(self):
        rest = b""
        while data := os.read(self.process.stdout.fileno(), 65536):
            *lines, rest = re.split(rb"[\r\n]+", rest + data)
            self._take(lines)
        self._take([rest])

    def _take(self, raw_lines):
        stamp = time.monotonic() - self.start
        with self._changed:
            for raw in filter(None, raw_lines):
                text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1bc", "", raw.decode("utf-8", "replace"))
                self._log.write(f"{stamp:8.3f} {text}\n")
                self.lines.append((stamp, text))
            self._log.flush()
            self._changed.notify_all()

    def _left(self, timeout):
        until = self.start + self.deadline
        return until if timeout is None else min(until, time.monotonic() + timeout)

    def wait_for(self, pattern, timeout=None):
        """The match of the first line that the pattern is found in, past lines included."""
        until = self._left(timeout)
        seen = 0
        while True:
            with self._changed:
                fresh = self.lines[seen:]
                ended = not self._reader.is_alive()
                if not fresh and not ended:
                    if time.monotonic() >= until:
                        raise Timeout(f"waited in vain for /{pattern}/")
                    self._changed.wait(max(0.01, min(1.0, until - time.monotonic())))
            for _, text in fresh:
                match = re.search(pattern, text)
                if match:
                    return match
            seen += len(fresh)
            if ended and seen == len(self.lines):
                raise Timeout(f"the machine ended without /{pattern}/")

    def wait_end(self, timeout=None):
        """Wait for QEMU's own exit; vm.ended is when, in seconds since the start."""
        try:
            self.process.wait(max(0.0, self._left(timeout) - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Timeout("the machine did not end in time") from None
        self.ended = time.monotonic() - self.start
        self._reader.join()

    def qmp(self, command, **arguments):
        """Execute one QMP command and return its result."""
        if not hasattr(self, "_qmp_file"):
            self._qmp.settimeout(30)
            self._qmp_file = self._qmp.makefile("rw", encoding="utf-8")
            json.loads(self._qmp_file.readline())
            self.qmp("qmp_capabilities")
        self._qmp_file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._qmp_file.flush()
        for line in self._qmp_file:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"{command}: QEMU hung up")

    def stamp_of(self, pattern, last=False):
        """Seconds since the start of the first (or last) line that the pattern is found in, None if there is none."""
        stamps = [stamp for stamp, text in self.lines if re.search(pattern, text)]
        return stamps[-1 if last else 0] if stamps else None

    def text(self):
        return "\n".join(text for _, text in self.lines)
