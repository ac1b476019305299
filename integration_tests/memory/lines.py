"""Long lines: a sample event with one large property."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from amplitude_emulator.sample_data import iter_sample

NINE = datetime(2026, 3, 4, 9, tzinfo=timezone.utc)
USUAL_LINE_BYTES = 1_700
HOLE = b'"@"'


def usual_line() -> bytes:
    """Return a sample event of about 1.7 KB."""
    members = iter_sample(100200, seed=7, start=NINE, end=NINE + timedelta(hours=1), events_per_hour=300)
    lines = [line for member in members for line in member.lines]
    return min(lines, key=lambda line: abs(len(line) - USUAL_LINE_BYTES))


def text_line(size_bytes: int, text: str = "lorem ipsum dolor sit amet, ") -> bytes:
    """Return an event of at most ``size_bytes`` whose property repeats ``text``."""
    return _filled(size_bytes, b'"', text.encode(), b'"')


def array_line(size_bytes: int, element: str) -> bytes:
    """Return an event of at most ``size_bytes`` whose property is an array of ``element``."""
    return _filled(size_bytes, b"[", element.encode() + b",", b"0]")


def _filled(size_bytes: int, opening: bytes, filler: bytes, closing: bytes) -> bytes:
    event = json.loads(usual_line()) | {"event_properties": {"large": "@"}}
    before, after = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode().split(HOLE)
    room = size_bytes - len(before) - len(opening) - len(closing) - len(after)
    return before + opening + filler * (room // len(filler)) + closing + after
