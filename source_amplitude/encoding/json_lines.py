"""The hot path: encode a batch of raw lines as JSON lines with one record each.

The fast path checks the batch as a whole and handles lines in Amplitude's usual form. Any doubt sends the whole batch
to the slow path: line by line through `records`, which handles every odd form. Both paths have the same result.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import orjson

from source_amplitude.encoding.encoded import Encoded, encode_line_by_line
from source_amplitude.encoding.shapes import INNER_FIELDS, NO_SHAPE, Shapes
from source_amplitude.records import Findings, are_plain_datetimes, dump_record, misfits
from source_amplitude.records.findings import NO_FINDINGS

if TYPE_CHECKING:
    from source_amplitude.records import Oddity

_HUGE_FLOATS_ARE_MARKED = b"e+" in orjson.dumps(1e22)
"""orjson 3.11.7 and later write 1e+22, orjson 3.11.6 writes 1e22 (observed)."""

_loads, _dumps = orjson.loads, orjson.dumps
_shapes = Shapes()


@dataclass(frozen=True)
class JsonLines:
    """Writes each record of a batch between ``prefix`` and the batch's suffix."""

    prefix: bytes

    def encode(self, body: bytes, suffix: bytes) -> Encoded[bytes]:
        """Return the records of ``body`` as one payload, without blank lines; each record ends with ``suffix``."""
        # The causes: invalid JSON, JSON that is not an object, or a float that may be an integer.
        with suppress(ValueError, TypeError, AttributeError):
            if _HUGE_FLOATS_ARE_MARKED:
                pieces, datetimes, odd = _encode_fast(body)
                payload = self._joined(pieces, suffix)
                if are_plain_datetimes(datetimes) and not _may_hold_huge_float(payload, len(datetimes)):
                    findings = Findings(dict(Counter(odd))) if odd else NO_FINDINGS
                    return Encoded(payload, len(pieces), len(pieces), (), findings)
        return self._line_by_line(body, suffix)

    def _line_by_line(self, body: bytes, suffix: bytes) -> Encoded[bytes]:
        each = encode_line_by_line(body, dump_record)
        return Encoded(self._joined(each.payload, suffix), each.records, each.lines, each.malformed, each.findings)

    def _joined(self, pieces: list[bytes], suffix: bytes) -> bytes:
        return b"".join((self.prefix, (suffix + self.prefix).join(pieces), suffix)) if pieces else b""


def _encode_fast(body: bytes) -> tuple[list[bytes], list[str], list[Oddity]]:
    """Return the dumped records of lines without need for repair, their original datetimes, and their oddities.

    Raises:
        ValueError, TypeError, AttributeError: A line needs the slow path.
    """
    pieces: list[bytes] = []
    datetimes: list[str] = []
    odd: list[Oddity] = []
    append, note, known, learn = pieces.append, datetimes.append, _shapes.get, _shapes.learn
    for event in map(_loads, BytesIO(body)):  # frees a line of 100 MB as soon as it is decoded
        shape = known((*map(type, event.values()),), NO_SHAPE)
        if shape.names != (*event,):
            shape = learn(event)
        _, stamps, nulls, inner, misfitting = shape
        for name in stamps:
            if text := event[name]:
                note(text)
                event[name] = text.replace(" ", "T") + "+00:00"
            else:
                del event[name]
        for name in inner:
            if event[name]:
                odd += misfits(event[name], INNER_FIELDS[name])
        odd += misfitting
        # Faster than a new dict without them (benchmarks/bare_script.py).
        for name in nulls:
            del event[name]
        append(_dumps(event))
    return pieces, datetimes, odd


def _may_hold_huge_float(payload: bytes, datetimes: int) -> bool:
    """Return whether a payload may contain a float above 1e16; orjson reads integers beyond 64 bits as such floats.

    Counting one byte is three times faster than searching for two. If there is only one plus sign for each datetime,
    there are no exponents.
    """
    return payload.count(b"+") > datetimes and any(part.endswith(b"e") for part in payload.split(b"+")[:-1])
