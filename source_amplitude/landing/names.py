"""What the object of a member is called."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.archive import Member

_ODD_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_ODD_NAME = 100
_PROJECT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def object_names(members: list[Member], hour: datetime, suffix: str) -> list[tuple[Member, str]]:
    """Return the members of an hour, each with the name of its object.

    ``<project>_2026-01-01_00_<partition><suffix>``; a member whose name has an unknown form keeps what of it is safe in
    a path, with a checksum of the rest, and so do members that would share a name.
    """
    plain = [_plain_name(member, hour) for member in members]
    shared = {name for name, count in Counter(plain).items() if count > 1}
    return [
        (member, (name if name and name not in shared else _odd_name(member.text)) + suffix)
        for member, name in zip(members, plain, strict=True)
    ]


def _plain_name(member: Member, hour: datetime) -> str:
    if member.name is None or not _PROJECT.fullmatch(member.name.project):
        return ""
    return f"{member.name.project}_{hour:%Y-%m-%d_%H}_{member.name.partition}"


def _odd_name(text: str) -> str:
    base = _ODD_CHARACTERS.sub("-", text.rpartition("/")[2].removesuffix(".json.gz")).strip(".-")
    return f"{base[:_LONGEST_ODD_NAME]}_{zlib.crc32(text.encode('utf-8', 'replace')):08x}"
