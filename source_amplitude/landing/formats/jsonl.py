"""The records of ``read``, one a line, as gzip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.archive import iter_line_batches
from source_amplitude.archive.gzip_codec import gzip_compressor
from source_amplitude.encoding import JsonLines
from source_amplitude.landing.formats.body import ObjectFile

if TYPE_CHECKING:
    from source_amplitude.archive import Archive, Member
    from source_amplitude.landing.formats.body import Rendered


class Jsonl:
    """Each member as gzip of one JSON object a line, as ``read`` emits them; lines that are no events are left out."""

    name = "jsonl"
    suffix = ".jsonl.gz"
    hours_at_once = 2

    def render(self, archive: Archive, member: Member) -> Rendered:
        encode, packing = JsonLines(b"").encode, gzip_compressor()
        with ObjectFile() as file:
            with archive.unpack(member) as unpacked:
                for batch in iter_line_batches(unpacked):
                    encoded = encode(batch.body, b"\n")
                    file.write(packing.compress(encoded.payload))
                    file.event_types.add_lines(encoded.payload)
                    file.note(batch, encoded)
            file.write(packing.flush())
            return file.rendered()
