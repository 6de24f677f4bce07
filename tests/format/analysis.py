# SPDX-License-Identifier: GPL-2.0-or-later
"""
Looking into a core with nothing but the core: symbols and types against the kernel's vmlinux, memory against drgn, and
the listings against what the crashed kernel said of itself.
"""

import json
import subprocess

from format import fixture
from lib import elf, listings, readers, synthetic
from lib.fetch_kernels import fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import DEADLINE, expect

STRUCTS = ("task_struct", "module", "page", "file", "dentry", "inode", "super_block", "mount", "mm_struct", "vm_area_struct",
           "net_device", "sk_buff", "sock", "signal_struct", "cred", "rq", "irq_desc", "kmem_cache", "zone", "pglist_data",
           "bio", "request_queue", "list_head", "thread_struct", "in_ifaddr", "printk_info", "work_struct", "rw_semaphore")

LAYOUTS = """
import sys
def members(type, base=0):
    for member in type.members or ():
        if member.name is None:
            yield from members(member.type, base + member.bit_offset)
        else:
            yield member.name, base + member.bit_offset, member.bit_field_size
for name in %r:
    type = prog.type("struct " + name)
    print(name, type.size)
    for member in members(type):
        print(name, *member)
"""

MEMORY = """
for address in %r:
    print(prog.read(address, 64).hex())
"""


TASKS = """
from drgn.helpers.linux.pid import for_each_task
for task in for_each_task(prog):
    print(task.pid.value_(), task.real_parent.tgid.value_(), task.comm.string_().decode())
"""


def kcapture(*argv):
    run = subprocess.run([KCAPTURE, *argv], capture_output=True, text=True)
    expect(run.returncode == 0, f"kcapture {argv[0]} exits {run.returncode}: {run.stderr.strip()[-300:]}")
    return run.stdout


def drgn(core, directory, script):
    path = directory / "script.py"
    path.write_text(script)
    code, text = readers.run(["/usr/bin/python3", "/usr/bin/drgn", "-q", "-c", core, "-s", fetch_vmlinux(fixture.KERNEL), path])
    expect(code == 0, f"drgn exits {code}: {text.strip()[-300:]}")
    return text


def nm(path):
    """(name, address) of what nm shows, but for what it makes up itself."""
    run = subprocess.run(["nm", path], capture_output=True, text=True, check=True)
    return {(fields[2], int(fields[0], 16)) for fields in (line.split() for line in run.stdout.splitlines()) if len(fields) == 3}


def symbols(core, directory):
    """Every symbol of the file is in vmlinux, moved by KASLR, and the other way round for all that kallsyms keeps."""
    out = directory / "symbols.elf"
    kcapture("symbols", "-o", out, core)
    offset, bottom = readers.kernel_offset(core), 0xffffffff81000000
    theirs = {(name, address + offset if address >= bottom else address) for name, address in nm(fetch_vmlinux(fixture.KERNEL))}
    ours = {(name, address) for name, address in nm(out) if address < 0xffffffffc0000000}
    expect(len(ours) > 50000 and ours <= theirs, f"not in vmlinux: {sorted(ours - theirs)[:5]}")
    missing = {name for name, _ in theirs} - {name for name, _ in ours}
    # What scripts/kallsyms leaves out, and labels of the assembler.
    missing = {name for name in missing if not name.startswith(("kallsyms_", "__kstrtab", "__crc_", "__pfx_", ".L", "$", "__ksymtab",
                                                                "__efistub", "__pi_", "__UNIQUE_ID", "__addressable_"))}
    expect(len(missing) < 200, f"{len(missing)} are missing: {sorted(missing)[:10]}")
    return f"{len(ours)} symbols"


def layouts(core, directory):
    """Members with offsets and bit fields as drgn reads them from DWARF."""
    ours = set()
    for name in STRUCTS:
        layout = json.loads(kcapture("struct", "--json", core, f"struct {name}"))
        ours.add((name, layout["size"]))
        todo = [layout]
        while todo:
            for member in todo.pop()["members"]:
                if member["name"]:
                    ours.add((name, member["name"], 8 * member["offset"] + member.get("bit_offset", 0), member.get("bit_size")))
                else:
                    todo.append(member)
    theirs = set()
    for line in drgn(core, directory, LAYOUTS % (STRUCTS,)).splitlines():
        name, *rest = line.split()
        theirs.add((name, int(rest[0])) if len(rest) == 1 else
                   (name, rest[0], int(rest[1]), None if rest[2] == "None" else int(rest[2])))
    expect(ours == theirs, f"kcapture alone: {sorted(map(str, ours - theirs))[:5]}, drgn alone: {sorted(map(str, theirs - ours))[:5]}")
    return f"{len(ours)} members"


def memory(core, directory):
    """rd by virtual and, through vtop, by physical address gives what drgn reads."""
    names = ("linux_banner", "init_task", "modules", "schedule", "dummy:dummy_xmit")
    addresses = [int(line.split()[0], 16) for line in kcapture("sym", core, *names).splitlines()]
    theirs = drgn(core, directory, MEMORY % (addresses,)).split()
    for address, wanted in zip(addresses, theirs, strict=True):
        where = json.loads(kcapture("vtop", "--json", core, hex(address)))
        for argv in ((core, hex(address)), ("-p", core, where["physical"])):
            words = json.loads(kcapture("rd", "--json", "-1", *argv, "64"))["words"]
            expect(bytes(int(word, 16) for word in words).hex() == wanted, f"other bytes at {address:#x} ({argv[0]})")
        expect(where["class"] == "kernel" and where["in_dump"], f"vtop says {where}")
    return f"{len(addresses)} places"


def objects(core, directory):
    """An object's members are what they are known to be."""
    task = json.loads(kcapture("struct", "--json", core, "task_struct", "init_task"))["value"]
    expect(task["comm"] == "swapper/0" and task["pid"] == 0 and task["static_prio"] == 120, f"init_task: {str(task)[:300]}")
    text = kcapture("struct", core, "task_struct", "init_task")
    for wanted in ('.comm = "swapper/0"', "<init_stack+0x0", ".usage.refs.counter = "):
        expect(wanted in text, f"{wanted} is not in the text of init_task")
    expect("= 120" in kcapture("struct", core, "task_struct.static_prio", "init_task"), "one member")


def tasks(core, directory):
    """Every thread that drgn knows, and no other, with the same parents."""
    ours = {(task["pid"], task["ppid"], task["comm"]) for task in json.loads(kcapture("ps", "--json", "--threads", core))}
    theirs = set()
    for line in drgn(core, directory, TASKS).splitlines():
        pid, ppid, comm = line.split(" ", 2)
        theirs.add((int(pid), int(ppid), comm))
    expect(len(ours) > 30 and ours == theirs, f"kcapture alone: {sorted(ours - theirs)[:5]}, drgn alone: {sorted(theirs - ours)[:5]}")
    plain, tree = (sorted(line.split() for line in kcapture("ps", "-T", *option, core).splitlines()) for option in ((), ("-t",)))
    expect(plain == tree, "the tree does not show the same tasks")
    return f"{len(ours)} tasks"


QUESTIONS = (("ps", "--threads", "--json"), ("mods", "--json"), ("mounts", "--json"), ("net", "--json"), ("irqs", "--json"),
             ("dmesg", "--json"))
FORMS = {
    "filtered": ["copy", "-q", "-d", "31"],
    "kdump-zlib": ["copy", "-q", "-d", "31", "--format", "kdump", "--compress", "zlib"],
    "kdump-zstd": ["copy", "-q", "--format", "kdump", "--compress", "zstd"],
    "zstd": ["copy", "-q", "--compress", "zstd"],
}


def answers(core, out):
    texts = [kcapture(verb, *options, core) for verb, *options in QUESTIONS]
    texts.append(kcapture("struct", core, "task_struct", "init_task"))
    texts.append(kcapture("vtop", core, "init_task"))
    kcapture("symbols", "-f", "-o", out, core)
    return texts, out.read_bytes()


def forms(core, directory):
    """The same answers from the filtered, compressed and flattened dump."""
    expected, out = answers(core, directory / "symbols.elf"), directory / "form"
    for name, argv in FORMS.items():
        kcapture(*argv, core, out)
        expect(answers(out, directory / "symbols.elf") == expected, f"other answers from {name}")
        out.unlink()
    with open(out, "wb") as file:
        subprocess.run([KCAPTURE, "copy", "-q", core, "-"], stdout=file, check=True)
    expect(answers(out, directory / "symbols.elf") == expected, "other answers from the flattened core")
    return f"{len(FORMS) + 1} forms"


def poke(core, address, data):
    """Change the dead kernel's memory in the file."""
    paddr = int(json.loads(kcapture("vtop", "--json", core, address))["physical"], 16)
    with elf.Core(core) as parsed:
        load = next(load for load in parsed.loads if load.paddr != elf.NO_PADDR and load.paddr <= paddr < load.paddr + load.filesz)
    with open(core, "r+b") as file:
        file.seek(load.offset + paddr - load.paddr)
        file.write(data)


def damaged(core, directory, damages, *argv):
    """Exit code and texts of a verb on a damaged copy."""
    bad = directory / "bad.core"
    subprocess.run(["cp", "--sparse=always", core, bad], check=True)
    for address, data in damages:
        poke(bad, address, data)
    run = subprocess.run([KCAPTURE, *argv[:1], bad, *argv[1:]], capture_output=True, text=True, timeout=DEADLINE)
    bad.unlink()
    expect(run.returncode in (0, 1), f"kcapture {argv[0]} exits {run.returncode}")
    return run.returncode, run.stdout, run.stderr


def broken(core, directory):
    """A broken structure costs its own line: what comes before it is shown, and that something is broken is said."""
    def word(value):
        return value.to_bytes(8, "little")

    kcapture("copy", "-q", "-d", "31", core, directory / "small.core")
    core = directory / "small.core"
    modules = json.loads(kcapture("mods", "--json", core))
    offset = json.loads(kcapture("struct", "--json", core, "module"))
    offset = next(member["offset"] for member in offset["members"] if member["name"] == "list")
    last = int(modules[-1]["struct"], 16) + offset
    code, out, err = damaged(core, directory, [(hex(last), word(last))], "mods")            # the end of the list is itself
    expect(code == 1 and modules[-1]["name"] in out and "broken" in err, f"mods of a circle: {code} {err}")
    code, out, err = damaged(core, directory, [("init_task+" + str(task_offset(core, "tasks")), word(0xffff123412341234))], "ps")
    expect(code == 1 and "broken" in err, f"ps of a list into nowhere: {code} {err}")
    tasks = json.loads(kcapture("ps", "--json", core))
    middle = int(tasks[len(tasks) // 2]["struct"], 16) + task_offset(core, "tasks")
    code, out, err = damaged(core, directory, [(hex(middle), word(0x1234))], "ps")
    expect(code == 1 and "init" in out and len(out.splitlines()) > 10 and "broken" in err, f"ps of half a list: {code} {err}")
    head = kcapture("sym", core, "net_namespace_list").split()[0]
    code, out, err = damaged(core, directory, [(head, word(0))], "net")
    expect(code == 1 and "broken" in err, f"net of no list: {code} {err}")
    number = vmcoreinfo(core)["SYMBOL(kallsyms_num_syms)"]
    for argv in (("sym", "schedule"), ("ps",), ("symbols", "-f", "-o", directory / "out.elf")):
        code, out, err = damaged(core, directory, [(number, b"\xff" * 4)], *argv)
        expect(code == 1 and "kallsyms_num_syms" in err and err.count("\n") == 1, f"{argv[0]} without symbols: {code} {err}")
    code, out, err = damaged(core, directory, [(number, b"\xff" * 4)], "dmesg")
    expect(code == 0 and "sysrq triggered crash" in out and not err, f"dmesg without symbols: {code} {err}")
    btf = kcapture("sym", core, "__start_BTF").split()[0]
    code, out, err = damaged(core, directory, [(btf, b"\0\0")], "struct", "page")
    expect(code == 1 and "no BTF" in err, f"struct without types: {code} {err}")
    code, out, err = damaged(core, directory, [(btf, b"\0\0")], "sym", "schedule")
    expect(code == 0 and "schedule" in out, f"sym without types: {code} {err}")


def task_offset(core, name):
    layout = json.loads(kcapture("struct", "--json", core, "task_struct"))
    return next(member["offset"] for member in layout["members"] if member["name"] == name)


def vmcoreinfo(core):
    with elf.Core(core) as parsed:
        return parsed.vmcoreinfo()


def listed(core, directory):
    return listings.check(core, fixture.console())


VERBS = (("info",), ("dmesg",), ("symbols", "-f", "-o", "OUT"), ("sym", "CORE", "schedule"), ("struct", "CORE", "task_struct", "init_task"),
         ("rd", "CORE", "init_task"), ("vtop", "CORE", "init_task"), ("bt", "-a"), ("bt", "-t"), ("ps", "-T"), ("mods",), ("mounts",), ("irqs",),
         ("locks",), ("net",), ("report", "-o", "OUT"))
PEAK = 64 * 1024                # KiB


def memory_bar(core, directory):
    """Every verb's peak memory, on the ELF core and on a kdump of zlib pages."""
    small, most = directory / "small", 0
    kcapture("copy", "-q", "-d", "31", "--format", "kdump", "--compress", "zlib", core, small)
    for path in (core, small):
        for verb in VERBS:
            (directory / "out").unlink(missing_ok=True)
            words = [path if word == "CORE" else directory / "out" if word == "OUT" else word for word in verb]
            code, text, _, _, peak = synthetic.measure(KCAPTURE, *words, *([] if "CORE" in verb else [path]))
            expect(code == 0, f"kcapture {verb[0]}: {text[-200:]}")
            expect(peak < PEAK, f"kcapture {verb[0]} takes {peak} KiB")
            most = max(most, peak)
    return f"{most} KiB at most"


CHECKS = (memory_bar, symbols, layouts, memory, objects, tasks, forms, broken, listed)
