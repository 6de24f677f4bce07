# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a crashed kernel said of itself on the console, right before it crashed (guest.listings), against what kcapture finds
in the core: modules with their symbols, mounts, interrupts, addresses, tasks.
"""

import json
import re
import subprocess
import tempfile

from lib import readers
from lib.paths import KCAPTURE
from lib.runner import expect


def parse(console):
    """name -> lines."""
    found, current = {}, None
    for line in console.replace("\r", "").splitlines():
        line = re.sub(r"^ *\d+\.\d{3} ", "", line)
        if match := re.fullmatch(r"listing: (\w+)", line):
            current = None if match[1] == "end" else found.setdefault(match[1], [])
        elif current is not None and not re.match(r"\[ *\d+\.\d+\] ", line):
            current.append(line)
    return found


def ask(core, verb, *options):
    """The verb's JSON."""
    run = subprocess.run([KCAPTURE, verb, "--json", *options, core], capture_output=True, text=True)
    expect(run.returncode == 0 and not run.stderr, f"kcapture {verb} exits {run.returncode}: {run.stderr.strip()[-300:]}")
    return json.loads(run.stdout)


def same(what, ours, theirs):
    ours, theirs = set(ours), set(theirs)
    expect(theirs, f"the guest listed no {what}")
    expect(ours == theirs, f"{what}: kcapture alone has {sorted(ours - theirs)[:5]}, the kernel alone {sorted(theirs - ours)[:5]}")
    return len(ours)


def modules(core, listed):
    """/proc/modules: name size refs users, state address (taints)"""
    ours = []
    for mod in ask(core, "mods"):
        users = ",".join(mod["users"] + ["[permanent]"] * mod["permanent"]) or "-"
        ours.append((mod["name"], mod["size"], mod["refs"], users, mod["state"], int(mod["memory"][0]["address"], 16)))
    theirs = []
    for line in listed["modules"]:
        name, size, refs, users, state, address = line.split()[:6]
        theirs.append((name, int(size), int(refs), users.strip(",") or "-", state, int(address, 16)))
    return same("modules", ours, theirs)


def module_symbols(core, listed):
    """/proc/kallsyms names every symbol of a module by address, type and name."""
    theirs = {line.split()[2]: int(line.split()[0], 16) for line in listed["kallsyms"]}
    expect(len(theirs) > 10, "the guest listed no symbols of a module")
    run = subprocess.run([KCAPTURE, "sym", core, *(f"dummy:{name}" for name in theirs)], capture_output=True, text=True)
    expect(run.returncode == 0, f"kcapture sym exits {run.returncode}: {run.stderr.strip()[-300:]}")
    ours = {line.split()[2].split("+0x")[0]: int(line.split()[0], 16) for line in run.stdout.splitlines()}
    return same("module symbols", ours.items(), theirs.items())


def module_types(core, listed):
    """A structure that only a module has."""
    if any(line.startswith("5.10.") for line in listed["release"]):
        return 0                                    # types of modules came with 5.11
    run = subprocess.run([KCAPTURE, "struct", "--json", core, "veth_priv"], capture_output=True, text=True)
    expect(run.returncode == 0, f"kcapture struct veth_priv: {run.stderr.strip()}")
    layout = json.loads(run.stdout)
    types = {member["name"]: member["type"] for member in layout["members"]}
    expect(types.get("peer") == "struct net_device *" and layout["size"] > 16, f"struct veth_priv is {layout}")
    return len(types)


def mounts(core, listed):
    """/proc/mounts: device path type options"""
    generic = {"ro", "rw", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime", "nosymfollow"}
    ours = [(m["device"], m["path"], m["type"], m["options"]) for m in ask(core, "mounts")]
    theirs = []
    for line in listed["mounts"]:
        device, path, kind, options = [field.replace("\\040", " ") for field in line.split()[:4]]
        theirs.append((device, path, kind, ",".join(word for word in options.split(",") if word in generic)))
    return same("mounts", ours, theirs)


def addresses(core, listed):
    """ip -o addr: index: name family address/prefix ..."""
    ours = [(device["index"], device["name"], address) for device in ask(core, "net") for address in device["addresses"]]
    theirs = [(int(index.rstrip(":")), name.rstrip(":"), address)
              for index, name, _, address, *_ in (line.split() for line in listed["addresses"])]
    return same("addresses", ours, theirs)


def interrupts(core, listed):
    """/proc/interrupts: number: counts by CPU, chip, hwirq-flow, handlers; until the crash some count on."""
    ours = {irq["irq"]: irq for irq in ask(core, "irqs")}
    cpus, nr = len(listed["interrupts"][0].split()), 0
    for line in listed["interrupts"][1:]:
        number, *fields = line.split()
        if not number.rstrip(":").isdigit() or len(fields) < cpus + 3:
            continue
        irq, counts, names = ours.get(int(number.rstrip(":"))), sum(map(int, fields[:cpus])), " ".join(fields[cpus + 2:])
        expect(irq and irq["chip"] == fields[cpus], f"{line} is {irq}")
        expect(counts <= irq["count"] <= counts + 5000 and ", ".join(action["name"] for action in irq["actions"]) == names,
               f"{line} is {irq}")
        nr += 1
    expect(nr > 5 and nr == len(ours), f"{nr} interrupts listed by the guest, {len(ours)} by kcapture")
    return nr


def tasks(core, listed):
    """/proc/PID/task/TID/stat; between the listing and the crash its own processes ended and kernel threads went on."""
    ours = {task["pid"]: task for task in ask(core, "ps", "--threads")}
    nr, cpus = 0, 2
    for line in listed["tasks"]:
        pid, comm, state, ppid, *rest = re.fullmatch(r"(\d+) \((.*)\) (\S) (.*)", line).groups()
        ppid, rss = int(ppid.split()[0]), 4 * int(ppid.split()[20])
        if comm == "cat" or (comm == "init" and int(pid) > 1):
            continue
        task = ours.get(int(pid))
        expect(task, f"kcapture ps lacks {pid} {comm}")
        expect(task["ppid"] == ppid and (comm.startswith("kworker/") or comm.startswith(task["comm"])), f"{line} is {task}")
        if ppid != 2 and int(pid) > 2:
            expect(task["state"] == state, f"{line} has state {task['state']}")
            # What the kernel shows lacks what CPUs and threads have counted on their own, up to 6.1 even huge pages.
            # The shell that holds memory (guest.py) may still be taking it.
            most = 1 << 30 if comm == "sh" else 16384
            expect(-4 * 64 * cpus <= task["rss_kb"] - rss <= most, f"RSS of {pid} {comm} is {rss} kB, not {task['rss_kb']}")
        nr += 1
    expect(nr > 30 and len(ours) - nr < 8, f"{nr} tasks listed by the guest, {len(ours)} by kcapture")
    expect(any(task["wchan"] and "nanosleep" in task["wchan"] for task in ours.values() if task["comm"] == "sleep"),
           "sleep does not wait in nanosleep")
    return nr


def levels(core, listed):
    """dmesg -r: <level>[time] text"""
    run = subprocess.run([KCAPTURE, "dmesg", "--json", core], capture_output=True, text=True)
    names = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
    ours = {(names.index(record["level"]), record["text"]) for record in map(json.loads, run.stdout.splitlines())}
    theirs = {(int(match[1]) & 7, match[2]) for match in (re.match(r"<(\d+)>\[ *[\d.]+\] (.*)", line) for line in listed["levels"])
              if match}
    expect(len(theirs) > 30 and theirs <= ours, f"levels: the kernel alone has {sorted(theirs - ours)[:3]}")
    return len(theirs)


def locks(core, listed):
    """The three tasks of kcrash.ko that wait for locks of a fourth (tests/e2e/module)."""
    if not any(line.startswith("kcrash ") for line in listed["modules"]):
        return 0
    ours = {(lock["comm"], lock["kind"], lock["symbol"].split("+")[0], lock["owner_comm"], lock["by_reader"])
            for lock in ask(core, "locks") if lock["comm"].startswith("kcrash")}
    theirs = {("kcrash-mutex", "mutex", "kcrash_mutex", "kcrash-hold", False),
              ("kcrash-write", "rwsem (write)", "kcrash_rwsem", "kcrash-hold", False),
              ("kcrash-read", "rwsem (read)", "kcrash_rwsem", "kcrash-hold", False)}
    return same("waiters", ours, theirs)


def waits(core, listed):
    """How long they had waited: since they were started (one 0.2 s earlier than the others), by the log's times."""
    if not any(line.startswith("kcrash ") for line in listed["modules"]):
        return 0
    run = subprocess.run([KCAPTURE, "dmesg", "--json", core], capture_output=True, text=True)
    times = {}
    for record in map(json.loads, run.stdout.splitlines()):
        times.setdefault(record["text"], record["usec"])
        last = record["usec"]
    begin, end = ((last - times[f"kcrash: {what}"]) / 1000 for what in ("blocking", "blocked"))
    waited = {lock["comm"]: lock["waited_ms"] for lock in ask(core, "locks") if lock["comm"].startswith("kcrash")}
    idle = {task["comm"]: task["idle_ms"] for task in ask(core, "ps") if task["comm"].startswith("kcrash")}
    expect(len(waited) == 3 and all(end <= value <= begin for value in waited.values()), f"waited {waited}, not {end:.0f} to {begin:.0f} ms")
    expect(len(idle) == 4 and all(end <= value <= begin for value in idle.values()), f"idle {idle}, not {end:.0f} to {begin:.0f} ms")
    return len(idle)


def gdb_frames(core, listed):
    """gdb with nothing but the symbol file walks from the panic to user space, and names the functions as kcapture bt does."""
    with tempfile.TemporaryDirectory() as directory:
        out = f"{directory}/symbols.elf"
        run = subprocess.run([KCAPTURE, "symbols", "-o", out, core], capture_output=True, text=True)
        expect(run.returncode == 0, f"kcapture symbols exits {run.returncode}: {run.stderr.strip()[-300:]}")
        text = readers.run(["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", f"core {core}", "-ex",
                            f"symbol-file {out}", "-ex", "thread apply all bt", "-ex", "info symbol dummy_xmit"])[1]
    expect("dummy_xmit in section .text.dummy" in text, f"gdb does not know dummy_xmit:\n{text[-300:]}")
    stacks = [re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+) \(", stack, re.M) for stack in text.split("\nThread ")]
    ours = subprocess.run([KCAPTURE, "bt", core], capture_output=True, text=True).stdout
    wanted = re.findall(r"^ +#\d+ +[0-9a-f]+ +([^\s+]+)", ours, re.M)
    stack = next((stack for stack in stacks if "sysrq_handle_crash" in stack), [])
    stack = [name for name in stack if name != "??"]
    expect(len(wanted) > 8 and stack == wanted[:len(stack)] and len(stack) >= len(wanted) - 1,
           f"gdb shows {stack}, kcapture bt {wanted}")
    return len(stack)


CHECKS = (modules, module_symbols, module_types, mounts, addresses, levels, interrupts, tasks, locks, waits, gdb_frames)


def check(core, console):
    listed = parse(console)
    return ", ".join(f"{check(core, listed)} {check.__name__.replace('_', ' ')}" for check in CHECKS)
