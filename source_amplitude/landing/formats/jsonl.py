"""The records of ``read``, one a line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from source_amplitude.archive import iter_line_batches
from source_amplitude.archive.gzip_codec import gzip_compressor
from source_amplitude.encoding import JsonLines
from source_amplitude.landing.formats.event_types import EventTypes
from source_amplitude.landing.formats.form import Rendered
from source_amplitude.landing.formats.object_file import ObjectFile
from source_amplitude.landing.formats.odd_lines import OddLines
from source_amplitude.members import NOTHING_READ

if TYPE_CHECKING:
    from source_amplitude.archive import Archive, Member


class Jsonl:
    """Each member as gzip of one JSON object a line, as ``read`` emits them; lines that are no events are left out."""

    name = "jsonl"
    suffix = ".jsonl.gz"
    hours_at_once = 2

    def render(self, archive: Archive, member: Member) -> Rendered:
        """See `Format.render`; equal members become equal bytes."""
        content, events, event_types, odd = NOTHING_READ, 0, EventTypes(), OddLines()
        encode, packing = JsonLines(b"").encode, gzip_compressor()
        with ObjectFile() as file:
            with archive.unpack(member) as unpacked:
                for batch in iter_line_batches(unpacked):
                    encoded = encode(batch.body, b"\n")
                    file.write(packing.compress(encoded.payload))
                    event_types.add_lines(encoded.payload)
                    odd.add(encoded)
                    content, events = batch.seen, events + encoded.records
            file.write(packing.flush())
            return Rendered(
                file.detach(),
                file.object_bytes,
                file.crc32,
                events,
                replace(content, malformed_lines=odd.malformed),
                odd.malformed_at,
                event_types.counted(),
                odd.findings,
            )
