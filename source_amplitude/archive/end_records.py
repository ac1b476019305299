"""The records at the end of a zip archive, which locate its directory (APPNOTE 4.3.14 to 4.3.16)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from source_amplitude.errors import CorruptArchiveError

if TYPE_CHECKING:
    from source_amplitude.archive.shared_file import SharedFile

DIRECTORY_SIGNATURE = b"PK\x01\x02"

_END_RECORD = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_END64_RECORD = struct.Struct("<4sQ2H2L4Q")
_END64_SIGNATURE = b"PK\x06\x06"
_END64_BYTES_BEFORE_SIZE = 12  # the record's own size field does not count its signature and itself
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_LONGEST_COMMENT_BYTES = 0xFFFF

FULL_16_BITS, FULL_32_BITS = 0xFFFF, 0xFFFFFFFF
"""Values of fields whose number does not fit and is in the zip64 records."""


class Span(NamedTuple):
    """The bytes from ``start`` up to ``end`` of an archive."""

    start: int
    end: int

    @property
    def size_bytes(self) -> int:
        return self.end - self.start


class _Directory(NamedTuple):
    """What an end record says of the directory."""

    entries: int
    size_bytes: int
    offset: int


@dataclass(frozen=True)
class EndRecords:
    """Where the directory and the end records of an archive are.

    Attributes:
        entries: The number of entries that the directory must have.
        directory: The directory's bytes.
        shift: What to add to the offsets in the directory: the number of bytes before the archive proper.
        records: The end records in the order of the file, without the comment.
        comment: The archive's comment; it ends with the file at the latest.
    """

    entries: int
    directory: Span
    shift: int
    records: tuple[Span, ...]
    comment: Span


def find_end_records(file: SharedFile) -> EndRecords:
    """Read the last end record of ``file``, and the zip64 records before it.

    Raises:
        CorruptArchiveError: They are missing, cut off, contradict each other, or locate no directory.
    """
    end_at = _find_last_end_record(file)
    fields = _END_RECORD.unpack(file.read_at(end_at, _END_RECORD.size))
    stated = _Directory(fields[4], fields[5], fields[6])
    comment_start = end_at + _END_RECORD.size
    comment = Span(comment_start, min(comment_start + fields[7], file.size_bytes))
    records: tuple[Span, ...] = (Span(end_at, comment_start),)
    zip64 = _read_zip64(file, end_at)
    if zip64 is not None:
        spans, in_zip64 = zip64
        _require_agreement(stated, in_zip64)
        stated, records = in_zip64, (*spans, *records)
    directory = _locate(file, stated, records[0].start)
    # A directory that ends at the end records shows how many bytes precede the archive. Info-ZIP's `zip -fz` to a pipe
    # writes no zip64 records, but leaves the placeholder for them.
    shift = 0 if stated.offset == FULL_32_BITS else directory.start - stated.offset
    return EndRecords(stated.entries, directory, shift, records, comment)


def _find_last_end_record(file: SharedFile) -> int:
    tail_start = max(0, file.size_bytes - _END_RECORD.size - _LONGEST_COMMENT_BYTES)
    tail = file.read_at(tail_start, file.size_bytes - tail_start)
    # Numbers in the last record may happen to look like a signature.
    if tail[-_END_RECORD.size :].startswith(_END_SIGNATURE) and tail.endswith(b"\0\0"):
        return file.size_bytes - _END_RECORD.size
    at = tail.rfind(_END_SIGNATURE)
    if at < 0:
        raise CorruptArchiveError(f"The archive ({file.size_bytes:,} bytes) has no end record.")
    if at + _END_RECORD.size > len(tail):
        raise CorruptArchiveError("The archive's end record is cut off.")
    return tail_start + at


def _read_zip64(file: SharedFile, end_at: int) -> tuple[tuple[Span, Span], _Directory] | None:
    locator_at = end_at - _LOCATOR.size
    if locator_at < 0:
        return None
    signature, _, stated_at, _ = _LOCATOR.unpack(file.read_at(locator_at, _LOCATOR.size))
    if signature != _LOCATOR_SIGNATURE:
        return None
    # The stated position is wrong if bytes precede the archive. Usually the record is right before its locator.
    for at in (locator_at - _END64_RECORD.size, stated_at):
        if not 0 <= at <= locator_at - _END64_RECORD.size:
            continue
        fields = _END64_RECORD.unpack(file.read_at(at, _END64_RECORD.size))
        end = at + _END64_BYTES_BEFORE_SIZE + fields[1]
        if fields[0] == _END64_SIGNATURE and at + _END64_RECORD.size <= end <= locator_at:
            return (Span(at, end), Span(locator_at, end_at)), _Directory(fields[7], fields[8], fields[9])
    raise CorruptArchiveError("The archive's zip64 end record is missing.")


def _require_agreement(stated: _Directory, in_zip64: _Directory) -> None:
    full = (FULL_16_BITS, FULL_32_BITS, FULL_32_BITS)
    for value, value_in_zip64, placeholder in zip(stated, in_zip64, full, strict=True):
        if value not in (placeholder, value_in_zip64):
            raise CorruptArchiveError(f"The archive's end records contradict each other: {stated} and {in_zip64}.")


def _locate(file: SharedFile, stated: _Directory, records_start: int) -> Span:
    for start in (records_start - stated.size_bytes, stated.offset):
        end = start + stated.size_bytes
        if start < 0 or end > records_start:
            continue
        if not stated.size_bytes or file.read_at(start, 4) == DIRECTORY_SIGNATURE:
            return Span(start, end)
    raise CorruptArchiveError(
        f"The archive ({file.size_bytes:,} bytes) has no directory of {stated.size_bytes:,} bytes at {stated.offset:,}."
    )
