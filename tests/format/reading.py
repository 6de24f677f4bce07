# SPDX-License-Identifier: GPL-2.0-or-later
"""
Reading what makedumpfile wrote: of each of its formats kcapture makes an ELF core with exactly the pages that the dump
has, the bytes of the raw core, and its notes; damaged dumps and missing pieces are called so.
"""

import os
import struct
import subprocess

from lib import compare_cores, elf, page_sets, readers, synthetic
from lib.paths import KCAPTURE
from lib.runner import DEADLINE, expect

PAGE = 4096
CHUNK = 1 << 20
PEAK_KIB = 12 << 10
RECORDS = 1000000

# Dumps by name: makedumpfile's options. "-F" writes to standard output.
DUMPS = {
    "zlib-31": ["-c", "-d", "31"],
    "lzo-0": ["-l", "-d", "0"],
    "snappy-31": ["-p", "-d", "31"],
    "plain-1": ["-d", "1"],
    "flat-lzo-31": ["-F", "-l", "-d", "31"],
    "flat-elf-31": ["-F", "-E", "-d", "31"],
}


def kcapture(*argv, code=0, stdin=None):
    """Output of kcapture, which must exit with code."""
    done = subprocess.run([str(arg) for arg in (KCAPTURE, *argv)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=DEADLINE, stdin=stdin)
    expect(done.returncode == code, f"kcapture {' '.join(map(str, argv))} exits {done.returncode}: {done.stdout.strip()[-300:]}")
    return done.stdout


def dump(raw, name, directory):
    out, options = directory / f"{name}.dump", DUMPS[name]
    with open(out, "wb") as stream:
        argv = ["makedumpfile", *options, raw] + ([] if "-F" in options else [out])
        if "-F" not in options:
            out.unlink()
        run = subprocess.run([str(arg) for arg in argv], stdout=stream, stderr=subprocess.PIPE)
    expect(run.returncode == 0, f"makedumpfile {' '.join(options)}: {run.stderr[-200:]}")
    return out


def split(raw, directory, options=("-l", "-d", "0")):
    """Three pieces of a dump; makedumpfile cuts at whole split blocks only, which are as large as this machine if not told."""
    pieces = [directory / f"piece{index}" for index in range(3)]
    run = subprocess.run([str(arg) for arg in ("makedumpfile", "--splitblock-size", "1024", "--split", *options, raw, *pieces)],
                         capture_output=True)
    expect(run.returncode == 0, f"makedumpfile --split: {run.stderr[-200:]}")
    return pieces


def same_memory(raw, core):
    """Every byte of core's PT_LOADs is the raw core's; the number of pages."""
    pages = 0
    with elf.Core(raw) as whole, elf.Core(core) as part:
        loads = [load for load in whole.loads if load.vaddr < 0xffffffff80000000]
        for load in part.loads:
            home = next((other for other in loads if other.paddr <= load.paddr < other.paddr + other.filesz), None)
            if load.paddr == elf.NO_PADDR:
                continue
            expect(home, f"the raw core has no memory at {load.paddr:#x}")
            for pos in range(0, load.filesz, CHUNK):
                size = min(CHUNK, load.filesz - pos)
                expect(part.read(load.offset + pos, size) == whole.read(home.offset + load.paddr - home.paddr + pos, size),
                       f"bytes differ at {load.paddr + pos:#x}")
            pages += load.filesz // PAGE
        result = compare_cores.Result()
        compare_cores.compare_notes(whole, part, result)
        expect(not result.problems, "; ".join(result.problems))
    return pages


def stored(kdump):
    """Page frames with a bit in the second bitmap, as page_sets has them."""
    with open(kdump, "rb") as file:
        header = file.read(464)
        block, sub_blocks, bitmap_blocks = struct.unpack_from("<iiI", header, 428)
        file.seek((1 + sub_blocks) * block + bitmap_blocks * block // 2)
        return int.from_bytes(file.read(bitmap_blocks * block // 2), "little")


def same_set(ours, wanted):
    expect(ours == wanted, f"too many: {page_sets.describe(ours & ~wanted)}; too few: {page_sets.describe(wanted & ~ours)}")


def together(stream, directory):
    """The plain file of a flattened one, by makedumpfile."""
    out = directory / "plain"
    with open(stream, "rb") as source:
        subprocess.run(["makedumpfile", "-f", "-R", out], stdin=source, check=True, capture_output=True)
    return out


def read_dump(raw, name, directory):
    made, out = dump(raw, name, directory), directory / "out.core"
    kcapture("copy", made, out)
    plain = together(made, directory) if "flat" in name else made
    if "elf" not in name:
        same_set(page_sets.of_elf(out), stored(plain))
    pages = same_memory(raw, out)
    text = kcapture("info", made)
    expect("complete     yes" in text, text[-300:])
    kcapture("verify", made)
    expect(kcapture("dmesg", made) == kcapture("dmesg", raw), "another dmesg than of the raw core")
    out.unlink()
    return f"{pages} pages"


def read_split(raw, directory):
    pieces, out = split(raw, directory), directory / "out.core"
    sizes = [piece.stat().st_size for piece in pieces]
    expect(min(sizes) * 20 > max(sizes), f"makedumpfile did not split: {sizes}")
    kcapture("copy", pieces[2], pieces[0], pieces[1], out)
    kcapture("verify", *pieces)
    kcapture("verify", *pieces[:2], code=1)
    same_set(page_sets.of_elf(out), stored(pieces[0]))
    pages = same_memory(raw, out)
    text = kcapture("copy", pieces[0], pieces[2], directory / "part.core", code=1)
    expect("is missing" in text and not (directory / "part.core").exists(), text)
    expect("it is marked incomplete" in kcapture("info", directory / "part.core-incomplete"), "a dump with a hole is called whole")
    kcapture("copy", pieces[0], pieces[0], directory / "twice.core", code=1)
    return f"{pages} pages"


def rearranged(raw, directory):
    """-R gives the file that makedumpfile -R does, from a file and from a pipe; of a stream that breaks off what there is."""
    stream, out = dump(raw, "flat-lzo-31", directory), directory / "out"
    wanted = together(stream, directory).read_bytes()
    kcapture("copy", "-R", stream, out)
    expect(out.read_bytes() == wanted, "another file than makedumpfile's")
    with open(stream, "rb") as source:
        kcapture("copy", "-f", "-R", "-", out, stdin=source)
    expect(out.read_bytes() == wanted, "another file than makedumpfile's, from standard input")
    os.truncate(stream, stream.stat().st_size // 2)
    text = kcapture("copy", "-R", stream, directory / "cut", code=1)
    expect("stream ends at byte" in text and (directory / "cut-incomplete").exists(), text)
    kcapture("copy", "-R", raw, directory / "no", code=1)
    expect(not list(directory.glob("no*")), "something was made of a file that is not flattened")


def flattened_lean(raw, directory):
    """A million records, as a stream of terabytes has them, take no more memory than others, and read the same."""
    made, stream, outs = dump(raw, "zlib-31", directory), directory / "stream", [directory / "1.core", directory / "2.core"]
    data = made.read_bytes()
    step = len(data) // RECORDS
    with open(stream, "wb") as out:
        out.write(struct.pack(">16sQQ", b"makedumpfile", 1, 1).ljust(4096, b"\0"))
        for off in range(0, len(data), step):
            piece = data[off:off + step]
            out.write(struct.pack(">QQ", off, len(piece)) + piece)
        out.write(b"\xff" * 16)
    for source, out in zip((made, stream), outs):
        code, text, _, _, peak = synthetic.measure(KCAPTURE, "copy", "-q", source, out)
        expect(code == 0, text.strip()[-300:])
    with elf.Core(outs[0]) as one, elf.Core(outs[1]) as other:
        same = [(load.paddr, load.filesz) for load in one.loads] == [(load.paddr, load.filesz) for load in other.loads]
    expect(same and same_memory(raw, outs[1]), "another core than of the file that it stands for")
    expect(peak <= PEAK_KIB, f"kcapture copy took {peak} KiB")
    return f"peak {peak} KiB"


def refiltered(raw, directory):
    """What a whole kdump dump is filtered to is what the raw core is: the same pages, the same bytes."""
    whole, direct, twice = dump(raw, "lzo-0", directory), directory / "direct.core", directory / "twice.core"
    kcapture("copy", "-d", "31", raw, direct)
    kcapture("copy", "-d", "31", whole, twice)
    same_set(page_sets.of_elf(twice), page_sets.of_elf(direct))
    same_memory(raw, twice)


# Fields of a good dump that are overwritten: offset -> value. Whatever they say, it ends in an error or in less memory.
FIELDS = {
    "version": (8, 4, 99), "status": (424, 4, 0xffffffff), "block_size": (428, 4, 1 << 16), "sub_hdr_size": (432, 4, 1 << 19),
    "bitmap_blocks": (436, 4, 3), "max_mapnr": (PAGE + 96, 8, 1 << 40), "split": (PAGE + 12, 4, 1),
    "vmcoreinfo": (PAGE + 32, 8, 1 << 45), "note": (PAGE + 48, 8, 1 << 45), "note_size": (PAGE + 56, 8, 1 << 45),
}


def damaged(raw, directory):
    """Every field of the headers, descriptors, data, and the end: an error of one line or a degraded result, no crash."""
    good, bad = dump(raw, "zlib-31", directory), directory / "bad"
    content = good.read_bytes()
    block, sub_blocks, bitmap_blocks = struct.unpack_from("<iiI", content, 428)
    descs = (1 + sub_blocks + bitmap_blocks) * block
    damages = {name: content[:offset] + value.to_bytes(size, "little") + content[offset + size:]
               for name, (offset, size, value) in FIELDS.items()}
    for name, at, value in (("desc-offset", 0, 1 << 50), ("desc-size", 8, 5000), ("desc-flags", 12, 0x80000001)):
        size = 8 if at == 0 else 4
        damages[name] = content[:descs + at] + value.to_bytes(size, "little") + content[descs + at + size:]
    damages["data"] = content[:-70000] + bytes(1000) + content[-69000:]
    for name, length in (("cut-header", 300), ("cut-sub", PAGE + 50), ("cut-bitmap", (2 + sub_blocks) * PAGE),
                         ("cut-descs", descs + 1000), ("cut-data", len(content) - 500)):
        damages[name] = content[:length]
    for name, data in damages.items():
        bad.write_bytes(data)
        for verb in (["info", bad], ["verify", bad], ["dmesg", bad], ["copy", "-f", bad, directory / "out.core"]):
            code, text = readers.run([KCAPTURE, *verb])
            expect(code in (0, 1), f"{name}: kcapture {verb[0]} exits {code}: {text[-200:]}")
            expect(code == 0 or text.strip(), f"{name}: kcapture {verb[0]} fails without a word")
        code, text = readers.run([KCAPTURE, "verify", bad])
        expect(code == 1, f"{name}: kcapture verify finds nothing: {text[-200:]}")
    return f"{len(damages)} damages"


# What kcapture itself writes: options of copy
FORMS = {
    "kdump-none": ["--format", "kdump"],
    "kdump-zlib": ["--format", "kdump", "--compress", "zlib"],
    "kdump-lzo": ["--format", "kdump", "--compress", "lzo"],
    "kdump-zstd": ["--format", "kdump", "--compress", "zstd"],
    "elf-zstd": ["--compress", "zstd"],
}


def round_trips(raw, directory):
    """Out of each form that kcapture writes comes the core that went in; a filtered one loses and gains nothing."""
    part, made, out = (directory / name for name in ("part.core", "made", "out.core"))
    kcapture("copy", "-d", "31", raw, part)
    wanted = page_sets.of_elf(part)
    for name, options in FORMS.items():
        kcapture("copy", "-f", *options, raw, made)
        kcapture("verify", made)
        kcapture("copy", "-f", made, out)
        same_memory(raw, out)
        if name == "elf-zstd":
            result = compare_cores.compare(raw, out)
            expect(result.good, f"{name}: {result.summary()}")
        kcapture("copy", "-f", "-d", "31", *options, raw, made)
        kcapture("copy", "-f", made, out)
        same_set(page_sets.of_elf(out), wanted)
        same_memory(raw, out)
        kcapture("copy", "-f", out, directory / "again.core")
        result = compare_cores.compare(out, directory / "again.core")
        result.problems = [text for text in result.problems if "KCAPTURE" not in text]     # each copy adds its own
        expect(result.good, f"{name}, copied again: {result.summary()}")


def recompressed(raw, directory):
    """From one kdump dump to another: both bitmaps, the dump level and the notes stay."""
    made, other = dump(raw, "zlib-31", directory), directory / "other"
    kcapture("copy", "--format", "kdump", "--compress", "zstd", made, other)
    kcapture("verify", other)
    same_set(stored(other), stored(made))
    lines = [[line for line in kcapture("info", path).splitlines() if line.startswith(("pages ", "kernel ", "host ", "crashed "))]
             for path in (made, other)]
    expect(lines[0] == lines[1] and len(lines[0]) == 4, f"{lines[0]} became {lines[1]}")
    expect("dump level 31, zstd" in kcapture("info", other), "the dump level is lost")


def stays_incomplete(raw, directory):
    """A dump with a piece missing is incomplete in whatever form, and so is a copy of it; and one that found no room."""
    pieces = split(raw, directory)
    for name, options in (("kdump", ["--format", "kdump", "--compress", "lzo"]), ("zstd", ["--compress", "zstd"])):
        part = directory / name
        kcapture("copy", *options, *pieces[:2], part, code=1)
        part = directory / f"{name}-incomplete"
        expect("complete     NO" in kcapture("info", part), f"{name}: a dump with a hole is called whole")
        kcapture("verify", part, code=1)
        kcapture("copy", "-f", "--format", "kdump", part, directory / "again")
        expect("complete     NO" in kcapture("info", directory / "again"), f"{name}: by copying it becomes whole")
    short = directory / "short"
    subprocess.run(["makedumpfile", "-l", "-d", "31", "-L", "10000000", raw, short], capture_output=True)
    kcapture("verify", short, code=1)
    kcapture("copy", short, directory / "short.core", code=1)
    expect("complete     NO" in kcapture("info", directory / "short.core-incomplete"), "a dump without its end is called whole")


def damaged_zstd(raw, directory):
    """A frame that does not decode and a file that was cut: said, and not called whole; a table that lies is not needed."""
    made, bad, out = directory / "made", directory / "bad", directory / "out.core"
    kcapture("copy", "-d", "31", "--compress", "zstd", raw, made)
    content = made.read_bytes()
    middle = len(content) // 2
    for name, data in (("byte", content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1:]), ("cut", content[:middle])):
        bad.write_bytes(data)
        text = kcapture("verify", bad, code=1)
        expect("zstd" in text, f"{name}: {text[-300:]}")
        kcapture("copy", "-f", bad, out, code=1)
        expect("complete     NO" in kcapture("info", directory / "out.core-incomplete"), f"{name}: the copy is called whole")
    bad.write_bytes(content[:-30] + bytes([content[-30] ^ 1]) + content[-29:])
    text = kcapture("copy", "-f", bad, out)
    expect("seek table" in text, text)
    same_memory(raw, out)
    expect("of the seek table" in kcapture("verify", "--quick", bad, code=1), "kcapture verify trusts a seek table that lies")
    with open(directory / "stream", "wb") as stream:
        done = subprocess.run([KCAPTURE, "copy", "-q", "-j", "2", "--compress", "zstd", made, "-"], stdout=stream, stderr=subprocess.PIPE)
    expect(done.returncode == 0, done.stderr.decode()[-300:])
    kcapture("verify", directory / "stream")
    kcapture("copy", "-f", directory / "stream", out)
    same_memory(raw, out)


def converted(raw, directory):
    """An ELF core of a filtered kdump dump; for the readers' checks."""
    out = directory / "converted.core"
    made = dump(raw, "lzo-0", directory)
    kcapture("copy", made, out)
    made.unlink()
    return out


def tests(cores):
    """(name, function of the directory)"""
    def with_raw(check, *args):
        return lambda directory: check(cores()[1], *args, directory)

    found = [(f"reading-{name}", with_raw(read_dump, name)) for name in DUMPS]
    return found + [(f"reading-{check.__name__.replace('_', '-')}", with_raw(check))
                    for check in (read_split, rearranged, flattened_lean, refiltered, damaged, round_trips, recompressed,
                                  stays_incomplete, damaged_zstd)]
