"""Amplitude's own gzip files, byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.archive import iter_line_batches
from source_amplitude.landing.formats.form import Rendered
from source_amplitude.members import NOTHING_READ

if TYPE_CHECKING:
    from source_amplitude.archive import Archive, Member

_CHUNK_BYTES = 1024 * 1024


class Raw:
    """Each member as it came, unpacked once to prove it and to count its lines."""

    name = "raw"
    suffix = ".json.gz"

    def render(self, archive: Archive, member: Member) -> Rendered:
        """See `Format.render`; lines are counted, not parsed, so malformed ones count as events here."""
        content, events = NOTHING_READ, 0
        with archive.unpack(member) as unpacked:
            for batch in iter_line_batches(unpacked, chunk_bytes=_CHUNK_BYTES):
                content, events = batch.seen, events + count_lines(batch.body)
        return Rendered(archive.packed(member), member.packed_bytes, member.packed_crc32, events, content)


def count_lines(body: bytes) -> int:
    """Return how many lines ``body`` has; blank ones are no lines."""
    if b"\n\n" in body or body.startswith(b"\n") or b"\r" in body:
        return sum(1 for line in body.split(b"\n") if line.strip())
    return body.count(b"\n") + (not body.endswith(b"\n"))
