"""From one offset of a streaming query to the next: when Amplitude is asked, and for how many hours.

What the driver finds out about hours, by `glances` at archives or by `looks` into them, changes a ledger as ``read``
does. Executors cannot: nothing of what a task finds comes back to the driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from source_amplitude.ledger import Ledger
from source_amplitude.spark.offsets import Offset, ledger_at, offset_of, says_the_same
from source_amplitude.windows import HourSet, HourWindow, take_window

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.export import Amplitude


class Settling(Protocol):
    """Finds out about hours."""

    def settle(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        """Record in ``ledger`` which hours are settled and which are open.

        Returns hours that files were seen for and whose files the ledger does not remember.

        Args:
            ledger: Changed.
            span: Published hours.
            fresh: Hours of the span that were never asked for, and are to be now.
            most: So many hours that were open are settled with files at most; None for all.

        Raises:
            AmplitudeError: The ledger is of no use then.
        """
        ...


class Progress:
    """Decides how far a streaming query may read.

    Args:
        settling: How the driver learns of hours.
        poll_seconds: How long nothing is asked for after there was nothing new: Spark asks a hundred times a second.
    """

    def __init__(self, amplitude: Amplitude, settling: Settling, poll_seconds: float) -> None:
        self._amplitude = amplitude
        self._settling = settling
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
            start: Where the query is.
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
        self._amplitude.require_current_date(config.start, ledger.newest_settled)
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
        seen = self._settling.settle(ledger, span, fresh, most_hours)
        end = offset_of(ledger, config, seen)
        self._may_have_more = ledger.settled != settled
        if not fresh.windows and not self._may_have_more:
            self._wait()
        return start if says_the_same(start, end) else end

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
