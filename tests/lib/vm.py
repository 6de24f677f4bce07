# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run one QEMU machine: its serial console goes line by line, stamped with seconds since the start, into a log file and
to whoever waits for a pattern; QMP over a socket pair; a deadline after which the machine is killed.
"""

import ctypes
import functools
import json
import mmap
import os
import platform
import re
import socket
import subprocess
import threading
import time

from lib.runner import DEADLINE

QEMU = ["qemu-system-x86_64"]
DIE_WITH_US = ["setpriv", "--pdeathsig", "KILL"]


@functools.cache
def tsc_khz():
    """How fast this machine's time stamp counter runs, which is also that of an emulated one; 0 when that is not known."""
    if platform.machine() != "x86_64":
        return 0
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("0f31 48c1e220 4809d0 c3"))            # rdtsc; shl $32,%rdx; or %rdx,%rax; ret
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))

    def now():
        """(ns, ticks) read at the same time: of many tries the one that nothing came between."""
        tries = [(time.monotonic_ns(), rdtsc(), time.monotonic_ns()) for _ in range(500)]
        before, ticks, after = min(tries, key=lambda one: one[2] - one[0])
        return (before + after) / 2, ticks

    (start, first), _, (end, last) = now(), time.sleep(0.3), now()
    return round((last - first) * 1e6 / (end - start))


def steady():
    """
    For the command line of every kernel in a VM. Kernels measure the counter against timers whose interrupts come late under
    load: their seconds may then be 30 times too short, and every time limit of theirs and ours with them.
    """
    khz = tsc_khz()
    return "no_timer_check" + (f" tsc_early_khz={khz} tsc=reliable" if khz else "")


class Timeout(Exception):
    """A pattern or the end of the machine did not come in time."""


class VM:
    """A running machine. Use as a context manager: leaving it ends QEMU."""

    def __init__(self, log_path, args, memory=512, smp=2, cpu="max,-erms", deadline=DEADLINE):
        self.lines = []                         # (seconds since start, text)
        self.deadline = deadline
        self.ended = None
        self._changed = threading.Condition()
        self._log = open(log_path, "w", encoding="utf-8")
        self._qmp, theirs = socket.socketpair()
        argv = [*DIE_WITH_US, *QEMU, "-accel", "tcg,thread=multi", "-m", str(memory), "-smp", str(smp), "-cpu", cpu,
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
            self._qmp.settimeout(300)
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
