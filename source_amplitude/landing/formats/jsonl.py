"""The records of ``read``, one per line, compressed with gzip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.archive import iter_line_batches
from source_amplitude.archive.gzip_codec import gzip_compressor
from source_amplitude.encoding import JsonLines
from source_amplitude.landing.formats.body import ObjectFile

if TYPE_CHECKING:
    from source_amplitude.archive import Archive, Member
    from source_amplitude.landing.formats.body import Rendered


_CHUNK_BYTES = 256 * 1024


class Jsonl:
    """Each member as gzipped JSON Lines, as ``read`` emits them; lines that are not events are left out."""

    name = option = "jsonl"
    suffix = ".jsonl.gz"
    hours_at_once = 2

    def render(self, archive: Archive, member: Member) -> Rendered:
        encode, compressor = JsonLines(b"").encode_with_event_types, gzip_compressor()
        with ObjectFile() as file:
            with archive.unpack(member) as unpacked:
                for batch in iter_line_batches(unpacked, chunk_bytes=_CHUNK_BYTES):
                    encoded, event_types = encode(batch.body, b"\n")
                    file.write(compressor.compress(encoded.payload))
                    file.event_types.add(event_types)
                    file.note(batch, encoded)
            file.write(compressor.flush())
            return file.rendered()
