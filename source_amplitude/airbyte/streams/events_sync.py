"""One sync of the events stream: from the saved state to records and new states."""

from __future__ import annotations

import logging
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson

from source_amplitude.airbyte.failures import tracing
from source_amplitude.encoding import Encoded
from source_amplitude.export import Amplitude, ExportReader, StillWaiting
from source_amplitude.ledger import Ledger, ledger_from_state, state_from_ledger
from source_amplitude.windows import HOUR, HourWindow, floor_hour, floor_unit, hour_window

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from source_amplitude.clock import Clock
    from source_amplitude.config import Config
    from source_amplitude.encoding import Encoding
    from source_amplitude.export import ProgressListener

T = TypeVar("T")

_logger = logging.getLogger("airbyte")

_LARGE_STATE_BYTES = 10_000


@dataclass(frozen=True)
class SavePoint:
    """A state that covers exactly what has been yielded before it."""

    state: Mapping[str, Any]


@dataclass(frozen=True)
class EventsSync(Generic[T]):
    """Reads everything that a saved state lacks.

    Attributes:
        state: As Airbyte handed it over, in any form any version saved.
        encoding: Makes the payloads out of lines.
        stop: Set when the sync is to end soon, with a state.
    """

    amplitude: Amplitude
    state: Mapping[str, Any]
    encoding: Encoding[T]
    _: KW_ONLY
    stop: threading.Event
    listener: ProgressListener

    @property
    def _config(self) -> Config:
        return self.amplitude.config

    def run(self, *, is_full_refresh: bool) -> Iterator[Encoded[T] | SavePoint]:
        """Yield records and save points; the last save point comes even when something failed.

        Raises:
            AirbyteTracedException: Why the sync is red; nothing follows it.
        """
        try:
            with tracing(self._config.keys):
                yield from self._run(is_full_refresh=is_full_refresh)
        finally:
            self.encoding.close()
            self.amplitude.close()

    def _run(self, *, is_full_refresh: bool) -> Iterator[Encoded[T] | SavePoint]:
        started_seconds = self.amplitude.clock.monotonic_seconds()
        ledger = self._read_state()
        self.amplitude.connect()
        reader = ExportReader(self.amplitude, ledger, self.encoding, stop=self.stop)
        self._take_back_the_future(ledger)
        self.amplitude.clocks.require_current_date(self._config.start, ledger.newest_settled)
        span_end = self.amplitude.span_end(self._config.end)
        failure: Exception | None = None
        try:
            yield from self._read(reader, ledger, span_end, is_full_refresh=is_full_refresh)
        except Exception as error:  # noqa: BLE001 - it is raised again below; the ledger is right whatever broke
            failure = error
        yield self._save_point(ledger)
        stats = reader.stats
        stats.hours_open, stats.seconds = len(ledger.open), self.amplitude.clock.monotonic_seconds() - started_seconds
        _logger.info("events: %s", stats.summary())
        stats.oddities.log_warnings("events")
        self.listener.end("events", stats)
        self._name_what_is_known(ledger)
        if failure is not None:
            raise failure

    def _read(
        self, reader: ExportReader[T], ledger: Ledger, span_end: datetime, *, is_full_refresh: bool
    ) -> Iterator[Encoded[T] | SavePoint]:
        if self._config.start >= span_end:
            _logger.warning(
                "There is nothing to read: start_date is %s, and the newest hour Amplitude has published ends at %s.",
                _shown(self._config.start),
                _shown(span_end),
            )
            return
        span = HourWindow(self._config.start, span_end)
        missing = ledger.missing(span, self._config.accepted_gaps)
        _logger.info("events: %d hours of %s are to be read.", len(missing), span)
        if is_full_refresh and not (missing - ledger.open).windows and self.state:
            _logger.warning(
                "This full refresh was handed a state in which every hour is read, so nothing is emitted; clear the "
                "stream's state to read everything again."
            )
        self.listener.begin("events", lambda: reader.stats)
        pace = Pace(self.amplitude.clock)
        for step in reader.read(span, recheck=not is_full_refresh):
            if isinstance(step, Encoded):
                yield step
            elif isinstance(step, StillWaiting) or pace.allows_a_state():
                yield pace.note(self._save_point(ledger))

    def _read_state(self) -> Ledger:
        saved = ledger_from_state(self.state, export_delay_hours=self._config.export_delay_hours)
        for warning in saved.warnings:
            _logger.warning("%s", warning)
        return saved.ledger

    def _take_back_the_future(self, ledger: Ledger) -> None:
        """Set a state back that counts hours as read which even the later of the two clocks calls future.

        Nothing before the newest hour is emitted then, as Airbyte's acceptance tests ask.
        """
        newest_end = self.amplitude.newest_end()
        if ledger.clamp(floor_hour(self.amplitude.clocks.latest_now()) + HOUR, newest_end):
            _logger.warning(
                "The saved state counts hours of the future as read; it is set back to %s. Everything before counts as "
                "read; if it was not, reset the stream's state.",
                _shown(newest_end),
            )

    def _save_point(self, ledger: Ledger) -> SavePoint:
        start = min(self._config.start, floor_unit(self.amplitude.clocks.latest_now()))
        return SavePoint(state_from_ledger(ledger, start=start, accepted_gaps=self._config.accepted_gaps))

    def _name_what_is_known(self, ledger: Ledger) -> None:
        """Repeat in every summary what a green sync must not make forgotten."""
        for window in self._config.accepted_gaps.windows:
            _logger.warning("events: %s counts as read because accepted_gaps names it.", window)
        for hour, landed in ledger.with_malformed_lines().items():
            _logger.warning(
                "events: %s has %d lines that are no JSON objects and could not be emitted, in %s.",
                hour_window(hour),
                landed.malformed_lines,
                ", ".join(name for name, seen in landed.members.items() if seen.malformed_lines),
            )


class Pace:
    """Keeps states apart: at most one a second, and large ones at most every half minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_seconds = clock.monotonic_seconds()

    def allows_a_state(self) -> bool:
        return self._clock.monotonic_seconds() >= self._next_seconds

    def note(self, point: SavePoint) -> SavePoint:
        """Return ``point``, and keep the next one apart from it."""
        is_large = len(orjson.dumps(point.state)) > _LARGE_STATE_BYTES
        self._next_seconds = self._clock.monotonic_seconds() + (30 if is_large else 1)
        return point


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:00} UTC"
