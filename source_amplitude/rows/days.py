"""Days in a project's time zone: which have ended, and how to split them into requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

ONE_DAY = timedelta(days=1)

EVERYWHERE = timezone(timedelta(hours=-12))
"""The time zone in which a day ends last."""

_DAYS_A_WEEK = 7
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ].*)?", re.DOTALL)


class Interval(Enum):
    """The interval of a dashboard's figures; the value is Amplitude's parameter ``i`` (documented, Dashboard REST)."""

    DAY = 1
    WEEK = 7
    MONTH = 30

    def start_of(self, day: date) -> date:
        """Return the first day of the interval that contains ``day``; weeks begin on Monday."""
        if self is Interval.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self is Interval.MONTH else day

    def last_of(self, start: date) -> date:
        """Return the last day of the interval that begins on ``start``."""
        if self is Interval.MONTH:
            return (start.replace(day=1) + timedelta(days=32)).replace(day=1) - ONE_DAY
        return start + timedelta(days=_DAYS_A_WEEK - 1) if self is Interval.WEEK else start


@dataclass(frozen=True, order=True)
class DaySpan:
    """Consecutive days; both ends are included, as in Amplitude's dashboards."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"

    def __iter__(self) -> Iterator[date]:
        return (self.first + n * ONE_DAY for n in range(self.days))

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def last_ended_day(now: datetime, zone: tzinfo | None) -> date:
    """Return the newest day that has ended at ``now`` in ``zone``; in all time zones if ``zone`` is None."""
    return now.astimezone(zone or EVERYWHERE).date() - ONE_DAY


def plan_days(first: date, last: date, interval: Interval, most_days: int) -> Iterator[DaySpan]:
    """Yield spans of whole intervals in order, from the interval of ``first`` on; no span ends after ``last``.

    A span has at most ``most_days`` days, unless one interval is longer.
    """
    start = interval.start_of(first)
    while interval.last_of(start) <= last:
        end = interval.last_of(start)
        while (longer := interval.last_of(end + ONE_DAY)) <= last and (longer - start).days < most_days:
            end = longer
        yield DaySpan(start, end)
        start = end + ONE_DAY


def parse_day(value: object) -> date | None:
    """Return the day at the start of a text such as ``2026-03-04`` or ``2026-03-04T00:00:00``; None without one."""
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
