"""Unpacked content to batches of whole lines, with the checksum of everything up to each batch's end.

Goals: memory stays near one chunk whatever the member's size; a line of any length costs its own size a few times,
never its size squared; each byte is checksummed once, when its line is complete. The checksum and length at the end
of a batch are what the ledger remembers, so a later read can prove that it meets the same bytes and go on after them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from source_amplitude.archive.unpacking import crc32
from source_amplitude.members import NOTHING_READ, Fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 128 * 1024


class Readable(Protocol):
    """Unpacked bytes from some position on."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        ...


@dataclass(frozen=True)
class LineBatch:
    """Some consecutive lines of one member.

    Attributes:
        lines: Without their line feeds; blank ones included, so that line numbers hold.
        first_number: The number of the first line in its member, counted from 1.
        seen: Length and checksum of the content up to the end of the batch.
        ends_with_line_feed: Only the last batch of a member can be without one.
    """

    lines: list[bytes]
    first_number: int
    seen: Fingerprint
    ends_with_line_feed: bool = True


def iter_line_batches(
    content: Readable,
    *,
    after: Fingerprint = NOTHING_READ,
    first_number: int = 1,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[LineBatch]:
    """Yield the lines of ``content`` from its present position, about ``chunk_bytes`` at a time.

    Args:
        content: Unpacked bytes; a last line without line feed is a line.
        after: What lies before the present position: the checksums go on from there.
        first_number: The number of the first line that will be read.
        chunk_bytes: How much to unpack at once.
    """
    length, crc, number = after.content_bytes, after.crc32, first_number
    unfinished = bytearray()  # a list of its chunks would leave the heap with holes as large as the line
    while chunk := content.read(chunk_bytes):
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            unfinished.extend(chunk)
            continue
        body = b"".join((unfinished, chunk[:cut])) if unfinished else chunk[:cut]
        unfinished = bytearray(chunk[cut:])
        length, crc = length + len(body), crc32(body, crc)
        lines = body[:-1].split(b"\n")
        del body
        yield LineBatch(lines, number, Fingerprint(length, crc))
        number += len(lines)
    if unfinished:
        line = bytes(unfinished)
        yield LineBatch([line], number, Fingerprint(length + len(line), crc32(line, crc)), ends_with_line_feed=False)


def skip_proven_prefix(content: Readable, known: Fingerprint, *, chunk_bytes: int = CHUNK_BYTES) -> int | None:
    """Read past the first ``known.content_bytes`` bytes if they are the ones that are known.

    Returns:
        How many line feeds they hold; None when the content is shorter or differs. ``content`` stands behind the
        prefix only in the first case.
    """
    left, crc, line_feeds = known.content_bytes, 0, 0
    while left:
        chunk = content.read(min(chunk_bytes, left))
        if not chunk:
            return None
        left -= len(chunk)
        crc = crc32(chunk, crc)
        line_feeds += chunk.count(b"\n")
    return line_feeds if crc == known.crc32 else None
