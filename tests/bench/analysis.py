#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What looking into a core costs: CPU time (user + system; the least of some runs) and peak memory of every verb, on the vmcore
of a machine of 1.5 GiB in use, as ELF and as kdump -d 31 of zlib pages; on the same vmcore with a TiB of memory more, which is
a hole in the file; and, for what the synthetic machine of 1 TiB (lib/synth.c: page tables and struct pages, but no kernel image, so
neither symbols nor logs) has, on that. Bars: 0.5 s and 64 MiB on the first three; the last is said against the same verb on the first.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]
from bench import bars, core
from lib import elf, synthetic
from lib.paths import KCAPTURE

CPU_BAR, PEAK_BAR = 0.5, 64                 # s, MiB
TIB = 1 << 40
VERBS = [("info",), ("dmesg",), ("symbols", "-f", "-o", "OUT"), ("sym", "CORE", "schedule"), ("struct", "CORE", "task_struct", "init_task"),
         ("rd", "CORE", "init_task", "512"), ("vtop", "CORE", "init_task"), ("bt", "-a"), ("bt", "-t"), ("ps", "-T"), ("mods",),
         ("mounts",), ("irqs",), ("locks",), ("net",), ("report", "-o", "OUT")]
# By physical address, and by one of the direct mapping: without symbols.
ON_SYNTHETIC = [("info",), ("rd", "-p", "CORE", "0x200000000", "512"), ("vtop", "CORE", "0xff11000200000000"), ("report", "-o", "OUT")]


def with_a_tib(vmcore, out):
    """The same core with one more PT_LOAD, of memory behind all other, all of it a hole; its headers have room for it."""
    subprocess.run(["cp", "--sparse=always", vmcore, out], check=True)
    with elf.Core(vmcore) as parsed:
        nr, note, last = len(parsed.phdrs), parsed.phdrs[0], parsed.loads[-1]
        end = elf.EHDR.size + (nr + 1) * elf.PHDR.size
        if end > note.offset:
            raise SystemExit(f"{vmcore}: no room for a program header")
        direct = last.vaddr - last.paddr
        paddr = TIB
    with open(out, "r+b") as file:
        file.seek(0, os.SEEK_END)
        offset = (file.tell() + 4095) & -4096
        file.truncate(offset + TIB)
        file.seek(elf.EHDR.size + nr * elf.PHDR.size)
        file.write(elf.PHDR.pack(elf.PT_LOAD, 7, offset, direct + paddr, paddr, TIB, TIB, 0))
        file.seek(56)
        file.write((nr + 1).to_bytes(2, "little"))


def cost(verb, vmcore, out, rounds):
    """(CPU s, peak MiB)."""
    words = [str(vmcore) if word == "CORE" else str(out) if word == "OUT" else word for word in verb]
    words += [] if "CORE" in verb else [vmcore]
    cpus, peaks = [], []
    for _ in range(rounds):
        out.unlink(missing_ok=True)
        code, text, _, cpu, peak = synthetic.measure(KCAPTURE, *words)
        if code:
            raise SystemExit(f"kcapture {verb[0]} {vmcore}: {text.strip()[-200:]}")
        cpus.append(cpu)
        peaks.append(peak)
    return min(cpus), max(peaks) / 1024


def show(name, verb, one, against=None):
    said = " ".join(word for word in verb if word not in ("CORE", "OUT", "-o", "-f"))
    met = against is not None or (one[0] < CPU_BAR and one[1] < PEAK_BAR)
    ratio = f"  {one[0] / max(against[0], 0.001):5.1f}x" if against else ""
    print(f"{bars.mark(met)} {name:12} {said:34} {one[0] * 1000:6.0f} ms  peak {one[1]:5.1f} MiB{ratio}", flush=True)
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=3, help="rounds")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        directory, first, judged = pathlib.Path(directory), {}, []
        out = directory / "out"
        for name, options in (("ELF", ["-d", "0"]), ("kdump zlib", ["--format", "kdump", "--compress", "zlib", "-d", "31"]), ("ELF + 1 TiB", None)):
            form = directory / "vmcore"
            if options:
                subprocess.run([KCAPTURE, "copy", "-q", "-f", *options, core.bench_core(), form], check=True)
            else:
                with_a_tib(core.bench_core(), form)
            for verb in VERBS:
                one = cost(verb, form, out, args.n)
                first.setdefault(verb[0], one)
                judged.append(show(name, verb, one))
            form.unlink()
        for verb in ON_SYNTHETIC:
            show("1 TiB", verb, cost(verb, synthetic.core_of(1024), out, args.n), first[verb[0]])
    return bars.total(judged)


if __name__ == "__main__":
    sys.exit(main())
