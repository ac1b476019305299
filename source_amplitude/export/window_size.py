"""Plan the requests: spans of hours, cut into windows when a worker is free."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.export.amplitude import MAX_EXPORT_HOURS
from source_amplitude.windows import HourSet, HourWindow, split, take_window

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from source_amplitude.ledger import Ledger

_WINDOWS_BEFORE_GROWTH = 12


@dataclass(frozen=True, order=True)
class Span:
    """Hours to request; with ``whole``, in one request as far as Amplitude allows."""

    hours: HourWindow
    whole: bool = False


@dataclass
class WindowSize:
    """The hours of one request: the configured number, or a smaller number after a response was too large."""

    configured_hours: int
    hours: int
    _successes: int = 0

    @classmethod
    def remembered(cls, configured_hours: int, ledger: Ledger) -> WindowSize:
        """Return the last size of an earlier sync, or the configured size if the configuration has changed."""
        saved = ledger.working_hours
        hours = saved[1] if saved and saved[0] == configured_hours else configured_hours
        return cls(configured_hours, max(1, min(hours, configured_hours)))

    @property
    def to_remember(self) -> tuple[int, int] | None:
        """The value to save in the ledger; None if the configured size is in use."""
        return None if self.hours == self.configured_hours else (self.configured_hours, self.hours)

    def was_too_large(self, half_hours: int) -> None:
        """Record that a window was too large; the next ones have at most ``half_hours`` hours."""
        self.hours, self._successes = max(1, min(self.hours, half_hours)), 0

    def halve(self, window: HourWindow) -> tuple[HourWindow, HourWindow] | None:
        """Return the halves of a window that was too large, and shorten the next ones; None for a single hour."""
        halves = split(window)
        if halves is not None:
            self.was_too_large(halves[0].hours)
        return halves

    def worked(self, hours: int) -> None:
        """Record that a window of ``hours`` hours succeeded; after 12 windows of the current size, double it."""
        if hours < self.hours:
            return
        self._successes += 1
        if self.hours < self.configured_hours and self._successes >= _WINDOWS_BEFORE_GROWTH:
            self.hours, self._successes = min(self.hours * 2, self.configured_hours), 0


class WindowQueue:
    """The hours still to request, oldest first; `take` cuts off windows."""

    def __init__(self, spans: Iterable[Span], size: WindowSize) -> None:
        self._spans = deque(sorted(spans))
        self._size = size

    def take(self) -> HourWindow | None:
        """Return the next window, or None if the queue is empty."""
        if not self._spans:
            return None
        span = self._spans.popleft()
        window = take_window(span.hours, MAX_EXPORT_HOURS if span.whole else self._size.hours)
        if window.end < span.hours.end:
            self._spans.appendleft(Span(HourWindow(window.end, span.hours.end), span.whole))
        return window

    def hours_left(self) -> int:
        """Return the number of hours that were not taken yet."""
        return sum(span.hours.hours for span in self._spans)


def spans_to_read(
    ledger: Ledger,
    span: HourWindow,
    *,
    accepted_gaps: HourSet,
    recheck_hours: tuple[int, ...],
    now: datetime,
    reread: HourSet,
) -> list[Span]:
    """Return the spans to request: open hours in whole runs, missing hours, and done hours to read again.

    Done hours are read again if a recheck is due or if they are in ``reread``.
    """
    missing = ledger.missing(span, accepted_gaps)
    still_open = missing & ledger.open
    due = (ledger.rechecks_due(span, recheck_hours, now) | (reread & HourSet((span,)))) - missing - accepted_gaps
    return [
        *(Span(window, whole=True) for window in still_open.windows),
        *(Span(window) for window in (missing - still_open).windows),
        *(Span(window) for window in due.windows),
    ]
