# SPDX-License-Identifier: GPL-2.0-or-later
"""Write newc cpio archives for initramfs images; archives may be concatenated, later members replace earlier ones."""

import os


def _member(name, mode, data):
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


class Archive:
    """An archive in memory; directories above a member are added on their own."""

    def __init__(self):
        self._parts = []
        self._seen = set()

    def _add(self, name, mode, data=b""):
        name = name.strip("/")
        parent = os.path.dirname(name)
        if parent:
            self.directory(parent)
        self._parts.append(_member(name, mode, data))

    def directory(self, name):
        name = name.strip("/")
        if name not in self._seen:
            self._seen.add(name)
            self._add(name, 0o040755)

    def file(self, name, data, mode=0o644):
        self._add(name, 0o100000 | mode, data.encode() if isinstance(data, str) else data)

    def copy(self, path, name=None, mode=0o755):
        """A file of the host, symbolic links followed."""
        with open(path, "rb") as source:
            self.file(name or str(path), source.read(), mode)

    def symlink(self, name, target):
        self._add(name, 0o120777, target.encode())

    def image(self):
        """The archive's bytes, padded so that another may follow."""
        body = b"".join(self._parts) + _member("TRAILER!!!", 0, b"")
        return body + b"\0" * (-len(body) % 512)
