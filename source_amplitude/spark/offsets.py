"""Offsets of a streaming query: the ledger as plain JSON, and what lies between two of them.

An offset is the state that ``read`` saves, with ``seen``: hours of its batch that the driver saw files for. Spark hands
offsets back as it wrote them and compares their text, so equal offsets must have equal texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from source_amplitude.errors import InvalidStateError
from source_amplitude.ledger import Ledger, ledger_from_state, state_from_ledger
from source_amplitude.spark.shares import Share
from source_amplitude.windows import HourSet, hour_window, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from source_amplitude.config import Config
    from source_amplitude.members import Fingerprint

_SEEN = "seen"

Offset = dict[str, Any]


def offset_of(ledger: Ledger, config: Config, seen: Iterable[datetime] = ()) -> Offset:
    """Return the offset behind everything that ``ledger`` says is read."""
    state = state_from_ledger(ledger, start=config.start, accepted_gaps=config.accepted_gaps)
    return {**state, _SEEN: [f"{hour:%Y-%m-%dT%H:%M:%SZ}" for hour in sorted(seen)]}


def ledger_at(offset: Mapping[str, Any], config: Config) -> Ledger:
    """Return the ledger that an offset holds.

    Raises:
        InvalidStateError: It is none that `offset_of` wrote.
    """
    state = {name: value for name, value in offset.items() if name != _SEEN}
    return ledger_from_state(state, export_delay_hours=config.export_delay_hours).ledger


def says_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether nothing was read or learnt between two offsets."""
    return bool(one["ledger"] == other["ledger"])


def share_between(start: Mapping[str, Any], end: Mapping[str, Any], config: Config) -> Share:
    """Return what a batch from ``start`` to ``end`` reads: the same whenever Spark asks.

    Raises:
        InvalidStateError: One of them is none that `offset_of` wrote.
    """
    before, after = ledger_at(start, config), ledger_at(end, config)
    changed = [hour for hour in after.landed if _members(after, hour) != _members(before, hour)]
    fresh = after.settled - before.settled
    hours = (fresh | HourSet.of(map(hour_window, changed))) - config.accepted_gaps
    return Share(
        hours=hours,
        project=after.project,
        expected=(_seen(end) | HourSet.of(map(hour_window, changed))) & hours,
        known={hour: _members(before, hour) for hour in changed if hour in before.landed},
        bounds={hour: _changed(_members(before, hour), _members(after, hour)) for hour in changed},
    )


def _changed(before: dict[str, Fingerprint], after: dict[str, Fingerprint]) -> dict[str, Fingerprint]:
    return {name: seen for name, seen in after.items() if seen != before.get(name)}


def _seen(offset: Mapping[str, Any]) -> HourSet:
    texts = offset.get(_SEEN)
    moments = [parse_moment(text) for text in texts] if isinstance(texts, list) else [None]
    if None in moments:
        raise InvalidStateError(f"The offset's {_SEEN} is no list of hours.")
    return HourSet.of(hour_window(moment) for moment in moments if moment is not None)


def _members(ledger: Ledger, hour: datetime) -> dict[str, Fingerprint]:
    landed = ledger.landed.get(hour)
    return {} if landed is None else dict(landed.members)
