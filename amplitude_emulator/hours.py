"""Hours and the names that carry them: request parameters and member names.

Pure text and arithmetic; knows neither storage nor HTTP.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from amplitude_emulator.clock import require_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = timedelta(hours=1)
# Files before this day cover a day instead of an hour (reference 1.5, documented).
FIRST_DAY_OF_HOUR_FILES = datetime(2014, 11, 12, tzinfo=timezone.utc)

_HOUR_TEXT = re.compile(r"\d{8}T\d{2}", re.ASCII)
_MEMBER_NAME = re.compile(r"(\d+)/\1_(\d{4}-\d{2}-\d{2})_(\d{1,2})#(\d+)\.json\.gz", re.ASCII)


@dataclass(frozen=True)
class MemberName:
    """The full name of a member: ``100200/100200_2026-03-04_9#627.json.gz`` (reference 1.5).

    The hour is not zero padded in the text; the partition is not a consecutive number.
    """

    project_id: int
    hour: datetime
    partition: int

    def __str__(self) -> str:
        day = self.hour.strftime("%Y-%m-%d")
        file_name = f"{self.project_id}_{day}_{self.hour.hour}#{self.partition}.json.gz"
        return f"{self.project_id}/{file_name}"

    @property
    def archive_order(self) -> tuple[datetime, str]:
        """Sort key of the one observed archive: by hour, then partition as text, 627 before 70."""
        return self.hour, str(self.partition)


def parse_member_name(text: str) -> MemberName | None:
    """Read a member's full name, or return None where the text is none."""
    match = _MEMBER_NAME.fullmatch(text)
    if match is None:
        return None
    project_id, day, hour, partition = match.groups()
    start = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    return MemberName(int(project_id), start + int(hour) * HOUR, int(partition))


def parse_hour(text: str) -> datetime:
    """Read ``YYYYMMDDTHH`` with its two-digit hour (reference 1.1).

    Raises:
        ValueError: The text has another form, or names no hour of the calendar.
    """
    if not _HOUR_TEXT.fullmatch(text):
        raise ValueError(f"{text!r} is not of the form YYYYMMDDTHH.")
    return datetime.strptime(text, "%Y%m%dT%H").replace(tzinfo=timezone.utc)


def format_hour(hour: datetime) -> str:
    """Write an hour as ``YYYYMMDDTHH``."""
    return require_utc(hour).strftime("%Y%m%dT%H")


def truncate_to_hour(moment: datetime) -> datetime:
    """Return the start of the hour that contains the moment, in UTC."""
    return require_utc(moment).replace(minute=0, second=0, microsecond=0)


def file_hour(hour: datetime) -> datetime:
    """Return the hour under which members of an hour are filed.

    That is the hour itself, and midnight for days that have day files. The layout of day files
    is not established (reference 9); midnight is this emulator's choice.
    """
    start = truncate_to_hour(hour)
    return start if start >= FIRST_DAY_OF_HOUR_FILES else start.replace(hour=0)


def iter_hours(start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield each hour from ``start`` to before ``end``."""
    hour = truncate_to_hour(start)
    while hour < end:
        yield hour
        hour += HOUR


@dataclass(frozen=True)
class ExportWindow:
    """The hours an export request asks for, both ends inclusive as in its parameters (reference 1.1)."""

    first: datetime
    last: datetime

    @property
    def end(self) -> datetime:
        """The first hour that no longer belongs to the window."""
        return self.last + HOUR

    @property
    def hours(self) -> int:
        """How many hours the window spans, gaps included."""
        return (self.end - self.first) // HOUR

    def contains(self, hour: datetime) -> bool:
        """Whether a moment lies in the window."""
        return self.first <= hour < self.end
