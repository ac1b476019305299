"""The directory of a zip archive, read from disk entry by entry: memory holds eight bytes for each (APPNOTE 4.3.12)."""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, NamedTuple

from source_amplitude.archive.end_records import DIRECTORY_SIGNATURE, FULL_32_BITS
from source_amplitude.errors import CorruptArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.archive.end_records import EndRecords
    from source_amplitude.archive.shared_file import SharedFile

SIZES_FOLLOW_FLAG = 0x0008
UTF8_FLAG = 0x0800

_RECORD = struct.Struct("<4s6H3L5H2L")
_LENGTHS = struct.Struct("<3H")
_LENGTHS_AT = 28
_PAGE_BYTES = 16 * 1024
_EXTRA_HEAD = struct.Struct("<2H")
_ZIP64_EXTRA = 1


class Entry(NamedTuple):
    """One file or folder as the directory lists it.

    Attributes:
        raw_name: The name as it is in the archive.
        stored_bytes: Length in the archive.
        file_bytes: Length once it is inflated.
        header_at: Where the local header starts, counted from the beginning of the file.
        more: The extra fields and the comment.
    """

    raw_name: bytes
    flags: int
    method: int
    crc32: int
    stored_bytes: int
    file_bytes: int
    header_at: int
    more: bytes

    @property
    def text(self) -> str:
        return self.raw_name.decode("utf-8" if self.flags & UTF8_FLAG else "cp437")


class Directory:
    """The entries of an archive. `entry` finds those that `scan` has yielded."""

    def __init__(self, file: SharedFile, ends: EndRecords) -> None:
        self._file = file
        self._span = ends.directory
        self._shift = ends.shift
        self._positions = array("Q")
        self._page = (0, b"")

    def __len__(self) -> int:
        return len(self._positions)

    def scan(self) -> Iterator[Entry]:
        """Yield every entry in the order of the directory.

        Raises:
            CorruptArchiveError: The directory is damaged.
        """
        position = self._span.start
        while position < self._span.end:
            record = self._record(position)
            self._positions.append(position)
            yield self._parse(record)
            position += len(record)

    def entry(self, index: int) -> Entry:
        return self._parse(self._record(self._positions[index]))

    def _record(self, position: int) -> bytes:
        start, page = self._page
        at = position - start
        if at < 0 or at + _RECORD.size > len(page):
            at, page = 0, self._load(position, _PAGE_BYTES)
        if at + _RECORD.size <= len(page):
            length = _RECORD.size + sum(_LENGTHS.unpack_from(page, at + _LENGTHS_AT))
            if at + length > len(page):
                at, page = 0, self._load(position, max(length, _PAGE_BYTES))
            record = page[at : at + length]
            if len(record) == length and record.startswith(DIRECTORY_SIGNATURE):
                return record
        raise CorruptArchiveError(f"The archive's directory is damaged after {len(self)} entries.")

    def _load(self, position: int, size: int) -> bytes:
        page = self._file.read_at(position, min(size, self._span.end - position))
        self._page = (position, page)  # one assignment, so that threads see a position and its page together
        return page

    def _parse(self, record: bytes) -> Entry:
        fields = _RECORD.unpack_from(record)
        name_end = _RECORD.size + fields[10]
        sizes: tuple[int, ...] = (fields[9], fields[8], fields[16])
        if FULL_32_BITS in sizes:
            sizes = with_zip64(sizes, record[name_end : name_end + fields[11]])
        file_bytes, stored_bytes, offset = sizes
        header_at = offset + self._shift
        if not 0 <= header_at < self._span.start:
            raise CorruptArchiveError(
                f"The archive's directory lists a member at byte {header_at:,}, outside of the archive."
            )
        return Entry(
            record[_RECORD.size : name_end],
            fields[3],
            fields[4],
            fields[7],
            stored_bytes,
            file_bytes,
            header_at,
            record[name_end:],
        )


def with_zip64(values: tuple[int, ...], extra: bytes) -> tuple[int, ...]:
    """Return ``values`` with every full one replaced by its 64-bit number, if the extra fields have it."""
    position = 0
    while position + _EXTRA_HEAD.size <= len(extra):
        kind, length = _EXTRA_HEAD.unpack_from(extra, position)
        position += _EXTRA_HEAD.size
        if kind == _ZIP64_EXTRA:
            data = extra[position : position + length]
            numbers = iter(struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8]))
            return tuple(next(numbers, value) if value == FULL_32_BITS else value for value in values)
        position += length
    return values
