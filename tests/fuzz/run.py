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

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from lib import runner
from lib.paths import BUILD, TESTS

FUZZ = BUILD / "fuzz"
CRASHES = FUZZ / "crashes"
SECONDS = 5
INPUT_DEADLINE = 20     # seconds for one input: nothing hangs
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


def seeds_notes():
    yield b"\x80" + notes("<")
    yield b"\x81" + notes(">")
    yield b"\x80" + notes("<") + bytes(64)


def seeds_flat():
    def record(offset, data):
        return struct.pack(">2Q", offset, len(data)) + data
    header = struct.pack(">16s2Q", b"makedumpfile", 1, 1).ljust(4096, b"\0")
    body = record(0, b"header") + record(4096, b"data" * 20) + record(8000, b"more") + record(0, b"HEAD")
    yield header + body + struct.pack(">2Q", 2 ** 64 - 1, 2 ** 64 - 1)
    yield header + body[:-2]


def seeds_elfcorehdr():
    yield b"ro elfcorehdr=0x33000000 quiet elfcorehdr=1031540K"
    yield b"elfcorehdr=64K@0x1000M elfcorehdr=0777"


def seeds_cmdline():
    yield (b"BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro console=ttyS0,115200n8 crashkernel=192M quiet \"a b\"=c -- x "
           b"kcapture.raw=/dev/sda kcapture.source=vmcore,devmem kcapture.timeout=5 kcapture.final_action=halt")


def seeds_config():
    yield (b"# kdump\next4 /dev/nvme0n1p1\npath /var/crash\nfinal_action halt\nfailure_action poweroff\ntimeout 1\r\n"
           b"stall_timeout 2\ntarget_timeout 3\nsource vmcore devmem\ncrosscheck yes\naliases no\nextra_modules a b\n")
    yield b"raw /dev/sdb\n"


SEEDS = {name[len("seeds_"):]: make for name, make in list(globals().items()) if name.startswith("seeds_")}


def make_corpus(target):
    corpus = FUZZ / f"corpus-{target}"
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(SEEDS[target]()):
        (corpus / f"seed{index}").write_bytes(seed)
    return corpus


# --- running

def execute(argv, log, deadline):
    """(exit code, output); libFuzzer writes its inputs where argv says."""
    try:
        done = subprocess.run([str(arg) for arg in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
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
