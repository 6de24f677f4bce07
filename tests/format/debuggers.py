# SPDX-License-Identifier: GPL-2.0-or-later
"""Debuggers started on a core: which debug files of modules gdb gets and where it puts them, and that drgn and crash start."""

import json
import re
import shutil
import subprocess

from format import analysis, fixture
from lib import readers
from lib.fetch_kernels import build_module, fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import expect

NAMES = ("kcrash_hold", "kcrash_want", "kcrash_mutex", "kcrash_rwsem")          # code and data


def kcapture(*argv, stdin=None):
    code, text = readers.run([KCAPTURE, *argv], stdin=stdin)
    expect(code == 0, f"kcapture {argv[0]} exits {code}: {text.strip()[-300:]}")
    return text


def objcopy(source, target, *options):
    subprocess.run(["objcopy", *map(str, options), source, target], check=True, capture_output=True)


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    return re.search(r"Build ID: ([0-9a-f]+)", notes)[1]


def added(core, directory, debug):
    """The file that gdb is told to take for the module, None when none was found."""
    kcapture("gdb", "--debug-dir", debug, "--keep", directory, core)
    lines = (directory / "commands").read_text().splitlines()
    found = [line for line in lines if line.startswith("add-symbol-file") and " -s .text 0x" in line]
    expect(len(found) < 2, f"{len(found)} files")
    return found[0].split()[1] if found else None


def places(core, directory):
    """Addresses of the module's functions and variables in gdb: by the module's file, for no other symbols are left."""
    commands = directory / "own"
    text = (directory / "commands").read_text()
    commands.write_text("".join(line + "\n" for line in text.splitlines() if "/symbols" not in line))
    argv = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-x", commands]
    for name in NAMES:
        argv += ["-ex", f'printf "{name} 0x%lx\\n", &{name}']
    found = dict(re.findall(r"^(kcrash_\w+) (0x[0-9a-f]+)$", readers.run(argv)[1], re.M))
    wanted = {name: "0x" + kcapture("sym", core, f"kcrash:{name}").split()[0] for name in NAMES}
    expect(found == wanted, f"gdb has {found}, the kernel had {wanted}")


def debug_files(core, directory):
    """By build id and by name; not without debug information, and not of another build."""
    module = build_module(fixture.KERNEL)
    debug, by_id = directory / "by-name" / "some" / "where", build_id(module)
    debug.mkdir(parents=True)
    expect(added(core, directory / "none", directory / "nowhere") is None, "there is a file for the module from the beginning")
    shutil.copy(module, debug / "kcrash.ko.debug")
    expect(added(core, directory / "named", directory / "by-name") == str(debug / "kcrash.ko.debug"), "not found by name")
    places(core, directory / "named")
    other = directory / "by-id" / ".build-id" / by_id[:2] / f"{by_id[2:]}.debug"
    other.parent.mkdir(parents=True)
    shutil.copy(module, other)
    expect(added(core, directory / "id", directory / "by-id") == str(other), "not found by build id")
    objcopy(module, debug / "kcrash.ko.debug", "-g")
    expect(added(core, directory / "stripped", directory / "by-name") is None, "a file without debug information was taken")
    note = directory / "note"
    objcopy(module, "/dev/null", "--dump-section", f".note.gnu.build-id={note}")
    note.write_bytes(note.read_bytes()[:-1] + b"\xa5")
    objcopy(module, debug / "kcrash.ko.debug", "--update-section", f".note.gnu.build-id={note}")
    expect(added(core, directory / "other", directory / "by-name") is None, "the file of another build was taken")
    # As the linker of 6.12 leaves some sections: gdb would put all others at the place of .text.
    objcopy(module, debug / "kcrash.ko.debug", "--change-section-address", ".data=0x80")
    taken = added(core, directory / "shifted", directory / "by-name")
    expect(taken == str(directory / "shifted" / "kcrash.ko"), f"gdb takes {taken}")
    places(core, directory / "shifted")
    lying_sections(core, directory)


def lying_sections(core, directory):
    """A number of sections without end, and an array of them that is not there, cost the sections."""
    module = next(module["struct"] for module in json.loads(kcapture("mods", "--json", core)) if module["name"] == "kcrash")
    attrs = json.loads(kcapture("struct", "--json", core, "module", module))["value"]["sect_attrs"]
    nr = next(member["offset"] for member in json.loads(kcapture("struct", "--json", core, "module_sect_attrs"))["members"]
              if member["name"] == "nsections")
    pointer = next(member["offset"] for member in json.loads(kcapture("struct", "--json", core, "module"))["members"]
                   if member["name"] == "sect_attrs")
    for address, data in ((f"{int(attrs, 16) + nr:#x}", b"\xff" * 4), (f"{int(module, 16) + pointer:#x}", b"\xa5" * 8)):
        code, _, err = analysis.damaged(core, directory, [(address, data)], "gdb", "--keep", directory / "broken")
        expect(code == 0 and not err, f"kcapture gdb exits {code}: {err}")


def drgn_starts(core, directory):
    script = directory / "script.py"
    script.write_text("print('comm', prog['init_task'].comm.string_().decode())\n")
    text = kcapture("drgn", core, fetch_vmlinux(fixture.KERNEL), "--", "-q", script)
    expect("comm swapper/0" in text, f"drgn says {text[-300:]}")


def crash_starts(core, directory):
    del directory
    text = kcapture("crash", core, fetch_vmlinux(fixture.KERNEL), "--", "-s", "--no_modules", stdin="sys\nquit\n")
    expect(re.search(r"PANIC: .*sysrq triggered crash", text), f"crash says {text[-300:]}")


def gdb_starts(core, directory):
    """With vmlinux, on a dump that plain gdb cannot read: threads, symbols with types, the module's variable."""
    small, debug = directory / "small", directory / "debug"
    kcapture("copy", "-q", "-d", "31", "--format", "kdump", core, small)
    debug.mkdir()
    shutil.copy(build_module(fixture.KERNEL), debug / "kcrash.ko")
    text = kcapture("gdb", "-D", debug, small, fetch_vmlinux(fixture.KERNEL), "--", "-nx", "-batch", "-ex", "print init_task.comm",
                    "-ex", "print kcrash_mutex.owner", "-ex", "info threads")
    expect('= "swapper/0' in text and "counter = " in text, f"gdb says {text[-300:]}")
    threads = len(re.findall(r"^[* ] +\d+ +Thread ", text, re.M))
    tasks = len(json.loads(kcapture("ps", "--json", "--threads", core)))
    expect(threads >= tasks, f"{threads} threads of {tasks} tasks")


CHECKS = (debug_files, gdb_starts, drgn_starts, crash_starts)
