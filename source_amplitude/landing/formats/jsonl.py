"""The records of ``read``, one a line, as gzip of equal content to equal bytes, through isal where it is installed.

The gzip header holds neither a time nor a name. Equal bytes are promised for one version of one library on one kind of
processor; the content is equal everywhere.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from source_amplitude.archive import iter_line_batches
from source_amplitude.encoding import JsonLines
from source_amplitude.landing.formats.body import ObjectFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from source_amplitude.archive import Archive, Member
    from source_amplitude.landing.formats.body import Rendered

_GZIP_FORM = 31  # window bits of 15, and 16 for a head and a trailer of gzip
_compressor: Callable[..., Any] = zlib.compressobj
# Measured (100,000 events, 168 MB): isal's level 2 0.15 s and 19.8 MB, 3 0.35 s and 18.8 MB; zlib's 1 0.66 s and
# 21.1 MB, 4 0.98 s and 17.1 MB, 6 1.4 s and 15.2 MB, which is more than making the records takes.
_level = 1

try:
    from isal import isal_zlib
except ImportError:  # pragma: no cover - platforms without an isal wheel
    pass
else:
    _compressor = isal_zlib.compressobj
    _level = 2


class Jsonl:
    """Each member as gzip of one JSON object a line, as ``read`` emits them; lines that are no events are left out."""

    name = "jsonl"
    suffix = ".jsonl.gz"
    hours_at_once = 2

    def render(self, archive: Archive, member: Member) -> Rendered:
        encode, packing = JsonLines(b"").encode, _compressor(_level, zlib.DEFLATED, _GZIP_FORM)
        with ObjectFile() as file:
            with archive.unpack(member) as unpacked:
                for batch in iter_line_batches(unpacked):
                    encoded = encode(batch.body, b"\n")
                    file.write(packing.compress(encoded.payload))
                    file.event_types.add_lines(encoded.payload)
                    file.note(batch, encoded)
            file.write(packing.flush())
            return file.rendered()
