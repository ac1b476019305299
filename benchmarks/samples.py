"""Samples of raw lines: the emulator's, a less friendly one, and the first with unknown fields."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import orjson

from amplitude_emulator.sample_data import iter_sample

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 1
PROPERTIES = 60
OLD_SHARE = 0.05

_PROJECT = 100200
_START = datetime(2026, 3, 3, tzinfo=timezone.utc)
_WORDS = ("größe", "vélo", "自転車", "δρόμος", "заказ", "🚲", "straße", "購入", "mañana", "smør")
_LONG_TEXT_WORDS = 120
_KINDS = 6


def friendly_lines(events: int) -> bytes:
    """Return lines of the emulator's sample data."""
    members = iter_sample(_PROJECT, seed=SEED, start=_START, end=_START + timedelta(days=1), total_events=events)
    return b"".join(line + b"\n" for member in members for line in member.lines)


def rich_lines(events: int) -> bytes:
    """Return the same events with 60 properties in two objects, long texts and non-ASCII text in every event.

    Every twentieth event is in the dialect until early 2023, with datetimes of that time: colons in the date, no
    fraction.
    """
    chance = random.Random(SEED)  # noqa: S311 - a sample
    return b"".join(map(_dumped, _rich_events(events, chance)))


def _rich_events(events: int, chance: random.Random) -> Iterator[dict[str, object]]:
    for line in friendly_lines(events).splitlines():
        event = orjson.loads(line)
        event["event_properties"] = {f"{_WORDS[n % 10]} {n}": _value(chance, n) for n in range(PROPERTIES)}
        event["user_properties"] = {f"[Amplitude] {_WORDS[n % 10]} {n}": _value(chance, n) for n in range(PROPERTIES)}
        event["city"] = chance.choice(_WORDS)
        if chance.random() < OLD_SHARE:
            event |= {"$schema": 12, "$insert_key": "0a1b", "is_attribution_event": False, "global_user_properties": {}}
            event["user_creation_time"] = event["event_time"][:19].replace("-", ":")
        yield event


def _value(chance: random.Random, number: int) -> object:
    kind = number % _KINDS
    if number == 0:
        return " ".join(chance.choices(_WORDS, k=_LONG_TEXT_WORDS))
    if kind == 1:
        return chance.randrange(10**6)
    if kind == 2:  # noqa: PLR2004 - kinds of values
        return chance.random() * 1000
    return None if kind == 3 else [chance.choice(_WORDS), "x"] if kind == 4 else chance.choice(_WORDS)  # noqa: PLR2004


def lines_with_unknown_fields(body: bytes, fields: int, share: float) -> bytes:
    """Return lines, of which a share has some fields that the schema does not have."""
    chance = random.Random(SEED)  # noqa: S311 - a sample
    more = b"".join(b'"new_field_%d":"value %d",' % (number, number) for number in range(fields))
    return b"".join(
        b"{" + more + line[1:] if chance.random() < share else line for line in body.splitlines(keepends=True)
    )


def _dumped(event: dict[str, object]) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
