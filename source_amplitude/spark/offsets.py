"""Offsets of a streaming query: the ledger as plain JSON, what lies between two of them, and how the next one is made.

An offset is the state that ``read`` saves, with ``seen``: hours of its batch that the driver saw files for. Spark hands
offsets back as it wrote them and compares their text, so equal offsets must have equal texts.

What the driver finds out about hours, by `glances` at archives or by `looks` into them, changes a ledger as ``read``
does. Executors cannot: nothing of what a task finds comes back to the driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from source_amplitude.errors import InvalidStateError
from source_amplitude.ledger import Ledger, ledger_from_state, state_from_ledger
from source_amplitude.spark.partitions import Partition
from source_amplitude.windows import HourSet, HourWindow, hour_window, parse_moment, take_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from source_amplitude.config import Config
    from source_amplitude.export import Amplitude
    from source_amplitude.members import Fingerprint

_SEEN = "seen"

Offset = dict[str, Any]


def offset_of(ledger: Ledger, config: Config, seen: Iterable[datetime] = ()) -> Offset:
    """Return the offset behind everything that ``ledger`` says is read."""
    state = state_from_ledger(ledger, start=config.start, accepted_gaps=config.accepted_gaps)
    return {**state, _SEEN: [f"{hour:%Y-%m-%dT%H:%M:%SZ}" for hour in sorted(seen)]}


def ledger_at(offset: Mapping[str, Any], config: Config) -> Ledger:
    """Return the ledger that an offset holds, or raise an InvalidStateError if it is none that `offset_of` wrote."""
    state = {name: value for name, value in offset.items() if name != _SEEN}
    return ledger_from_state(state, export_delay_hours=config.export_delay_hours).ledger


def same_progress(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether nothing was read or learnt between two offsets."""
    return bool(one["ledger"] == other["ledger"])


def partition_between(start: Mapping[str, Any], end: Mapping[str, Any], config: Config) -> Partition:
    """Return what a batch from ``start`` to ``end`` reads: the same whenever Spark asks."""
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
    if None in moments:
        raise InvalidStateError(f"The offset's {_SEEN} is no list of hours.")
    return HourSet.of(hour_window(moment) for moment in moments if moment is not None)


def _members(ledger: Ledger, hour: datetime) -> dict[str, Fingerprint]:
    read_hour = ledger.read_hours.get(hour)
    return {} if read_hour is None else dict(read_hour.members)


class HourDiscovery(Protocol):
    """Finds out about hours."""

    def discover(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        """Record in ``ledger`` which hours are settled and which are open.

        Returns hours that files were seen for and whose files the ledger does not remember.

        Args:
            span: Published hours.
            fresh: Hours of the span that were never asked for, and are to be now.
            most: So many hours that were open are settled with files at most; None for all.

        Raises:
            AmplitudeError: The ledger is of no use then.
        """
        ...


class OffsetPlanner:
    """Decides how far a streaming query may read.

    Args:
        poll_seconds: How long nothing is asked for after there was nothing new: Spark asks a hundred times a second.
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
        """Go no further than what is published now, and ask for open hours as long as that brings any."""
        self._amplitude.connect()
        self._target = self._amplitude.newest_end()

    def next(self, start: Offset, most_hours: int | None) -> Offset:
        """Return an offset behind ``start``, or ``start`` itself where there is nothing new.

        Args:
            most_hours: Of hours that were never asked for, so many at most; None for all.

        Raises:
            AmplitudeError: Amplitude's answers do not allow to say; the query has not moved.
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
    """Return the first ``most`` hours; whole days where Amplitude has day files, and all of them for None."""
    left, windows = most, []
    for window in hours.windows:
        if left is not None and left <= 0:
            break
        windows.append(window if left is None else take_window(window, left))
        left = None if left is None else left - windows[-1].hours
    return HourSet(tuple(windows))
