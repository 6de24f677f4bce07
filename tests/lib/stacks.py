# SPDX-License-Identifier: GPL-2.0-or-later
"""
Stacks as `kcapture bt` sees them, held against drgn's with full debuginfo: every CPU, every task, frame by frame. The
system's drgn is too old for newer kernels' ORC tables: sid's, with its own Python, is unpacked into build/cache/.
"""

import json
import os
import pathlib
import subprocess
import tempfile

from lib import elf
from lib.debian import Suite, unpack
from lib.fetch_kernels import build_module, fetch_vmlinux, locked, staging
from lib.paths import CACHE, KCAPTURE
from lib.runner import DEADLINE, expect

KERNEL_MAP = 0xffffffff80000000
PAGE = 4096
DRGN_SCRIPT = """
import json, sys
import drgn
from drgn.helpers.linux.cpumask import for_each_online_cpu
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.pid import for_each_task

core, *debug = sys.argv[1:]
program = drgn.Program()
program.set_core_dump(core)
program.load_debug_info(debug)

def current(cpu):
    try:
        return per_cpu(program["pcpu_hot"], cpu).current_task
    except KeyError:
        return per_cpu(program["current_task"], cpu)

def frames(task):
    found = []
    for frame in program.stack_trace(task):
        if frame.is_inline or not frame.pc >> 63:
            continue
        try:
            found.append((frame.pc, frame.symbol().name))
        except LookupError:
            found.append((frame.pc, None))
    return found

json.dump({"cpus": {cpu: frames(current(cpu)) for cpu in for_each_online_cpu(program)},
           "tasks": {task.pid.value_(): frames(task) for task in for_each_task(program)}}, sys.stdout)
"""

# Names of one place: which of them a symbol table lookup finds is a matter of taste.
ALIASES = {"entry_SYSCALL_64_after_hwframe": "entry_SYSCALL_64", "common_startup_64": "secondary_startup_64",
           "secondary_startup_64_no_verify": "secondary_startup_64", "kcrash_init": "init_module",
           "asm_call_irq_on_stack": "asm_call_on_stack", "asm_call_sysvec_on_stack": "asm_call_on_stack"}
LOST_IN_MODULES = ("5.10", "6.1")       # drgn does not get through the starting code of a module of theirs


def sid_python():
    """argv to start sid's Python, which has sid's drgn, and its environment."""
    root = CACHE / "tools" / "drgn-sid"
    with locked():
        if not root.exists():
            suite = Suite("sid")
            suite.update()
            versions = suite.closure("python3-drgn", r"(python3|lib).*")
            with staging(root.parent) as tmp:
                (tmp / "root" / "usr" / "lib").mkdir(parents=True)
                (tmp / "root" / "lib").symlink_to("usr/lib")
                for deb in suite.download(versions, tmp / "debs"):
                    unpack(deb, tmp / "root", ["./lib/*", "./usr/lib/*", "./usr/bin/python3*"])
                (tmp / "root").rename(root)
    usr = root.resolve() / "usr"
    libraries = usr / "lib" / "x86_64-linux-gnu"
    python = next(usr.glob("bin/python3.*"))
    return ([libraries / "ld-linux-x86-64.so.2", "--library-path", libraries, python],
            {**os.environ, "PYTHONHOME": str(usr), "PYTHONPATH": str(usr / "lib/python3/dist-packages")})


def drgns(core, kernel, with_module):
    """{"cpus": {cpu: [(pc, name)]}, "tasks": {pid: ...}} by drgn."""
    argv, environment = sid_python()
    debug = [fetch_vmlinux(kernel)] + ([build_module(kernel)] if with_module else [])
    with tempfile.TemporaryDirectory() as directory:
        script = pathlib.Path(directory) / "script.py"
        script.write_text(DRGN_SCRIPT)
        done = subprocess.run([str(arg) for arg in (*argv, script, core, *debug)], capture_output=True, text=True,
                              env=environment, timeout=DEADLINE)
    expect(done.returncode == 0, f"drgn: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


def ours(core, option):
    """What `kcapture bt --json` says, a stack each."""
    done = subprocess.run([KCAPTURE, "bt", "--json", option, core], capture_output=True, text=True)
    expect(done.returncode == 0 and not done.stderr, f"kcapture bt {option}: {done.stderr.strip()[-300:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def kernel_frames(stack):
    return [(int(frame["ip"], 16), frame.get("function")) for frame in stack["frames"] if not frame.get("user")]


def same_name(mine, theirs):
    """drgn knows no names in the starting code of a module."""
    return theirs is None or ALIASES.get(mine, mine) == ALIASES.get(theirs, theirs)


def compare(what, kernel, mine, theirs):
    """Equal address by address and name by name."""
    nameless = next((i for i, (_, name) in enumerate(theirs) if name is None), None)
    if kernel in LOST_IN_MODULES and nameless is not None:
        mine, theirs = mine[:nameless + 1], theirs[:nameless + 1]
    equal = len(mine) == len(theirs) and all(a[0] == b[0] and same_name(a[1], b[1]) for a, b in zip(mine, theirs))
    expect(equal, f"the stack of {what} is not drgn's:\n" + "\n".join(
        f"  {a[0]:#x} {a[1]}   {b[0]:#x} {b[1]}" for a, b in zip(mine + [(0, None)] * 99, theirs)))


def check_segments(core, cpus):
    """All stacks that the CPUs came through, interrupts' and exceptions' too, have alias segments, before any module has one."""
    with elf.Core(core) as parsed:
        loads = parsed.loads
    modules = next(i for i, load in enumerate(loads) if load.paddr == elf.NO_PADDR and load.vaddr >= KERNEL_MAP)
    for cpu, stack in cpus.items():
        for frame in stack["frames"]:
            sp = int(frame["sp"], 16)
            # what ran over has its stack pointer in the gap below
            found = next((i for i, load in enumerate(loads) if load.vaddr - PAGE <= sp < load.vaddr + load.filesz), None)
            expect(not sp >> 63 or found is not None and found < modules,
                   f"CPU {cpu}: of {len(loads)} segments number {found} has the stack at {sp:#x}, {modules} the first module")


def check_copy(core, tasks):
    """A kdump-compressed copy has the same stacks: without segments, and without what the core itself lacks."""
    copy = core.with_name("copy.kdump")
    done = subprocess.run([KCAPTURE, "copy", "-q", "-f", "--format", "kdump", core, copy], capture_output=True, text=True)
    expect(done.returncode == 0, f"kcapture copy --format kdump: {done.stderr.strip()[-300:]}")
    there = {str(stack["pid"]): stack for stack in ours(copy, "-t")}
    expect({pid: kernel_frames(stack) for pid, stack in there.items()} == {pid: kernel_frames(stack) for pid, stack in tasks.items()},
           "the stacks of tasks in a kdump-compressed copy are others")
    copy.unlink()


def check(core, kernel, with_module=False):
    """Compare all stacks of a core; returns how many there were."""
    theirs = drgns(core, kernel, with_module)
    cpus = {str(stack["cpu"]): stack for stack in ours(core, "-a")}
    tasks = {str(stack["pid"]): stack for stack in ours(core, "-t")}
    check_segments(core, cpus)
    check_copy(core, tasks)
    expect(set(cpus) == set(theirs["cpus"]), f"CPUs {sorted(cpus)}, drgn has {sorted(theirs['cpus'])}")
    expect(set(tasks) == set(theirs["tasks"]), f"tasks {sorted(tasks)}, drgn has {sorted(theirs['tasks'])}")
    for kind, mine in (("cpus", cpus), ("tasks", tasks)):
        for name, stack in mine.items():
            expect(not stack["ended_early"], f"{kind} {name}: the stack ends: {stack['ended_early']}")
            compare(f"{kind} {name}", kernel, kernel_frames(stack), [tuple(frame) for frame in theirs[kind][name]])
    return len(cpus) + len(tasks)
