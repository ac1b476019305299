"""Hours, and their form in request parameters and member names. Pure."""

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
        """Sort key as in the observed archive: by hour, then by partition as text, 627 before 70."""
        return self.hour, str(self.partition)


def parse_member_name(text: str) -> MemberName | None:
    """Parse a member's full name, or return None if the text has another form."""
    match = _MEMBER_NAME.fullmatch(text)
    if match is None:
        return None
    project_id, day, hour, partition = match.groups()
    start = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    return MemberName(int(project_id), start + int(hour) * HOUR, int(partition))


def parse_hour(text: str) -> datetime:
    """Parse ``YYYYMMDDTHH`` (reference 1.1).

    Raises:
        ValueError: The text has another form, or is not an hour of the calendar.
    """
    if not _HOUR_TEXT.fullmatch(text):
        raise ValueError(f"{text!r} does not have the form YYYYMMDDTHH")
    return datetime.strptime(text, "%Y%m%dT%H").replace(tzinfo=timezone.utc)


def format_hour(hour: datetime) -> str:
    """Format an hour as ``YYYYMMDDTHH``."""
    return require_utc(hour).strftime("%Y%m%dT%H")


def truncate_to_hour(moment: datetime) -> datetime:
    """Return the start of the hour that contains the moment, in UTC."""
    return require_utc(moment).replace(minute=0, second=0, microsecond=0)


def file_hour(hour: datetime) -> datetime:
    """Return the hour in the names of an hour's members.

    It is the hour itself, or midnight for days with day files. The layout of day files is not known
    (reference 9); midnight is this emulator's choice.
    """
    start = truncate_to_hour(hour)
    return start if start >= FIRST_DAY_OF_HOUR_FILES else start.replace(hour=0)


def iter_hours(start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield each hour from ``start`` up to ``end``, exclusive."""
    hour = truncate_to_hour(start)
    while hour < end:
        yield hour
        hour += HOUR


@dataclass(frozen=True)
class ExportWindow:
    """The requested hours of an export, both ends inclusive as in its parameters (reference 1.1)."""

    first: datetime
    last: datetime

    @property
    def end(self) -> datetime:
        """The first hour after the window."""
        return self.last + HOUR

    @property
    def hours(self) -> int:
        """The number of hours in the window."""
        return (self.end - self.first) // HOUR

    def contains(self, hour: datetime) -> bool:
        """Whether the window contains an hour."""
        return self.first <= hour < self.end
