# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader of 64-bit little-endian ELF cores, independent of kcapture's own code: headers, notes, VMCOREINFO."""

import dataclasses
import struct

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
SHDR = struct.Struct("<IIQQQQIIQQ")
NHDR = struct.Struct("<III")
PT_LOAD, PT_NOTE = 1, 4
ET_CORE = 4
PN_XNUM = 0xffff
NT_PRSTATUS, NT_PRPSINFO = 1, 3
E_FLAGS_INCOMPLETE = 1
NO_PADDR = (1 << 64) - 1            # p_paddr of a segment that only names data stored under another one


class BadElf(Exception):
    """Not an ELF core that this reader understands."""


@dataclasses.dataclass(frozen=True)
class Phdr:
    """One program header."""
    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int


@dataclasses.dataclass(frozen=True)
class Note:
    """One note with its descriptor's bytes."""
    name: str
    type: int
    desc: bytes


def is_idle_note(note):
    """The NT_PRPSINFO by which kcapture numbers a CPU that idled, for gdb."""
    return note.name == "CORE" and note.type == NT_PRPSINFO and int.from_bytes(note.desc[24:28], "little") >= 1 << 30


def parse_notes(data, path):
    """Each Note in the bytes of a note segment."""
    pos = 0
    while pos + NHDR.size <= len(data):
        namesz, descsz, kind = NHDR.unpack_from(data, pos)
        if namesz == 0:
            break
        pos += NHDR.size
        name = data[pos:pos + namesz].rstrip(b"\0").decode("ascii", "replace")
        pos += (namesz + 3) & ~3
        if pos + descsz > len(data):
            raise BadElf(f"{path}: note {name} overruns its segment")
        yield Note(name, kind, data[pos:pos + descsz])
        pos += (descsz + 3) & ~3


class Core:
    """An open core: fd, size, e_flags, phdrs, notes."""

    def __init__(self, path, size=None):
        """size: of a core at the beginning of something larger (a raw disk)."""
        self.path = path
        self.file = open(path, "rb")
        self.size = size if size is not None else self.file.seek(0, 2)
        ident, e_type, self.machine, _, _, phoff, shoff, self.flags, _, phentsize, phnum, _, _, _ = \
            EHDR.unpack(self.read(0, EHDR.size))
        if ident[:6] != b"\x7fELF\x02\x01":
            raise BadElf(f"{path}: not a 64-bit little-endian ELF file")
        if e_type != ET_CORE or phentsize != PHDR.size:
            raise BadElf(f"{path}: e_type {e_type}, e_phentsize {phentsize}")
        if phnum == PN_XNUM:
            phnum = SHDR.unpack(self.read(shoff, SHDR.size))[7]
        table = self.read(phoff, phnum * PHDR.size)
        self.phdrs = [Phdr(*fields) for fields in PHDR.iter_unpack(table)]
        self.loads = [phdr for phdr in self.phdrs if phdr.type == PT_LOAD]
        self.notes = [note for phdr in self.phdrs if phdr.type == PT_NOTE
                      for note in parse_notes(self.read(phdr.offset, phdr.filesz), path)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    @property
    def fd(self):
        return self.file.fileno()

    def read(self, offset, length):
        """Exactly length bytes."""
        self.file.seek(offset)
        data = self.file.read(length)
        if len(data) != length:
            raise BadElf(f"{self.path}: ends before {offset + length:#x}")
        return data

    def vmcoreinfo(self):
        """The key=value lines of the VMCOREINFO note."""
        for note in self.notes:
            if note.name == "VMCOREINFO":
                lines = note.desc.decode("ascii", "replace").splitlines()
                return dict(line.split("=", 1) for line in lines if "=" in line)
        raise BadElf(f"{self.path}: no VMCOREINFO note")

    def nr_prstatus(self):
        return sum(note.name == "CORE" and note.type == NT_PRSTATUS for note in self.notes)
