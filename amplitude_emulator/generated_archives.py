"""Generate the zip of an export while it is read, for archives too large for memory and disk.

Sizes and checksums of all members are known in advance, so the file is seekable.
"""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, cast

from amplitude_emulator.repeated_members import Repetition

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from _typeshed import WriteableBuffer

    from amplitude_emulator.hours import MemberName

READ_BYTES = 1024**2

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_DIRECTORY_ENTRY = struct.Struct("<4s6H3L5H2L")
_END_RECORD = struct.Struct("<4s4H2LH")
_END64_RECORD = struct.Struct("<4sQ2H2L4Q")
_END64_LOCATOR = struct.Struct("<4sLQL")
_VERSION, _VERSION_OF_ZIP64 = 20, 45
_ON_UNIX = 3 << 8
_OWNER_READS_AND_WRITES = 0o600 << 16
_MOST_16, _MOST_32 = 0xFFFF, 0xFFFFFFFF


def open_generated_archive(
    contents: Iterable[tuple[MemberName, Repetition]], *, directory_entry: bool = False
) -> BinaryIO:
    """Return a zip of stored members as an open virtual file; each call returns a new one.

    ZIP64 is used only above 4 GiB or 65,534 members.
    """
    entries = [(str(name), name.hour, content) for name, content in contents]
    if directory_entry and entries:
        folder, hour = entries[0][0].partition("/")[0] + "/", entries[0][1]
        entries.insert(0, (folder, hour, Repetition(b"")))
    parts: list[Repetition] = []
    directory: list[bytes] = []
    offset = 0
    for name, hour, content in entries:
        head = _local_header(name, hour, content)
        directory.append(_directory_entry(name, hour, content, offset))
        parts += [Repetition(head), content]
        offset += len(head) + content.size_bytes
    parts.append(Repetition(b"".join(directory) + _end_of_zip(len(directory), sum(map(len, directory)), offset)))
    return cast("BinaryIO", io.BufferedReader(_GeneratedFile(parts), READ_BYTES))


class _GeneratedFile(io.RawIOBase):
    def __init__(self, parts: list[Repetition]) -> None:
        self._parts = [part for part in parts if part.size_bytes]
        self._ends = list(accumulate(part.size_bytes for part in self._parts))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ends[-1]}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        number = bisect_right(self._ends, self._at)
        if number == len(self._parts):
            return 0
        part = self._parts[number]
        start = self._at - (self._ends[number] - part.size_bytes)
        count = part.copy_into(memoryview(buffer).cast("B"), start)
        self._at += count
        return count


def _local_header(name: str, hour: datetime, content: Repetition) -> bytes:
    size = content.size_bytes
    extra = _extra64(size, size) if size >= _MOST_32 else b""
    version = _VERSION_OF_ZIP64 if extra else _VERSION
    shown = min(size, _MOST_32)
    text = name.encode()
    fields = (version, 0, 0, *_dos_time(hour), content.crc32, shown, shown, len(text), len(extra))
    return _LOCAL_HEADER.pack(b"PK\x03\x04", *fields) + text + extra


def _directory_entry(name: str, hour: datetime, content: Repetition, offset: int) -> bytes:
    size = content.size_bytes
    too_large = [number for number in (size, size, offset) if number >= _MOST_32]
    extra = _extra64(*too_large) if too_large else b""
    version = _VERSION_OF_ZIP64 if extra else _VERSION
    shown = min(size, _MOST_32)
    text = name.encode()
    head = (version | _ON_UNIX, version, 0, 0, *_dos_time(hour), content.crc32, shown, shown, len(text), len(extra))
    tail = (0, 0, 0, _OWNER_READS_AND_WRITES, min(offset, _MOST_32))
    return _DIRECTORY_ENTRY.pack(b"PK\x01\x02", *head, *tail) + text + extra


def _end_of_zip(entries: int, directory_bytes: int, offset: int) -> bytes:
    end64 = b""
    if entries >= _MOST_16 or directory_bytes >= _MOST_32 or offset >= _MOST_32:
        numbers = (_VERSION_OF_ZIP64 | _ON_UNIX, _VERSION_OF_ZIP64, 0, 0, entries, entries, directory_bytes, offset)
        end64 = _END64_RECORD.pack(b"PK\x06\x06", _END64_RECORD.size - 12, *numbers)
        end64 += _END64_LOCATOR.pack(b"PK\x06\x07", 0, offset + directory_bytes, 1)
    count = min(entries, _MOST_16)
    positions = (min(directory_bytes, _MOST_32), min(offset, _MOST_32))
    return end64 + _END_RECORD.pack(b"PK\x05\x06", 0, 0, count, count, *positions, 0)


def _extra64(*numbers: int) -> bytes:
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def _dos_time(moment: datetime) -> tuple[int, int]:
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return time, (moment.year - 1980) << 9 | moment.month << 5 | moment.day
