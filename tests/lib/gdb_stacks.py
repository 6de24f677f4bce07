# SPDX-License-Identifier: GPL-2.0-or-later
"""
The stack of the CPU that panicked in plain gdb, on an ELF core with its alias segments and without them: with vmlinux and
the module's file as people load them, and with what `kcapture gdb --keep` adds to these or makes of the core alone.
"""

import json
import re
import shutil

from lib import readers
from lib.fetch_kernels import build_module, fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import expect

ENTRY = re.compile(r"entry_SYSCALL_64|sysvec_|asm_exc_")
SHALLOW = 3                     # frames at most without aliases


def kcapture(*argv):
    code, text = readers.run([KCAPTURE, *argv])
    expect(code == 0, f"kcapture {argv[0]} exits {code}: {text.strip()[-300:]}")
    return text


def script(core, directory, *vmlinux, options=()):
    """The file of commands for gdb."""
    kcapture("gdb", *options, "--keep", directory, core, *vmlinux)
    return directory / "commands"


def backtraces(commands, cpu, log, *cores):
    """What gdb says of the stack in each of the cores; threads are CPUs in their order."""
    argv = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", "set pagination off", "-x", commands]
    for core in cores:
        argv += ["-ex", f"core-file {core}", "-ex", f"thread {cpu + 1}", "-ex", "echo ====\\n", "-ex", "bt", "-ex", "echo ====\\n"]
    text = readers.run(argv)[1]
    log.write_text(text)
    texts = text.split("====\n")[1::2]
    expect(len(texts) == len(cores), f"gdb shows {len(texts)} stacks of {len(cores)}, see {log}")
    return [re.findall(r"^#\d+ +(.*)", found, re.M) for found in texts]


def addresses(frames):
    """Of frames that show one: an inlined one, and one at the begin of a line, does not."""
    return [int(match[1], 16) for match in (re.match(r"(0x[0-9a-f]+) in ", frame) for frame in frames) if match]


def entered(frames):
    return any(ENTRY.search(frame) for frame in frames)


def named(frames):
    """Functions of frames, as the compiler called them."""
    return {match[1].split(".")[0] for match in (re.match(r"(?:0x[0-9a-f]+ in )?(\S+) \(", frame) for frame in frames) if match}


def compare(what, frames, wanted):
    """
    All of our frames are there in their order: by address, or where gdb shows none (at the begin of a line of source, in an
    inlined function) by name; the entries are signal handlers to gdb. It has more: inlined functions, and those that ended in
    a jump to the next.
    """
    kernel = [frame for frame in wanted if not frame.get("user")]
    signals = sum("<signal handler called>" in frame for frame in frames)
    shown, names, missing = addresses(frames), named(frames), []
    for frame in kernel:
        address = int(frame["ip"], 16)
        if address in shown:
            shown = shown[shown.index(address) + 1:]
        elif frame["function"].split(".")[0] not in names:
            missing.append(frame["function"])
    expect(len(missing) <= signals, f"{what}: gdb's frames lack of `kcapture bt`'s: {missing}")
    expect(len(frames) >= len(kernel), f"{what}: {len(frames)} frames, `kcapture bt` has {len(kernel)}")


def as_people_do(commands, out):
    """The commands without what the core itself contributes."""
    lines = commands.read_text().splitlines(keepends=True)
    out.write_text("".join(line for line in lines if not re.search(r"/(switches|symbols)$", line)))
    return out


def check(core, kernel, with_module, directory):
    """What to print: frames of plain gdb with aliases and without, with frame descriptions from the core, and by the core alone."""
    bare, debug = directory / "no-aliases", directory / "debug"
    kcapture("copy", "-q", "--no-aliases", core, bare)
    debug.mkdir()
    if with_module:
        shutil.copy(build_module(kernel), debug / "kcrash.ko")
    stack = json.loads(kcapture("bt", "--json", core).splitlines()[0])
    full = script(core, directory / "full", fetch_vmlinux(kernel), options=("-D", debug))
    plain = as_people_do(full, directory / "plain.gdb")
    expect("kcrash" in plain.read_text() or not with_module, "the module's file was not found")
    deep, shallow = backtraces(plain, stack["cpu"], directory / "gdb-plain.txt", core, bare)
    expect(entered(deep), f"gdb's backtrace of {len(deep)} frames does not reach the entry")
    expect(len(shallow) <= SHALLOW and not entered(shallow), f"without aliases gdb's backtrace has {len(shallow)} frames")
    [through] = backtraces(full, stack["cpu"], directory / "gdb-full.txt", core)
    compare("with vmlinux", through, stack["frames"])
    alone, stuck = backtraces(script(core, directory / "alone"), stack["cpu"], directory / "gdb-alone.txt", core, bare)
    compare("with the core's symbols", alone, stack["frames"])
    expect(len(stuck) <= SHALLOW, f"without aliases gdb's backtrace by the core's symbols has {len(stuck)} frames")
    return f"gdb: {len(deep)} frames, {len(shallow)} without aliases, {len(through)} with frames from the core, {len(alone)} by the core alone"
