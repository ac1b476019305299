"""Plan the requests: spans of hours, cut into windows when a worker is free."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.export.amplitude import MAX_EXPORT_HOURS
from source_amplitude.windows import DAY_HOURS, HourSet, HourWindow, split, take_last_window, take_window

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from source_amplitude.ledger import Ledger

_WINDOWS_BEFORE_GROWTH = 12
_MAX_GROWN_HOURS = 30 * DAY_HOURS


@dataclass(frozen=True, order=True)
class Span:
    """Hours to request; with ``whole``, in one request as far as Amplitude allows."""

    hours: HourWindow
    whole: bool = False


@dataclass
class WindowSize:
    """The hours of one request: the configured number, or a smaller number after a response was too large.

    Windows over hours without files grow: they double, up to 30 days, and return to this size at the first file.
    """

    configured_hours: int
    hours: int
    _successes: int = 0
    _grown_hours: int = 0  # more than `hours` while windows grow
    _is_proven: bool = True

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

    @property
    def next_hours(self) -> int:
        """The hours of the next window."""
        return max(self.hours, self._grown_hours)

    @property
    def needs_an_answer(self) -> bool:
        """Whether the next window is requested alone: it may be too large, and the ones behind it with it."""
        return self._grown_hours > self.hours or not self._is_proven

    def was_too_large(self, half_hours: int) -> None:
        """Record that a window was too large; the next ones have at most ``half_hours`` hours."""
        self.hours, self._successes = max(1, min(self.hours, half_hours)), 0
        self._grown_hours, self._is_proven = 0, False

    def shrink(self, window: HourWindow) -> bool:
        """Return whether a window that was too large can be cut, and shorten the next ones.

        A window longer than the current size says nothing about this size: it is only cut at it.
        """
        halves = split(window)
        if halves is None:
            return False
        if window.hours <= self.hours:
            self.was_too_large(halves[0].hours)
        elif self._grown_hours > self.hours:
            self._grown_hours, self._is_proven = 0, False
        return True

    def cuts_after_failure(self, window: HourWindow) -> bool:
        """Return whether a window that failed had grown: it is requested again at the current size.

        A fault of one hour must not keep the other hours of a grown window unread.
        """
        if not window.hours > self.hours < self._grown_hours:
            return False
        self._grown_hours = 0
        return True

    def answered(self, window: HourWindow, *, has_files: bool) -> None:
        """Record that the request for ``window`` was answered, not as too large."""
        if has_files:
            self._grown_hours = 0
        elif window.hours >= self.next_hours:
            self._grown_hours = max(window.hours, min(window.hours * 2, _MAX_GROWN_HOURS))
        if window.hours >= self.hours:
            self._is_proven = True

    def worked(self, hours: int) -> None:
        """Record that a window of ``hours`` hours succeeded; after 12 windows of the current size, double it."""
        if hours < self.hours:
            return
        self._successes += 1
        if self.hours < self.configured_hours and self._successes >= _WINDOWS_BEFORE_GROWTH:
            self.hours, self._successes = min(self.hours * 2, self.configured_hours), 0
            self._is_proven = False


class WindowQueue:
    """The hours still to request; `take` cuts off windows, the oldest or the newest first."""

    def __init__(self, spans: Iterable[Span], size: WindowSize, *, newest_first: bool = False) -> None:
        self._spans = deque(sorted(spans, reverse=newest_first))
        self._size = size
        self._newest_first = newest_first

    def precedes(self, one: HourWindow, other: HourWindow) -> bool:
        """Return whether ``one`` is requested before ``other``."""
        return one.start > other.start if self._newest_first else one.start < other.start

    def first(self) -> HourWindow | None:
        """Return the window that `take` would return."""
        if not self._spans:
            return None
        span = self._spans[0]
        hours = MAX_EXPORT_HOURS if span.whole else self._size.next_hours
        return (take_last_window if self._newest_first else take_window)(span.hours, hours)

    def take(self) -> HourWindow | None:
        """Return the next window, or None if the queue is empty."""
        window = self.first()
        if window is None:
            return None
        span = self._spans.popleft()
        for rest in (HourSet((span.hours,)) - HourSet((window,))).windows:
            self._spans.appendleft(Span(rest, span.whole))
        return window

    def put_back(self, windows: Iterable[HourWindow]) -> None:
        """Return windows that `take` gave out; they are cut at the current size."""
        self._spans = deque(sorted((*self._spans, *(Span(window) for window in windows)), reverse=self._newest_first))

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
