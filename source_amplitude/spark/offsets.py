"""Offsets of a streaming query: the ledger as plain JSON, the partition between two offsets, and the next offset.

An offset is the state that ``read`` saves plus ``seen``: the hours of its batch with files, as the driver discovered.
Spark passes offsets back unchanged and compares their text, so equal offsets must have equal texts.

Only the driver updates the ledger, by an `HourDiscovery`. Tasks cannot: they return nothing but rows.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

from source_amplitude.errors import InvalidStateError
from source_amplitude.ledger import Ledger, ledger_from_state, state_from_ledger
from source_amplitude.spark.partitions import Partition
from source_amplitude.windows import UNIX_EPOCH, HourSet, HourWindow, hour_window, parse_moment, take_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from source_amplitude.config import Config
    from source_amplitude.export import Amplitude
    from source_amplitude.members import Fingerprint

_SEEN = "seen"
_LATEST = datetime(2200, 1, 1, tzinfo=timezone.utc)

Offset = dict[str, Any]


def offset_of(ledger: Ledger, config: Config, seen: Iterable[datetime] = ()) -> Offset:
    """Return the offset after everything that ``ledger`` marks as read."""
    state = state_from_ledger(ledger, start=config.start, accepted_gaps=config.accepted_gaps)
    return {**state, _SEEN: [f"{hour:%Y-%m-%dT%H:%M:%SZ}" for hour in sorted(seen)]}


def ledger_at(offset: Mapping[str, Any], config: Config) -> Ledger:
    """Return the ledger of an offset; raise an InvalidStateError if `offset_of` did not write it."""
    state = {name: value for name, value in offset.items() if name != _SEEN}
    return ledger_from_state(state, export_delay_hours=config.export_delay_hours).ledger


def same_progress(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two offsets have equal ledgers."""
    return bool(one.get("ledger") == other.get("ledger"))


def partition_between(start: Mapping[str, Any], end: Mapping[str, Any], config: Config) -> Partition:
    """Return the partition that a batch from ``start`` to ``end`` reads; always the same for equal offsets."""
    before, after = ledger_at(start, config), ledger_at(end, config)
    changed = [hour for hour in after.read_hours if _members(after, hour) != _members(before, hour)]
    fresh = after.settled - before.settled
    hours = (fresh | HourSet.of(map(hour_window, changed))) - config.accepted_gaps
    return Partition(
        hours=hours,
        project=after.project,
        expected=(_seen(end) | HourSet.of(map(hour_window, changed))) & hours,
        known={hour: _members(before, hour) for hour in changed if hour in before.read_hours},
        bounds={hour: _changed(_members(before, hour), _members(after, hour)) for hour in changed},
    )


def _changed(before: dict[str, Fingerprint], after: dict[str, Fingerprint]) -> dict[str, Fingerprint]:
    return {name: seen for name, seen in after.items() if seen != before.get(name)}


def _seen(offset: Mapping[str, Any]) -> HourSet:
    texts = offset.get(_SEEN)
    moments = [parse_moment(text) for text in texts] if isinstance(texts, list) else [None]
    hours = [moment for moment in moments if moment is not None and UNIX_EPOCH <= moment < _LATEST]
    if len(hours) < len(moments):
        raise InvalidStateError(f"The offset's {_SEEN} is not a list of hours from 1970 to 2199.")
    return HourSet.of(map(hour_window, hours))


def _members(ledger: Ledger, hour: datetime) -> dict[str, Fingerprint]:
    read_hour = ledger.read_hours.get(hour)
    return {} if read_hour is None else dict(read_hour.members)


class HourDiscovery(Protocol):
    """Finds out which hours have files."""

    def discover(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        """Record in ``ledger`` which hours are settled and which are open.

        Return the hours that have files but no members in the ledger.

        Args:
            span: Published hours.
            fresh: Hours of the span to request for the first time.
            most: At most this many open hours may be resolved in one call; None: no limit.

        Raises:
            AmplitudeError: Discovery failed; the ledger must be discarded.
        """
        ...


class OffsetPlanner:
    """Plans the next offset of a streaming query.

    Args:
        poll_seconds: Minimum time between two requests while there is nothing new; Spark asks for an offset 100 times
            a second.
    """

    def __init__(self, amplitude: Amplitude, discovery: HourDiscovery, poll_seconds: float) -> None:
        self._amplitude = amplitude
        self._discovery = discovery
        self._poll_seconds = poll_seconds
        self._next_seconds = amplitude.clock.monotonic_seconds()
        self._target: datetime | None = None
        self._may_have_more = True

    def initial(self) -> Offset:
        return offset_of(Ledger(), self._amplitude.config)

    def end_at_present(self) -> None:
        """Stop at the newest hour that is published now; request open hours until a call settles none."""
        self._amplitude.connect()
        self._target = self._amplitude.newest_end()

    def next(self, start: Offset, most_hours: int | None) -> Offset:
        """Return the offset after ``start``, or ``start`` itself if there is nothing new.

        Args:
            most_hours: At most this many hours may be requested for the first time; None: no limit.

        Raises:
            AmplitudeError: Amplitude's responses are inconclusive; the query stays at ``start``.
        """
        clock, config = self._amplitude.clock, self._amplitude.config
        if clock.monotonic_seconds() < self._next_seconds:
            return start
        if self._target is None:
            self._amplitude.connect()
        ledger = ledger_at(start, config)
        self._amplitude.clocks.require_current_date(config.start, ledger.newest_settled)
        settled = ledger.settled
        span_end = self._amplitude.span_end(min(filter(None, (config.end, self._target)), default=None))
        if config.start >= span_end:
            self._wait()
            return start
        span = HourWindow(config.start, span_end)
        missing = ledger.missing(span, config.accepted_gaps)
        fresh = _first_hours(missing - ledger.open, most_hours)
        if self._target is not None and not fresh.windows and not self._may_have_more:
            return start
        seen = self._discovery.discover(ledger, span, fresh, most_hours)
        end = offset_of(ledger, config, seen)
        self._may_have_more = ledger.settled != settled
        if not fresh.windows and not self._may_have_more:
            self._wait()
        return start if same_progress(start, end) else end

    def _wait(self) -> None:
        self._next_seconds = self._amplitude.clock.monotonic_seconds() + self._poll_seconds


def _first_hours(hours: HourSet, most: int | None) -> HourSet:
    """Return the first ``most`` hours, in whole days where Amplitude has day files; None: all hours."""
    left, windows = most, []
    for window in hours.windows:
        if left is not None and left <= 0:
            break
        windows.append(window if left is None else take_window(window, left))
        left = None if left is None else left - windows[-1].hours
    return HourSet(tuple(windows))
