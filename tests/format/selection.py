# SPDX-License-Identifier: GPL-2.0-or-later
"""
Page selection: at every dump level the pages that kcapture keeps are those that makedumpfile keeps, a filtered core
holds the bytes that the whole one does, and debuggers find in it what they found before.
"""

import re
import subprocess

from lib import crowded, elf, foreign, page_sets, readers
from lib import synthetic as synthetic_cores
from lib.fetch_kernels import fetch_vmlinux
from lib.paths import KCAPTURE
from lib.runner import expect

CHUNK = 1 << 20
HIDDEN = ("SIZE(page)", "OFFSET(page.", "NUMBER(PG_", "NUMBER(PAGE_", "LENGTH(zone", "SYMBOL(mem_section)", "LENGTH(mem_section)")
KEYS = ("PAGESIZE", "SIZE(page)", "OFFSET(page.flags)", "OFFSET(page.mapping)", "OFFSET(page._mapcount)", "OFFSET(page.private)",
        "OFFSET(page.compound_head)", "OFFSET(page.compound_info)", "OFFSET(page.compound_dtor)", "OFFSET(page.compound_order)", "LENGTH(zone.free_area)",
        "NUMBER(PG_lru)", "NUMBER(PG_private)", "NUMBER(PG_swapcache)", "NUMBER(PG_swapbacked)", "NUMBER(PG_slab)",
        "NUMBER(PG_hugetlb)", "NUMBER(PG_head_mask)", "NUMBER(HUGETLB_PAGE_DTOR)", "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)",
        "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)",
        "SYMBOL(mem_section)", "LENGTH(mem_section)", "SIZE(mem_section)", "OFFSET(mem_section.section_mem_map)",
        "NUMBER(SECTION_SIZE_BITS)", "NUMBER(MAX_PHYSMEM_BITS)", "NUMBER(phys_base)", "NUMBER(pgtable_l5_enabled)")
# What no type tells: macros of the kernel, and how large its pages are.
UNKNOWN_TO_TYPES = {"6.1": ("PAGESIZE", "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)"),
                    "6.12": ("PAGESIZE",), "7": ("PAGESIZE",)}
KALLSYMS = "SYMBOL(kallsyms"     # without them the kernel's own types are not found either
PEAK_KIB = 12 << 10
TASKS = """
import sys
from drgn.helpers.linux.pid import for_each_task
for task in for_each_task(prog):
    sys.stdout.write("%d %s\\n" % (task.pid, task.comm.string_().decode()))
"""

# Kernels that the distribution's own makedumpfile knows, and those that only a newer one does and drgn has to confirm.
KNOWN, NEWER = ("5.10", "6.1"), ("6.12", "7")


def filtered(core, level, directory):
    out = directory / f"level-{level}.core"
    code, text = readers.run([KCAPTURE, "copy", "-q", "-d", level, core, out])
    expect(code == 0, f"kcapture copy -d {level} exits {code}: {text.strip()[-300:]}")
    expect("nothing is left out" not in text and "all are kept" not in text, text.strip()[-300:])
    return out


def compare(level, ours, theirs, who):
    more, less = ours & ~theirs, theirs & ~ours
    expect(not more and not less, f"level {level}: we keep {page_sets.describe(more)} that {who} leaves out, "
           f"we leave out {page_sets.describe(less)} that it keeps")


def same_pages(kernel, directory):
    """
    The same page sets as makedumpfile's at every level. One difference is meant: what a balloon or virtio-mem took is never
    stored, while makedumpfile looks at no struct page at levels 0 and 1 unless the kernel has PG_hwpoison.

    makedumpfile 1.7.8 does not know the newest kernels: from 6.15 on sections of a hugetlb page of the boot command line have
    a sixth flag (SECTION_IS_VMEMMAP_PREINIT), which it takes for a part of the memmap's address, and from 7.1 on a tail page
    shows by compound_info, not by compound_head, so that it takes some tails of kernel pages for user memory. There it must
    only keep nothing that we leave out; same_as_symbols() is what proves our set.
    """
    core, argv = crowded.core_of(kernel), ["makedumpfile"] if kernel in KNOWN else foreign.program("makedumpfile")
    ours = page_sets.of_selection(core, directory)
    with elf.Core(core) as parsed:
        looks_always = "NUMBER(PG_hwpoison)" in parsed.vmcoreinfo()
    for level in page_sets.LEVELS:
        theirs = page_sets.of_makedumpfile(argv, core, level, directory)
        if level < 2 and not looks_always:
            offline = theirs & ~ours[level]
            expect(offline.bit_count() == crowded.BALLOON * 256, f"level {level}: {page_sets.describe(offline)} are offline")
            theirs &= ~offline
        if kernel == "7":
            lost = ours[level] & ~theirs & ~crowded.GIGANTIC
            expect(lost.bit_count() < 5000, f"level {level}: makedumpfile leaves out {page_sets.describe(lost)} more")
            theirs = (theirs | lost) & ~crowded.GIGANTIC | ours[level] & crowded.GIGANTIC
        compare(level, ours[level], theirs, "makedumpfile")
    check_variety(ours)
    return f"{ours[0].bit_count()} pages at level 0, {ours[31].bit_count()} at level 31"


def same_as_symbols(kernel, directory):
    """The same page sets as a drgn script finds, which knows the kernel's types from its debug symbols."""
    core = crowded.core_of(kernel)
    ours, theirs = page_sets.of_selection(core, directory), page_sets.of_drgn(core, fetch_vmlinux(kernel), directory)
    for level in page_sets.LEVELS:
        compare(level, ours[level], theirs[level], "drgn")
    check_variety(ours)


def by_types(kernel, directory):
    """
    Without a word of struct page in VMCOREINFO the kernel's own types and symbols tell the same. Types of pages are known
    to BTF since 6.12; before, free and offline pages stay.
    """
    core = crowded.core_of(kernel)
    told, found = page_sets.of_selection(core, directory), page_sets.of_selection(core, directory, HIDDEN)
    log = (directory / "ours.txt").read_text()
    expect("were taken from the crashed kernel's own types" in log, log[-300:])
    for level in range(2, 32):
        expect(not told[level] & ~found[level], f"level {level} lacks {page_sets.describe(told[level] & ~found[level])}")
        if kernel in NEWER:
            compare(level, found[level], told[level], "VMCOREINFO's page map")
    expect(found[31].bit_count() < found[0].bit_count() // 2, "hardly anything is left out")


def lean_without(core, key, directory):
    """The peak memory of a copy that needs the crashed kernel's own types."""
    hidden = directory / "hidden.core"
    subprocess.run(["cp", "--sparse=always", core, hidden], check=True)
    with open(hidden, "r+b") as file:
        start = file.read(CHUNK).index(f"\n{key}=".encode())
        file.seek(start + 1)
        file.write(b"x")
    code, text, _, _, peak = synthetic_cores.measure(KCAPTURE, "dump", "--message-level", 30, "-d", 31, hidden, directory / "hidden.kdump")
    hidden.unlink()
    expect(code == 0 and "taken from the crashed kernel's own types" in text, f"kcapture dump exits {code}: {text.strip()[-300:]}")
    expect(peak <= PEAK_KIB, f"kcapture dump took {peak} KiB")
    return peak


def missing_keys(kernel, directory):
    """
    Without any one of the keys there is a selection, which leaves out no page more, with or without the crashed kernel's own
    types. Where those say the same nothing changes; where they do not the log says what stays, and why.
    """
    core = crowded.core_of(kernel)
    with elf.Core(core) as parsed:
        keys = [key for key in KEYS if key in parsed.vmcoreinfo()]
    expect(len(keys) > 20, f"VMCOREINFO has only {keys}")
    peak = lean_without(core, "OFFSET(page.mapping)", directory)
    told, said = page_sets.of_level(core, 31, directory)
    expect(not said, f"with all keys: {said}")
    for key in keys:
        found, said = page_sets.of_level(core, 31, directory, (key + "=",))
        expect(not told & ~found, f"without {key} {page_sets.describe(told & ~found)} are left out as well")
        alone, _ = page_sets.of_level(core, 31, directory, (key + "=", KALLSYMS))
        expect(not told & ~alone, f"without {key} and types {page_sets.describe(told & ~alone)} are left out as well")
        if key not in UNKNOWN_TO_TYPES[kernel]:
            expect(found == told, f"without {key} {page_sets.describe(found & ~told)} are kept")
        elif found != told:
            expect("no valid " + key in said, f"without {key} {page_sets.describe(found & ~told)} are kept, and nobody says why: {said}")
    return f"{len(keys)} keys, peak {peak} KiB"


def check_variety(sets):
    """Each bit of the level leaves out pages that no other one does, or the comparison has proved nothing."""
    for bit, least in ((4, 500), (8, 40000), (16, 20000)):
        expect((sets[31 & ~bit] & ~sets[31]).bit_count() > least, f"hardly a page is left out by level {bit}")
    expect((sets[0] & ~sets[2]).bit_count() > 500 and (sets[2] & ~sets[4]).bit_count() > 50, "hardly any page cache")


def elf_has_the_set(core, directory):
    """What an ELF core holds at level 31 is the selection, but for short gaps that are not worth a segment."""
    for level in (0, 16, 31):
        ours, stored = page_sets.of_selection(core, directory)[level], page_sets.of_elf(filtered(core, level, directory))
        expect(not ours & ~stored, f"level {level}: the core lacks {page_sets.describe(ours & ~stored)}")
        expect((stored & ~ours).bit_count() <= ours.bit_count() // 50,
               f"level {level}: the core has {page_sets.describe(stored & ~ours)} too many")


def synthetic(directory):
    """64 GiB in eight nodes: the same page sets as makedumpfile's, and no more memory than for a small machine."""
    core = synthetic_cores.core_of(64)
    ours = page_sets.of_selection(core, directory)
    for level in (30, 31):
        compare(level, ours[level], page_sets.of_makedumpfile(["makedumpfile"], core, level, directory), "makedumpfile")
    code, text, _, _, peak = synthetic_cores.measure(KCAPTURE, "copy", "-q", "-d", 31, core, directory / "level-31.core")
    expect(code == 0, f"kcapture copy exits {code}: {text.strip()[-300:]}")
    expect(peak <= PEAK_KIB, f"kcapture copy took {peak} KiB")
    return f"peak {peak} KiB"


def same_bytes(core, directory):
    """What a filtered core holds is what the whole one has there."""
    with elf.Core(core) as whole, elf.Core(filtered(core, 31, directory)) as part:
        loads = [load for load in whole.loads if load.paddr != elf.NO_PADDR]
        for load in part.loads:
            if load.paddr == elf.NO_PADDR:
                continue
            home = next(other for other in loads if other.paddr <= load.paddr < other.paddr + other.filesz)
            for pos in range(0, load.filesz, CHUNK):
                size = min(CHUNK, load.filesz - pos)
                expect(part.read(load.offset + pos, size) == whole.read(home.offset + load.paddr - home.paddr + pos, size),
                       f"bytes differ at {load.paddr + pos:#x}")


def same_tasks(core, directory):
    """drgn lists the same tasks, and gdb reaches the system call, with everything left out that can be."""
    vmlinux = fetch_vmlinux("6.1")
    part = filtered(core, 31, directory)
    compare_tasks([core, part], vmlinux, directory)
    trace = readers.gdb(part, vmlinux, readers.PANICKING_THREAD, "bt")
    expect("sysrq_handle_crash" in trace and "entry_SYSCALL_64" in trace, f"gdb's backtrace is short:\n{trace}")


def newer_tasks(kernel, directory):
    """Kernels of which makedumpfile 1.7.2 loses half the tasks at level 31."""
    core, vmlinux = crowded.core_of(kernel), fetch_vmlinux(kernel)
    pair = [core, filtered(core, 31, directory)]
    compare_tasks(pair, vmlinux, directory)
    crash = foreign.program("crash")
    lists = [readers.run([*crash, "-s", "--no_modules", vmlinux, path], stdin="ps\nquit\n")[1] for path in pair]
    (directory / "ps.txt").write_text(lists[1])
    expect(lists[0] == lists[1] and len(lists[0].splitlines()) > 20, f"crash lists other tasks in the filtered core:\n{lists[1][:500]}")


def compare_tasks(pair, vmlinux, directory):
    script = directory / "tasks.py"
    script.write_text(TASKS)
    lists = [readers.run(["/usr/bin/python3", "/usr/bin/drgn", "-q", "-c", path, "-s", vmlinux, script])[1] for path in pair]
    expect(lists[0] == lists[1] and len(lists[0].splitlines()) > 20, f"drgn lists other tasks in the filtered core:\n{lists[1][-500:]}")


def same_dmesg(core, directory):
    """kcapture dmesg says what makedumpfile --dump-dmesg does; that one indents further lines of a record."""
    out = directory / "peer.txt"
    subprocess.run(["makedumpfile", "-f", "--dump-dmesg", core, out], check=True, capture_output=True)
    code, ours = readers.run([KCAPTURE, "dmesg", core])
    expect(code == 0, f"kcapture dmesg exits {code}: {ours[-200:]}")
    stamp = re.compile(r"^(\[ *\d+\.\d{6}\] | +)")
    theirs = out.read_text(errors="replace").splitlines()
    plain = [[stamp.sub("", line).lstrip() for line in lines] for lines in (ours.splitlines(), theirs)]
    expect(plain[0] == plain[1] and len(plain[0]) > 100, "kcapture dmesg and makedumpfile --dump-dmesg differ")
