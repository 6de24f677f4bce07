# SPDX-License-Identifier: GPL-2.0-or-later
"""`kcapture gdb` on a core and on what `kcapture copy` makes of it: every task a thread, every stack to be walked."""

import re
import subprocess

from lib import readers
from lib.paths import KCAPTURE
from lib.runner import expect

KDUMP = ("-d", "31", "--format", "kdump", "--compress", "zlib")


def tasks(core):
    """PIDs of all tasks, by `kcapture bt -t`, which other tests hold against drgn."""
    done = subprocess.run([KCAPTURE, "bt", "-t", core], capture_output=True, text=True)
    expect(done.returncode == 0, f"kcapture bt -t: {done.stderr.strip()[-200:]}")
    return sorted(int(pid) for pid in re.findall(r"^(?:CPU \d+  )?PID (\d+)", done.stdout, re.M))


def gdb(core, *commands):
    argv = [KCAPTURE, "gdb", core, "--", "-nx", "-batch"] + [word for command in commands for word in ("-ex", command)]
    code, text = readers.run(argv)
    expect(code == 0, f"kcapture gdb exits {code}: {text.strip()[-300:]}")
    return text


def check_one(core, wanted, directory):
    text = gdb(core, "info threads", "thread apply all bt 5")
    (directory / f"gdb-threads-{core.name}.txt").write_text(text)
    listed = [int(pid) for pid in re.findall(r"^[* ] +\d+ +Thread (\d+)", text, re.M)]
    idle = [pid for pid in listed if pid >= 1 << 30]
    expect(sorted(pid for pid in listed if pid < 1 << 30) == wanted, f"{core.name}: gdb lists {len(listed)} threads, not {len(wanted)}")
    stacks = re.split(r"^Thread \d+ \(Thread ", text, flags=re.M)[1:]
    expect(len(stacks) == len(listed), f"{core.name}: {len(stacks)} stacks of {len(listed)} threads")
    for stack in stacks:
        expect(re.search(r"^#0 .* in \S+ \(", stack, re.M) and "rror" not in stack and "annot" not in stack,
               f"{core.name}: the stack of a thread: {stack[:300]}")
    deep = sum("#3 " in stack for stack in stacks)
    expect(deep > len(stacks) * 0.8, f"{core.name}: {deep} of {len(stacks)} stacks have more than three frames")
    return len(listed), len(idle)


def check(core, directory):
    """On ELF, kdump-compressed at level 31, and that flattened."""
    wanted = tasks(core)
    small, flat = directory / "small.kdump", directory / "small.flat"
    code, text = readers.run([KCAPTURE, "copy", "-q", *KDUMP, core, small])
    expect(code == 0, f"kcapture copy exits {code}: {text.strip()[-300:]}")
    with open(flat, "wb") as out:
        done = subprocess.run([KCAPTURE, "copy", "-q", *KDUMP, core, "-"], stdout=out, stderr=subprocess.PIPE, text=True)
    expect(done.returncode == 0, f"kcapture copy to a pipe: {done.stderr.strip()[-300:]}")
    for path in (core, small, flat):
        threads, idle = check_one(path, wanted, directory)
    return f"{threads} threads in gdb, {idle} of them idle CPUs"
