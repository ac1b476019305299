"""What a member of an archive is called, and what is remembered of one that was read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

_NAME = re.compile(
    r"(?:(?P<folder>[^/]+)/)?(?P<project>[^/\n]+)_(?P<date>\d{4}-\d{2}-\d{2})(?:_(?P<hour>\d{1,2}))?#(?P<partition>\d+)\.json\.gz"
)

_MARKER = "complete"


@dataclass(frozen=True)
class MemberName:
    """The parts of a name such as ``100200/100200_2025-03-04_9#70.json.gz`` (observed form).

    Attributes:
        project: The project's number, as text.
        hour: The hour of ``server_upload_time`` in UTC; midnight where the name holds a day only.
        partition: Amplitude's partition; recurring numbers with gaps, no page index.
    """

    project: str
    hour: datetime
    partition: int

    def __str__(self) -> str:
        day = f"{self.hour:%Y-%m-%d}"
        return f"{self.project}/{self.project}_{day}_{self.hour.hour}#{self.partition}.json.gz"


def parse_member_name(text: str) -> MemberName | None:
    """Return the parts of a member's name, or None where the name has another form.

    Amplitude's own page shows names without their folder as well.
    """
    match = _NAME.fullmatch(text)
    if match is None or match["folder"] not in (None, match["project"]):
        return None
    try:
        day = datetime.strptime(match["date"], "%Y-%m-%d").replace(tzinfo=timezone.utc)
        hour = day.replace(hour=int(match["hour"] or 0))
    except ValueError:
        return None
    return MemberName(match["project"], hour, int(match["partition"]))


def may_be_stray(text: str) -> bool:
    """Return whether a file of this name is no member of an export, or is none unless its content is a gzip file.

    Archives that passed a Mac have the first two kinds, Amplitude's exports to S3 the last one.
    """
    return is_stray(text) or text.endswith(_MARKER)


def is_stray(text: str) -> bool:
    """Return whether a file of this name is no member of an export, whatever it holds."""
    *folders, name = text.split("/")
    return "__MACOSX" in folders or name == ".DS_Store"


@dataclass(frozen=True)
class Fingerprint:
    """The first ``content_bytes`` bytes of a member's unpacked content, and what was wrong with them.

    Attributes:
        content_bytes: Length of the unpacked content that was read.
        crc32: CRC-32 of exactly these bytes, as in the gzip trailer of a member that is one gzip stream.
        malformed_lines: How many of the lines in them were no JSON objects and could not be emitted.
    """

    content_bytes: int = 0
    crc32: int = 0
    malformed_lines: int = 0


NOTHING_READ = Fingerprint()
