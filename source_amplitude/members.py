"""Names of archive members, and fingerprints of members that were read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

_NAME = re.compile(
    r"(?:(?P<folder>[^/]+)/)?(?P<project>[^/\n]+)_(?P<date>\d{4}-\d{2}-\d{2})(?:_(?P<hour>\d{1,2}))?"
    r"#(?P<partition>0{0,9}\d{1,18})\.json\.gz",
    re.ASCII,
)

_MARKER = "complete"


@dataclass(frozen=True)
class MemberName:
    """The parts of a member name such as ``100200/100200_2025-03-04_9#70.json.gz`` (observed form).

    Attributes:
        project: The project's number, as text.
        hour: The hour of ``server_upload_time`` in UTC; midnight if the name contains only a day.
        partition: Amplitude's partition number. The numbers have gaps and recur; they are not page numbers.
    """

    project: str
    hour: datetime
    partition: int

    def __str__(self) -> str:
        day = f"{self.hour:%Y-%m-%d}"
        return f"{self.project}/{self.project}_{day}_{self.hour.hour}#{self.partition}.json.gz"


def parse_member_name(text: str) -> MemberName | None:
    """Return the parts of a member's name, or None if it has another form.

    The folder is optional: Amplitude's documentation also shows names without it.
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
    """Return whether a file of this name may be a stray file; its content can still make it a member.

    macOS adds ``__MACOSX`` and ``.DS_Store`` to archives. Amplitude adds ``complete`` markers to its exports to S3.
    """
    return is_stray(text) or text.endswith(_MARKER)


def is_stray(text: str) -> bool:
    """Return whether a file of this name is never a member of an export, regardless of its content."""
    *folders, name = text.split("/")
    return "__MACOSX" in folders or name == ".DS_Store"


@dataclass(frozen=True)
class Fingerprint:
    """Identifies the first ``content_bytes`` bytes of a member's unpacked content.

    Attributes:
        content_bytes: Length of the content that was read.
        crc32: CRC-32 of these bytes, as in the gzip trailer of a member that is one gzip stream.
        malformed_lines: Number of lines in these bytes that are not JSON objects and could not be emitted.
    """

    content_bytes: int = 0
    crc32: int = 0
    malformed_lines: int = 0


NOTHING_READ = Fingerprint()
