#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Run every fuzz target for some seconds from a small corpus that is made here (build/fuzz/corpus-TARGET). Inputs that
crash are kept in build/fuzz/crashes/ and tried again first. Needs "make fuzz-programs".
"""

import argparse
import functools
import os
import pathlib
import re
import struct
import subprocess
import sys
import zlib

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from lib import runner
from lib.paths import BUILD, TESTS

FUZZ = BUILD / "fuzz"
CRASHES = FUZZ / "crashes"
SECONDS = 5
INPUT_DEADLINE = 120    # seconds for one input: nothing hangs
PT_LOAD, PT_NOTE = 1, 4
NO_PADDR = 2 ** 64 - 1


# --- seeds: one that is whole for each path through a target; the fuzzer does the rest

def note(order, name, kind, desc):
    def padded(data):
        return data + bytes(-len(data) % 4)
    return struct.pack(order + "3I", len(name) + 1, len(desc), kind) + padded(name + b"\0") + padded(desc)


def notes(order, info=b"OSRELEASE=6.1\nPAGESIZE=4096\n"):
    return (note(order, b"CORE", 1, bytes(336)) + note(order, b"VMCOREINFO", 0, info) +
            note(order, b"KCAPTURE", 0x6b63, b"VERSION=1\nCPUS=0-1,3\nSTATUS=complete\n"))


def core(order, wide, loads, info):
    """A core of one PT_NOTE and loads of (vaddr, paddr, data)."""
    ehdr, phdr = (64, 56) if wide else (52, 32)
    contents = [notes(order, info)] + [data for _, _, data in loads]
    offset = ehdr + phdr * len(contents)
    headers = b""
    for index, data in enumerate(contents):
        vaddr, paddr = loads[index - 1][:2] if index else (0, 0)
        kind = PT_LOAD if index else PT_NOTE
        fields = (offset, vaddr, paddr, len(data), len(data))
        headers += (struct.pack(order + "2I6Q", kind, 7, *fields, 0) if wide else
                    struct.pack(order + "8I", kind, *(field & 0xffffffff for field in fields), 7, 0))
        offset += len(data)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    address = "Q" if wide else "I"
    head = struct.pack(order + "2HI3" + address + "I6H", 4, 62, 1, 0, ehdr, 0, 0, ehdr, phdr, len(contents), 0, 0, 0)
    return ident + head + headers + b"".join(contents)


INFO = (b"OSRELEASE=6.1\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=80001000\nOFFSET(uts_namespace.name)=0\nCRASHTIME=1\n"
        b"NUMBER(phys_base)=0\nSYMBOL(init_top_pgt)=ffffffff80001000\nSYMBOL(prb)=80001000\nSYMBOL(log_buf)=80001000\n"
        b"SYMBOL(log_buf_len)=80001010\nSYMBOL(log_first_idx)=80001020\nSYMBOL(log_next_idx)=80001024\n"
        b"SIZE(printk_log)=16\nOFFSET(printk_log.ts_nsec)=0\nOFFSET(printk_log.len)=8\nOFFSET(printk_log.text_len)=10\n")
RAM = b"Linux".ljust(65, b"\0") + b"host".ljust(65, b"\0") + bytes(400)


def seeds_header():
    loads = [(0xffffffff81000000, 0x1100, RAM[:64]), (0x80001000, 0x1000, RAM), (0xffffc90000000000, NO_PADDR, b"alias")]
    for first, order, wide in ((b"\0", "<", True), (b"\1", ">", True), (b"\2", "<", False), (b"\3", ">", False)):
        yield first + core(order, wide, loads, INFO)
        yield first + core(order, wide, loads[1:2], b"A=1\n")


def seeds_unwind():
    """An ORC table at 0 and 0x40 of two entries, an interrupt's registers, a return address."""
    base = 0xffffffff81000000
    for fp_entry, entries in ((b"\x10\0\xf0\xff\x14\0", b"\x08\0\0\0\5\0" b"\0\0\0\0\5\1"),
                              (b"\x10\0\xf0\xff\x14\2", b"\x08\0\0\0\5\2" b"\0\0\0\0\5\x0b"),
                              (b"\x10\0\xf0\xff\x84\2", b"\x08\0\0\0\3\2" b"\0\0\0\0\3\x0b")):
        ips = struct.pack("<2i", 0x80, 0x100 - 4)
        image = bytearray(ips.ljust(0x40, b"\0") + entries).ljust(0x400, b"\0")
        image[0x200:0x208] = struct.pack("<Q", base + 0x110)
        for ip, sp in ((0x90, 0x200), (0x110, 0x208)):
            regs = [0] * 16 + [base + ip, 0x10, 0, base + sp, 0]
            yield fp_entry + struct.pack("<2HBB21Q", 0, 0x40, 2, 2, *regs) + bytes(image)


def seeds_gdb():
    yield (b"qSupported:x+#?#Hg1#g#m1000,40#qfThreadInfo#qsThreadInfo#qThreadExtraInfo,40000000#T1#qC#qAttached#qSymbol::#"
           b"qXfer:features:read:target.xml:0,200#D#k")


def seeds_notes():
    yield b"\x80" + notes("<")
    yield b"\x81" + notes(">")
    yield b"\x80" + notes("<") + bytes(64)


def seeds_deflate():
    yield b"\0" + struct.pack("<8Q", *range(0xffff888000000000, 0xffff888000000040, 8)) * 20 + bytes(700) + b"page frame " * 30
    yield b"\xff" + bytes(range(256)) * 3


def seeds_flat():
    def record(offset, data):
        return struct.pack(">2Q", offset, len(data)) + data
    header = struct.pack(">16s2Q", b"makedumpfile", 1, 1).ljust(4096, b"\0")
    body = record(0, b"header") + record(4096, b"data" * 20) + record(8000, b"more") + record(0, b"HEAD")
    yield header + body + struct.pack(">2Q", 2 ** 64 - 1, 2 ** 64 - 1)
    yield header + body[:-2]


def zstd_frame(content):
    """A frame of run-length blocks, one for each byte of content that is not repeated."""
    blocks, pos = b"", 0
    while pos < len(content):
        run = len(content) - pos - len(content[pos:].lstrip(content[pos:pos + 1]))
        blocks += struct.pack("<I", run << 3 | 1 << 1 | (pos + run == len(content)))[:3] + content[pos:pos + 1]
        pos += run
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(content)) + blocks


def seeds_zseek():
    frames = [zstd_frame(content) for content in (b"h" * 64, b"ab" * 20 + b"c" * 5000, bytes(9000))]
    sizes = (64, 5040, 9000)
    entries = b"".join(struct.pack("<2I", len(frame), size) for frame, size in zip(frames, sizes))
    table = entries + struct.pack("<IBI", len(sizes), 0, 0x8F92EAB1)
    yield b"".join(frames) + struct.pack("<2I", 0x184D2A5E, len(table)) + table
    yield b"".join(frames)
    grouped = struct.pack("<2I", sum(map(len, frames)), sum(sizes)) + struct.pack("<IBI", 1, 0, 0x8F92EAB1)
    yield b"".join(frames) + struct.pack("<2I", 0x184D2A5E, len(grouped)) + grouped


def snappy_page():
    return b"\x80\x20\0a" + b"\xfe\x01\0" * 63 + b"\xfa\x01\0"


def kdump(version=6, machine=b"x86_64", split=(0, 0, 0), status=1):
    """Page frames 1 to 6 were memory, 2 was left out; the others have a codec each."""
    pages = [(1, zlib.compress(b"page" * 1024)), (0x20, zstd_frame(b"z" * 4096)), (4, snappy_page()), (1, zlib.compress(bytes(4096)))]
    notes_ = notes("<", INFO)
    sub = struct.pack("<Q2i2Q", 0, 31, split[0], *split[1:])
    sub += struct.pack("<6Q", 0, 0, 4096 + 104, len(notes_), 0, 0) + struct.pack("<3Q", *split[1:], 64)
    uts = b"".join(field.ljust(65, b"\0") for field in (b"Linux", b"host", b"6.1", b"#1", machine, b""))
    head = b"KDUMP   " + struct.pack("<i", version) + uts
    head = head.ljust(408, b"\0") + struct.pack("<2QI", 1, 0, status) + struct.pack("<2i2I4Ii", 4096, 1, 2, 64, 0, 0, 0, 0, 1)
    exists, stored = b"\x7e".ljust(4096, b"\0"), b"\x3a".ljust(4096, b"\0")
    data = 4 * 4096 + 24 * len(pages)
    descs = b""
    for flag, page in pages:
        descs += struct.pack("<Q2IQ", data, len(page), flag, 0)
        data += len(page)
    body = head.ljust(4096, b"\0") + (sub + notes_).ljust(4096, b"\0") + exists + stored
    return body + descs + b"".join(page for _, page in pages)


def seeds_kdump():
    for version in (1, 3, 6):
        yield b"\0" + kdump(version)
    yield b"\0" + kdump(machine=b"i686")
    yield b"\0" + kdump(split=(1, 0, 32), status=1 | 8)


def seeds_elfcorehdr():
    yield b"ro elfcorehdr=0x33000000 quiet elfcorehdr=1031540K"
    yield b"elfcorehdr=64K@0x1000M elfcorehdr=0777"


def seeds_cmdline():
    yield (b"BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro console=ttyS0,115200n8 crashkernel=192M quiet \"a b\"=c -- x "
           b"kcapture.raw=/dev/sda kcapture.source=vmcore,devmem kcapture.timeout=5 kcapture.final_action=halt")


def seeds_config():
    yield (b"# kdump\next4 /dev/nvme0n1p1\npath /var/crash\nfinal_action halt\nfailure_action poweroff\ntimeout 1\r\n"
           b"stall_timeout 2\ntarget_timeout 3\nsource vmcore devmem\ncrosscheck yes\naliases no\nextra_modules a b\n")
    yield (b"raw ID=disk\npath /x\nbtrfs UUID=1-2\nsubvol @\nassemble md:1 lvm:a/b luks:2\nluks_key /k\ntarget_limit 5\ntcp host:5000\nkeep 3\nkeep_bytes 5G\ncrash_loop 3\n"
           b"watchdog /dev/watchdog1\nconsole screen\nextra_bins /bin/a /bin/b\nkdump_pre /bin/a\nkdump_post /bin/b\n"
           b"core_collector makedumpfile -l -d 31\ncore_collector makedumpfile -Ezd 1,31 --mess=7\nforce_rebuild\nnfs x:/y\nchecksum no\ndmp_level 3\n")
    yield (b"tcp crash.example\nnet 52:54:00:12:34:56 dhcp vlan 5\nnet eth0 10.0.2.15/24 gateway 10.0.2.2 mtu 1400\nkey /etc/key\n"
           b"net 0000:00:03.0 2001:db8::5/64 gateway fe80::1\nnet e slaac\nhost crash.example 10.0.2.2\nhost b 2001:db8::1\n")


def seeds_wire():
    def frame(kind, seq, payload=b"", file=0, off=0):
        return struct.pack(">IBBHQQ", len(payload), kind, file, 0, seq, off) + b"\0" + payload
    commit = struct.pack(">QII32s", 1000, 1, 0, b"")
    yield (b"\1" + frame(1, 0, b"host\0name\0") + frame(2, 1, b"data" * 100, 0, 4096) + frame(4, 2) + frame(3, 3, commit) +
           frame(5, 4))
    yield b"\1" + frame(1, 0, b"h\0n\0") + frame(2, 1, b"x", 0, 2 ** 55 + 1) + frame(3, 2, struct.pack(">QII32s", 9, 2, 0, b""), 3)
    yield b"\0kcapture" + struct.pack(">H", 1) + bytes(54)
    yield b"\0kc-recv1" + struct.pack(">H", 1) + bytes(54)
    yield b"\0" + struct.pack(">I", 1) + bytes(60)
    yield b"\0" + commit


def seeds_kallsyms():
    nr, base = 100, 0xffffffff81000000
    tokens = [b"Tsym" if code == 1 else bytes([code]) if 0x20 <= code < 0x7f else b"?" for code in range(256)]
    index, table = b"", b""
    for token in tokens:
        index += struct.pack("<H", len(table))
        table += token + b"\0"
    names = b"".join(bytes([len(name)]) + name for name in (b"\1%d" % i for i in range(nr)))
    names += b"\x82\1" + b"\1" + b"l" * 129
    for flags, offsets in ((1, [0x1000 + 16 * i - 0x800 - 4 * i for i in range(nr + 1)]), (3, [0x1000 + 16 * i for i in range(nr + 1)]),
                           (3, [-1 - 0x1000 - 16 * i for i in range(nr + 1)])):
        image = struct.pack("<I4xQ", nr + 1, base).ljust(0x200, b"\0") + index + table.ljust(0x400, b"\0")
        image += struct.pack(f"<{nr + 1}i", *offsets).ljust(0x400, b"\0") + names
        yield bytes([flags]) + image.ljust(0x2000, b"\0")
    # One behind the other, to be found by their form.
    names = b"".join(bytes([len(name)]) + name for name in (b"\1%d" % i for i in range(300)))
    markers = [0, len(b"".join(b"." + b"\1%d" % i for i in range(256)))]
    image = struct.pack("<300i", *range(0x1000, 0x1000 + 16 * 300, 16)) + struct.pack("<QI4x", base, 300)
    for part in (names, struct.pack("<2I", *markers), table, index):
        image += part + b"\0" * (-len(part) % 8)
    yield b"\0" + image + bytes(64)


def seeds_btf():
    """A struct module with a list, an anonymous union, bit fields; an enum and a typedef."""
    strings = b"\0"
    types = b""

    def string(text):
        nonlocal strings
        strings += text + b"\0"
        return len(strings) - len(text) - 1 if text else 0

    def add(name, kind, vlen, size, *more):
        nonlocal types
        types += struct.pack("<3I", string(name), kind << 24 | vlen, size) + struct.pack(f"<{len(more)}I", *more)

    add(b"long unsigned int", 1, 0, 8, 64)
    add(b"", 2, 0, 3)
    add(b"list_head", 4, 2, 16, string(b"next"), 2, 0, string(b"prev"), 2, 64)
    add(b"", 3, 0, 0, 5, 1, 56)
    add(b"char", 1, 0, 1, 1 << 24 | 8)
    add(b"", 5, 2, 16, string(b"list"), 3, 0, string(b"word"), 1, 0)
    add(b"module", 4 | 0x80, 5, 96, 0, 6, 0, string(b"name"), 4, 128, string(b"state"), 8, 576, string(b"a"), 1, 3 << 24 | 640,
        string(b"kallsyms"), 2, 704)
    add(b"module_state", 6, 2, 4, string(b"LIVE"), 0, string(b"COMING"), 1)
    add(b"pid_t", 8, 0, 9)
    add(b"", 13, 1, 1, string(b"p"), 1)
    add(b"big", 19, 1, 8, string(b"BIG"), 1, 2)
    header = struct.pack("<H2B5I", 0xeb9f, 1, 0, 24, 0, len(types), len(types), len(strings))
    yield b"\0" + header + types + strings
    yield b"\0" + header + types


SEEDS = {name[len("seeds_"):]: make for name, make in list(globals().items()) if name.startswith("seeds_")}


def make_corpus(target):
    corpus = FUZZ / f"corpus-{target}"
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(SEEDS[target]()):
        (corpus / f"seed{index}").write_bytes(seed)
    return corpus


# --- running

def execute(argv, log, deadline):
    """
    (exit code, output); libFuzzer writes its inputs where argv says. A program starts with the peak memory of the one
    that it replaces, here a Python that has read whole cores, and libFuzzer's limit reads that: a shell between them forks.
    """
    try:
        done = subprocess.run(["sh", "-c", '"$@"; exit $?', "sh", *map(str, argv)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=deadline, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"})
    except subprocess.TimeoutExpired:
        raise runner.Failure(f"not done after {deadline} s") from None
    log.write_text(done.stdout)
    return done.returncode, done.stdout


def reason(text):
    lines = [line for line in text.splitlines() if re.search(r"not true:|runtime error|^SUMMARY|ERROR: (lib|Addr|Leak)", line)]
    return lines[0] if lines else text.strip()[-200:]


def fuzz(target, seconds, directory):
    CRASHES.mkdir(parents=True, exist_ok=True)
    program, limits = FUZZ / f"fuzz_{target}", [f"-timeout={INPUT_DEADLINE}", "-rss_limit_mb=1024"]
    for old in sorted(CRASHES.glob(f"{target}-*")):
        code, text = execute([program, *limits, old], directory / "old.log", 2 * INPUT_DEADLINE)
        runner.expect(code == 0, f"{old} still fails: {reason(text)}")
    code, text = execute([program, *limits, f"-max_total_time={seconds}", "-print_final_stats=1", "-max_len=20000",
                          f"-artifact_prefix={CRASHES}/{target}-", make_corpus(target)],
                         directory / "fuzz.log", seconds + 6 * INPUT_DEADLINE)
    kept = re.search(r"Test unit written to (\S+)", text)
    runner.expect(code == 0, f"{reason(text)}" + (f", input {kept[1]}" if kept else ""))
    runs = int(re.search(r"number_of_executed_units: (\d+)", text)[1])
    covered = re.findall(r"cov: (\d+)", text)
    return f"{runs} inputs, {covered[-1] if covered else 0} edges"


def tests(seconds=SECONDS):
    targets = [source.stem[len("fuzz_"):] for source in sorted((TESTS / "fuzz").glob("fuzz_*.c"))]
    return [runner.Test(f"fuzz-{target}", functools.partial(fuzz, target, seconds)) for target in targets]


def requires():
    return tuple(FUZZ / source.stem for source in sorted((TESTS / "fuzz").glob("fuzz_*.c")))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    args, sys.argv[1:] = parser.parse_known_args()
    sys.exit(runner.main(__doc__ + "\n--seconds N: how long each target runs.", tests(args.seconds), BUILD / "fuzz-logs",
                         requires=requires(), jobs=2))
