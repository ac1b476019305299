"""Windows: half-open spans of whole UTC hours, and sets of hours.

Amplitude publishes events by the hour of their ``server_upload_time``. The connector plans, reads and records
in units of these hours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DAY_HOURS = 24
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

DAY_FILES_END = datetime(2014, 11, 12, tzinfo=timezone.utc)
"""Before this time Amplitude has one set of files per day; from then on, one per hour (documented, Export API)."""


@dataclass(frozen=True, order=True)
class HourWindow:
    """The hours from ``start`` (included) to ``end`` (excluded), both aware UTC datetimes on the hour."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment.utcoffset() != timedelta(0) or moment != floor_hour(moment):
                raise ValueError(f"{moment!r} is not a whole hour in UTC")
        if self.start >= self.end:
            raise ValueError(f"a window needs at least one hour, not {self.start!r} to {self.end!r}")

    def __str__(self) -> str:
        if self.hours == 1:
            return f"{self.start:%Y-%m-%d %H:00} UTC"
        same_day = self.end - self.start <= DAY and self.start.date() == (self.end - HOUR).date()
        end = f"{self.end:%H:00}" if same_day and self.end.hour else f"{self.end:%Y-%m-%d %H:00}"
        return f"{self.start:%Y-%m-%d %H:00} to {end} UTC"

    def __iter__(self) -> Iterator[datetime]:
        return (self.start + HOUR * n for n in range(self.hours))

    def __contains__(self, hour: datetime) -> bool:
        return self.start <= hour < self.end

    @property
    def hours(self) -> int:
        return int((self.end - self.start) / HOUR)


def floor_hour(moment: datetime) -> datetime:
    """Return the start of the UTC hour that contains ``moment``."""
    return moment.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0)


def floor_unit(moment: datetime) -> datetime:
    """Return the start of the hour that contains ``moment``, or of its day if Amplitude has day files for it."""
    hour = floor_hour(moment)
    return hour.replace(hour=0) if hour < DAY_FILES_END else hour


def hour_window(hour: datetime) -> HourWindow:
    """Return the window of one set of files: the hour, or its whole day if Amplitude has day files for it."""
    start = floor_unit(hour)
    return HourWindow(start, start + (DAY if start < DAY_FILES_END else HOUR))


def whole_units(window: HourWindow) -> HourWindow:
    """Return ``window``, extended to whole days where Amplitude has day files."""
    return HourWindow(floor_unit(window.start), hour_window(window.end - HOUR).end)


def take_window(span: HourWindow, hours: int) -> HourWindow:
    """Return the first ``hours`` hours of ``span``, or all of it; whole days where Amplitude has day files."""
    end = min(span.start + HOUR * hours, span.end)
    if end < DAY_FILES_END:
        end = min(max(floor_unit(end), floor_unit(span.start) + DAY), span.end)
    return HourWindow(span.start, end)


def take_last_window(span: HourWindow, hours: int) -> HourWindow:
    """Return the last ``hours`` hours of ``span``, or all of it; whole days where Amplitude has day files."""
    start = max(span.end - HOUR * hours, span.start)
    if span.start < start < DAY_FILES_END:
        is_whole = start == floor_unit(start)
        start = start if is_whole else min(floor_unit(start) + DAY, floor_unit(span.end - HOUR))
        start = max(start, span.start)
    return HourWindow(start, span.end)


def plan(span: HourWindow, hours: int) -> Iterator[HourWindow]:
    """Yield consecutive windows of at most ``hours`` hours that cover ``span``."""
    start = span.start
    while start < span.end:
        window = take_window(HourWindow(start, span.end), hours)
        yield window
        start = window.end


def split(window: HourWindow) -> tuple[HourWindow, HourWindow] | None:
    """Return the two halves of ``window``, or None if it is a single set of files."""
    first = take_window(window, max(1, window.hours // 2))
    return None if first == window else (first, HourWindow(first.end, window.end))


@dataclass(frozen=True)
class HourSet:
    """An immutable set of hours, stored as sorted disjoint windows."""

    windows: tuple[HourWindow, ...] = ()

    @classmethod
    def of(cls, windows: Iterable[HourWindow]) -> HourSet:
        """Return the union of ``windows``, which may overlap and be in any order."""
        merged: list[HourWindow] = []
        for window in sorted(windows):
            if merged and window.start <= merged[-1].end:
                merged[-1] = HourWindow(merged[-1].start, max(merged[-1].end, window.end))
            else:
                merged.append(window)
        return cls(tuple(merged))

    def __contains__(self, hour: datetime) -> bool:
        return any(hour in window for window in self.windows)

    def __iter__(self) -> Iterator[datetime]:
        return (hour for window in self.windows for hour in window)

    def __len__(self) -> int:
        return sum(window.hours for window in self.windows)

    def __or__(self, other: HourSet) -> HourSet:
        return HourSet.of((*self.windows, *other.windows))

    def __sub__(self, other: HourSet) -> HourSet:
        return HourSet(tuple(piece for window in self.windows for piece in _without(window, other.windows)))

    def __and__(self, other: HourSet) -> HourSet:
        return self - (self - other)


def _without(window: HourWindow, holes: tuple[HourWindow, ...]) -> Iterator[HourWindow]:
    start = window.start
    for hole in holes:
        if hole.end <= start or hole.start >= window.end:
            continue
        if hole.start > start:
            yield HourWindow(start, hole.start)
        start = max(start, hole.end)
    if start < window.end:
        yield HourWindow(start, window.end)


def parse_moment(value: object) -> datetime | None:
    """Return a text such as ``2021-01-25T00:00:00Z`` as an aware UTC datetime, or None if it is not a datetime.

    A fraction, an offset and a bare day (midnight UTC) are also accepted. A time without an offset is UTC.
    """
    if not isinstance(value, str) or not re.match(r"\d{4}-\d{2}-\d{2}($|[T ]\d{2})", value):
        return None
    text = re.sub(r"(\.\d{1,6})\d*", lambda match: match[1].ljust(7, "0"), value.strip())
    text = re.sub(r"[zZ]$", "+00:00", text)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
