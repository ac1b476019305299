"""Sync the events stream: saved state in, records and new states out."""

from __future__ import annotations

import logging
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson

from source_amplitude.airbyte.traced import tracing
from source_amplitude.encoding import Encoded
from source_amplitude.errors import counted
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
    """A state that covers exactly the records yielded before it."""

    state: Mapping[str, Any]


@dataclass(frozen=True)
class EventsSync(Generic[T]):
    """Reads all hours that a saved state does not cover.

    Attributes:
        state: The state from Airbyte, in the format of any version.
        encoding: Encodes event lines into payloads.
        stop: Once set, the sync ends soon with a final state.
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
        """Yield records and save points, with a final save point even after a failure.

        Raises:
            AirbyteTracedException: The sync failed; raised after the final save point.
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
        self.amplitude.connect(self.stop)
        reader = ExportReader(self.amplitude, ledger, self.encoding, stop=self.stop)
        self._rewind_future_cursor(ledger)
        self.amplitude.clocks.require_current_date(self._config.start, ledger.newest_settled)
        span_end = self.amplitude.span_end(self._config.end)
        failure: Exception | None = None
        try:
            yield from self._read(reader, ledger, span_end, is_full_refresh=is_full_refresh)
        except Exception as error:  # noqa: BLE001 - raised below; the ledger is valid after any error
            failure = error
        yield self._save_point(ledger)
        stats = reader.stats
        stats.hours_open, stats.seconds = len(ledger.open), self.amplitude.clock.monotonic_seconds() - started_seconds
        _logger.info("events: %s", stats.summary())
        stats.oddities.log_warnings("events")
        self.listener.end("events", stats)
        self._log_known_gaps(ledger)
        if failure is not None:
            raise failure

    def _read(
        self, reader: ExportReader[T], ledger: Ledger, span_end: datetime, *, is_full_refresh: bool
    ) -> Iterator[Encoded[T] | SavePoint]:
        if self._config.start >= span_end:
            _logger.warning(
                "Nothing to read: start_date is %s, but the newest published hour ends at %s.",
                _shown(self._config.start),
                _shown(span_end),
            )
            return
        span = HourWindow(self._config.start, span_end)
        missing = ledger.missing(span, self._config.accepted_gaps)
        _logger.info("events: %s to read, of %s.", counted(len(missing), "hour"), span)
        if is_full_refresh and not (missing - ledger.open).windows and self.state:
            _logger.warning(
                "The state of this full refresh already covers every hour, so nothing is emitted. Clear the stream's "
                "state to read everything again."
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

    def _rewind_future_cursor(self, ledger: Ledger) -> None:
        """Rewind a cursor that lies in the future by both clocks.

        Airbyte's acceptance tests send such a state, and expect no record before the newest hour.
        """
        newest_end = self.amplitude.newest_end()
        if ledger.clamp(floor_hour(self.amplitude.clocks.latest_now()) + HOUR, newest_end):
            _logger.warning(
                "The saved state lies in the future; it is set back to %s. All earlier hours count as read. If they "
                "were not read, reset the stream's state.",
                _shown(newest_end),
            )

    def _save_point(self, ledger: Ledger) -> SavePoint:
        start = min(self._config.start, floor_unit(self.amplitude.clocks.latest_now()))
        return SavePoint(state_from_ledger(ledger, start=start, accepted_gaps=self._config.accepted_gaps))

    def _log_known_gaps(self, ledger: Ledger) -> None:
        """Log accepted gaps and malformed lines on every sync, so that a successful one does not hide them."""
        for window in self._config.accepted_gaps.windows:
            _logger.warning("events: %s is not read, because it is in accepted_gaps.", window)
        for hour, read in ledger.with_malformed_lines().items():
            _logger.warning(
                "events: %s contains malformed JSON; %s skipped, in %s.",
                hour_window(hour),
                counted(read.malformed_lines, "line"),
                ", ".join(name for name, seen in read.members.items() if seen.malformed_lines),
            )


class Pace:
    """Limits states to one per second; a large state is followed by a pause of 30 seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_seconds = clock.monotonic_seconds()

    def allows_a_state(self) -> bool:
        return self._clock.monotonic_seconds() >= self._next_seconds

    def note(self, point: SavePoint) -> SavePoint:
        """Return ``point``, and schedule the next state."""
        is_large = len(orjson.dumps(point.state)) > _LARGE_STATE_BYTES
        self._next_seconds = self._clock.monotonic_seconds() + (30 if is_large else 1)
        return point


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:00} UTC"
