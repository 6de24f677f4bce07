# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs people open kernel cores with, run without a terminal: gdb, crash, drgn, makedumpfile."""

import subprocess

from lib import elf
from lib.runner import DEADLINE

DRGN_SCRIPT = """
import drgn
from drgn.helpers.linux.pid import for_each_task
program = drgn.Program()
program.set_core_dump({core!r})
program.load_debug_info([{vmlinux!r}])
print("tasks", sum(1 for _ in for_each_task(program)))
crashed = program.crashed_thread()
print("crashed", crashed.object.comm.string_().decode())
print(crashed.stack_trace())
"""


def run(argv, timeout=DEADLINE, stdin=None):
    """(exit code, stdout and stderr together)."""
    done = subprocess.run([str(arg) for arg in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=timeout, input=stdin)
    return done.returncode, done.stdout


def kernel_offset(core_path):
    """KASLR's displacement of the crashed kernel, from its VMCOREINFO."""
    with elf.Core(core_path) as core:
        return int(core.vmcoreinfo()["KERNELOFFSET"], 16)


# Threads of a core are its CPUs in order; the kernel remembers which one went into panic() or crash_kexec().
PANICKING_THREAD = 'eval "thread %d", panic_cpu.counter + 1'


def gdb(core_path, vmlinux, *commands):
    """gdb's output for commands, symbols moved to where the kernel ran."""
    offset = kernel_offset(core_path)
    setup = ("set pagination off", "set confirm off", f"core-file {core_path}", f"symbol-file -o {offset:#x} {vmlinux}")
    argv = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off"]
    return run(argv + [word for command in (*setup, *commands) for word in ("-ex", command)])[1]


def crash(core_path, vmlinux, *commands):
    return run(["crash", "-s", "--no_modules", vmlinux, core_path], stdin="\n".join([*commands, "quit", ""]))


def drgn(core_path, vmlinux):
    script = DRGN_SCRIPT.format(core=str(core_path), vmlinux=str(vmlinux))
    return run(["/usr/bin/python3", "-c", script])


def makedumpfile(*args):
    return run(["makedumpfile", *args])
