"""Zip archives built record by record, in every valid form and in forms that no zip tool writes (APPNOTE 4.3)."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass, field

STORED, DEFLATED = 0, 8
FULL_16, FULL_32 = 0xFFFF, 0xFFFFFFFF
DESCRIPTOR_FLAG = 0x0008
DESCRIPTORS = ("", "32", "64", "signed 32", "signed 64")


def gz(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@dataclass(frozen=True)
class File:
    """One file of an archive.

    Attributes:
        data: The gzip file.
        descriptor: One of `DESCRIPTORS`: the form of the record after the data, or an empty text for none.
        zip64: Whether the sizes are in a zip64 extra field.
        listed: Whether the directory has an entry for it.
        before: Bytes before the local header.
        local: Fields of the local header that differ from the directory's.
        extra: An extra field of the local header.
    """

    name: str
    data: bytes
    method: int = STORED
    descriptor: str = ""
    zip64: bool = False
    listed: bool = True
    before: bytes = b""
    local: dict[str, int | bytes] = field(default_factory=dict)
    extra: bytes = b""

    @property
    def raw_name(self) -> bytes:
        return self.name.encode()

    @property
    def stored(self) -> bytes:
        return deflate(self.data) if self.method == DEFLATED else self.data

    @property
    def flags(self) -> int:
        return 0x0800 | (DESCRIPTOR_FLAG if self.descriptor else 0)

    def local_bytes(self) -> bytes:
        """Return the local header, the data and the data descriptor."""
        crc, stored_bytes, file_bytes = zlib.crc32(self.data), len(self.stored), len(self.data)
        numbers = (0, 0, 0) if self.descriptor else (crc, stored_bytes, file_bytes)
        extra = self.extra
        if self.zip64:
            extra += struct.pack("<2H2Q", 1, 16, numbers[2], numbers[1])
            numbers = (numbers[0], FULL_32, FULL_32)
        values = {
            "flags": self.flags,
            "method": self.method,
            "crc32": numbers[0],
            "stored_bytes": numbers[1],
            "file_bytes": numbers[2],
            "name": self.raw_name,
            **self.local,
        }
        head = struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            45,
            values["flags"],
            values["method"],
            0,
            33,
            values["crc32"],
            values["stored_bytes"],
            values["file_bytes"],
            len(bytes(values["name"])),
            len(extra),
        )
        body = head + bytes(values["name"]) + extra + self.stored
        if self.descriptor:
            sizes = "2Q" if "64" in self.descriptor else "2L"
            signature = b"PK\x07\x08" if "signed" in self.descriptor else b""
            body += signature + struct.pack(f"<L{sizes}", crc, stored_bytes, file_bytes)
        return body

    def directory_bytes(self, offset: int) -> bytes:
        sizes: tuple[int, ...] = (len(self.stored), len(self.data), offset)
        extra = b""
        if self.zip64:
            extra = struct.pack("<2H3Q", 1, 24, sizes[1], sizes[0], sizes[2])
            sizes = (FULL_32, FULL_32, FULL_32)
        name = self.raw_name
        numbers = (self.flags, self.method, 0, 33, zlib.crc32(self.data), sizes[0], sizes[1], len(name), len(extra))
        head = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 45, 45, *numbers, 0, 0, 0, 0, sizes[2])
        return head + name + extra


@dataclass(frozen=True)
class Zip:
    """An archive of ``files``.

    Attributes:
        before_directory: Bytes between the last file and the directory.
        before_end: Bytes between the directory and the end records.
        after_end: Bytes after the comment.
        zip64: Whether there are zip64 end records.
    """

    files: tuple[File, ...] = ()
    before_directory: bytes = b""
    before_end: bytes = b""
    comment: bytes = b""
    after_end: bytes = b""
    zip64: bool = False

    def to_bytes(self) -> bytes:
        body, directory = bytearray(), bytearray()
        entries = 0
        for file in self.files:
            body += file.before
            if file.listed:
                directory += file.directory_bytes(len(body))
                entries += 1
            body += file.local_bytes()
        body += self.before_directory
        start = len(body)
        body += directory + self.before_end
        return bytes(body + self._end(len(body), entries, len(directory), start) + self.comment + self.after_end)

    def _end(self, position: int, entries: int, size: int, start: int) -> bytes:
        if not self.zip64:
            return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, entries, entries, size, start, len(self.comment))
        end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, size, start)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, position, 1)
        numbers = (FULL_16, FULL_16, FULL_32, FULL_32)
        return end64 + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *numbers, len(self.comment))

    def listed(self) -> dict[str, bytes]:
        """Return the names and gzip files that the directory lists."""
        return {file.name: file.data for file in self.files if file.listed}
