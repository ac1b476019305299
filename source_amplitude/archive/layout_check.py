"""Account for every byte of an archive, so that no member can be in the file without being read.

``zipfile`` reads what the last end record leads to. An archive can contain more: two archives in one body, an end
record inside the comment, or a directory that lists one member fewer than the file has. So the bytes outside of the
listed entries, the directory and the end records must not contain the signature of a record, and entries must not
overlap. Other unexplained bytes are harmless; they are only counted, because the layout of Amplitude's archives is
not documented.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from source_amplitude.archive.directory import SIZES_FOLLOW_FLAG, with_zip64
from source_amplitude.archive.end_records import FULL_32_BITS, Span
from source_amplitude.archive.gzip_codec import INFLATE_ERRORS, crc32, raw_inflater
from source_amplitude.errors import CorruptArchiveError, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from source_amplitude.archive.directory import Entry
    from source_amplitude.archive.end_records import EndRecords
    from source_amplitude.archive.shared_file import SharedFile

STORED, DEFLATED = 0, 8

_RECORD_SIGNATURE = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05\x06|\x06\x06|\x06\x07)")
_SIGNATURE_BYTES = 4
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
# Encrypted, patched data, strong encryption, masked headers.
_UNREADABLE_FLAGS = 0x0001 | 0x0020 | 0x0040 | 0x2000
_INFLATE_ERRORS: tuple[type[Exception], ...] = (*INFLATE_ERRORS, EOFError)
_CHUNK_BYTES = 1024 * 1024
_MOST_NAMED = 5


@dataclass
class UnexplainedBytes:
    """Bytes of an archive that belong to no record and look like none.

    Attributes:
        spans: The first few of them.
        places: How many spans there are.
        total_bytes: The sum of their lengths.
    """

    spans: list[Span] = field(default_factory=list)
    places: int = 0
    total_bytes: int = 0

    def add(self, span: Span) -> None:
        self.places += 1
        self.total_bytes += span.size_bytes
        if len(self.spans) < _MOST_NAMED:
            self.spans.append(span)

    def __str__(self) -> str:
        """Return the positions and lengths, and no content."""
        named = ", ".join(f"{counted(span.size_bytes, 'byte')} at {span.start:,}" for span in self.spans)
        more = self.places - len(self.spans)
        return f"{named} and {more:,} more places" if more else named


class _LocalHeader(NamedTuple):
    """The record before an entry's data; sizes and checksum are 0 where they follow the data."""

    raw_name: bytes
    flags: int
    method: int
    crc32: int
    stored_bytes: int
    file_bytes: int
    extra: bytes
    end: int


def check_layout(file: SharedFile, entries: Iterable[Entry], ends: EndRecords) -> UnexplainedBytes:
    """Verify every byte of an archive and the checksums of its entries; return the unexplained bytes.

    Args:
        entries: All entries of the directory, in the order of their local headers.

    Raises:
        CorruptArchiveError: The archive contains a record that the directory does not list, entries overlap, a local
            header contradicts the directory, or the data of an entry is damaged.
    """
    gaps = _Gaps(file)
    position = 0
    for entry in entries:
        if entry.header_at < position:
            raise CorruptArchiveError(f"The member {entry.text} overlaps the one before it.")
        gaps.check(Span(position, entry.header_at))
        position = _check_entry(file, entry, ends.directory.start)
    gaps.check(Span(position, ends.directory.start))
    position = ends.directory.end
    for record in ends.records:
        gaps.check(Span(position, record.start))
        position = record.end
    gaps.check_tail(ends.comment)
    return gaps.unexplained


class _Gaps:
    """Searches the bytes between the records for signatures of records."""

    def __init__(self, file: SharedFile) -> None:
        self._file = file
        self.unexplained = UnexplainedBytes()

    def check(self, span: Span) -> None:
        if span.size_bytes:
            self._search(span)
            self.unexplained.add(span)

    def check_tail(self, comment: Span) -> None:
        """Check the archive's comment, which is allowed, together with what follows it."""
        tail = Span(comment.start, self._file.size_bytes)
        self._search(tail)
        if comment.end < tail.end:
            self.unexplained.add(Span(comment.end, tail.end))

    def _search(self, span: Span) -> None:
        position = span.start
        while span.end - position >= _SIGNATURE_BYTES:
            chunk = self._file.read_at(position, min(_CHUNK_BYTES, span.end - position))
            found = _RECORD_SIGNATURE.search(chunk)
            if found:
                raise CorruptArchiveError(
                    f"The archive has a record that its directory does not list, at byte {position + found.start():,}."
                )
            position += max(1, len(chunk) - _SIGNATURE_BYTES + 1)  # a signature may continue in the next chunk


def _check_entry(file: SharedFile, entry: Entry, limit: int) -> int:
    """Verify an entry and return where it ends; ``limit`` is where it has to end at the latest."""
    header = _local_header(file, entry)
    _require_readable(entry, header)
    _require_same(entry, header)
    for more in (entry.more, header.extra):
        if more and _RECORD_SIGNATURE.search(more):
            raise CorruptArchiveError(f"The extra fields or the comment of {entry.text} contain a record.")
    end = header.end + entry.stored_bytes
    if end > limit:
        raise CorruptArchiveError(f"The member {entry.text} overlaps the archive's directory.")
    _check_data(file, entry, header.end)
    if (entry.flags | header.flags) & SIZES_FOLLOW_FLAG:
        end += _descriptor_bytes(file.read_at(end, min(24, limit - end)), entry)
    return end


def data_start(file: SharedFile, entry: Entry) -> int:
    """Return where the data of an entry starts, whose local header is verified."""
    return _local_header(file, entry).end


def _local_header(file: SharedFile, entry: Entry) -> _LocalHeader:
    data = file.read_at(entry.header_at, _LOCAL_HEADER.size + len(entry.raw_name))
    if len(data) < _LOCAL_HEADER.size or not data.startswith(_LOCAL_SIGNATURE):
        raise CorruptArchiveError(f"The member {entry.text} has no local header at byte {entry.header_at:,}.")
    _, _, flags, method, _, _, crc, stored_bytes, file_bytes, name_bytes, extra_bytes = _LOCAL_HEADER.unpack_from(data)
    extra_at = entry.header_at + _LOCAL_HEADER.size + name_bytes
    extra = file.read_at(extra_at, extra_bytes) if extra_bytes else b""
    if FULL_32_BITS in (file_bytes, stored_bytes):
        file_bytes, stored_bytes = with_zip64((file_bytes, stored_bytes), extra)
    raw_name = data[_LOCAL_HEADER.size : _LOCAL_HEADER.size + name_bytes]
    return _LocalHeader(raw_name, flags, method, crc, stored_bytes, file_bytes, extra, extra_at + extra_bytes)


def _require_readable(entry: Entry, header: _LocalHeader) -> None:
    if not entry.raw_name:
        raise CorruptArchiveError("The archive's directory lists an entry without a name.")
    if entry.raw_name.endswith(b"/") and entry.file_bytes:
        raise CorruptArchiveError(f"The folder {entry.text} has content.")
    if (entry.flags | header.flags) & _UNREADABLE_FLAGS:
        raise CorruptArchiveError(f"The member {entry.text} is encrypted.")
    if header.method != entry.method or entry.method not in (STORED, DEFLATED):
        raise CorruptArchiveError(
            f"The compression method of {entry.text} is unknown or contradictory ({entry.method} and {header.method})."
        )


def _require_same(entry: Entry, header: _LocalHeader) -> None:
    """Raise a CorruptArchiveError if the local header contradicts the directory.

    Some writers leave sizes and checksum at 0, or at the placeholder of a missing zip64 field.
    """
    if header.raw_name != entry.raw_name:
        raise CorruptArchiveError(f"The member {entry.text} has another name in its local header.")
    if header.flags & SIZES_FOLLOW_FLAG:
        return
    for local, listed in (
        (header.crc32, entry.crc32),
        (header.stored_bytes, entry.stored_bytes),
        (header.file_bytes, entry.file_bytes),
    ):
        if local not in (0, FULL_32_BITS, listed):
            raise CorruptArchiveError(f"The local header of {entry.text} contradicts the archive's directory.")


def _check_data(file: SharedFile, entry: Entry, start: int) -> None:
    """Raise a CorruptArchiveError unless the data has the listed length and checksum, and nothing follows it."""
    pieces = _stored(file, Span(start, start + entry.stored_bytes))
    if entry.method == DEFLATED:
        pieces = _inflated(pieces, entry)
    length = crc = 0
    try:
        for piece in pieces:
            length, crc = length + len(piece), crc32(piece, crc)
    except _INFLATE_ERRORS as error:
        raise CorruptArchiveError(f"The member {entry.text} cannot be inflated ({error}).") from error
    if (length, crc) != (entry.file_bytes, entry.crc32):
        raise CorruptArchiveError(f"The member {entry.text} fails its checksum.")


def _stored(file: SharedFile, span: Span) -> Iterator[bytes]:
    position = span.start
    while position < span.end:
        piece = file.read_at(position, min(_CHUNK_BYTES, span.end - position))
        if not piece:
            return
        position += len(piece)
        yield piece


def _inflated(pieces: Iterable[bytes], entry: Entry) -> Iterator[bytes]:
    inflater = raw_inflater()
    for piece in pieces:
        packed = piece
        while packed and not inflater.eof:
            yield inflater.decompress(packed, _CHUNK_BYTES)
            packed = inflater.unconsumed_tail
        if packed or inflater.unused_data:
            raise CorruptArchiveError(f"The member {entry.text} has bytes after its compressed data.")
    while not inflater.eof:
        piece = inflater.decompress(b"", _CHUNK_BYTES)
        if not piece and not inflater.eof:
            raise EOFError("its compressed data is cut off")
        yield piece


def _descriptor_bytes(data: bytes, entry: Entry) -> int:
    """Return the length of the data descriptor that ``data`` begins with; 0 if it begins with none.

    The signature is optional, and sizes have 64 bits in some archives; the longest form that fits is taken.
    """
    for sizes in ("2Q", "2L"):
        try:
            body = struct.pack(f"<L{sizes}", entry.crc32, entry.stored_bytes, entry.file_bytes)
        except struct.error:
            continue
        for form in (_DESCRIPTOR_SIGNATURE + body, body):
            if data.startswith(form):
                return len(form)
    return 0
