"""Paths below a destination: objects, manifests and the files of ``--format json``.

::

    events/date=2026-01-01/hour=05/100200_2026-01-01_05_70.json.gz    one object per member
    _manifest/date=2026-01-01/hour=05.json                            one manifest per hour
    _manifest/place.json                                              the format and project of the destination
    json/date=2026-01-01.json                                         one array per day, only in folders

These paths must not change: later versions read what earlier versions wrote.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from source_amplitude.archive import Member

MANIFEST_FOLDER = "_manifest"
ARRAYS_FOLDER = "json"
PLACE_PATH = f"{MANIFEST_FOLDER}/place.json"

_MANIFEST_PATH = re.compile(rf"{MANIFEST_FOLDER}/date=(\d{{4}}-\d\d-\d\d)/hour=(\d\d)\.json", re.ASCII)
_ODD_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_ODD_NAME = 100
_PROJECT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def day_folder(day: datetime) -> str:
    return f"events/date={day:%Y-%m-%d}"


def hour_folder(hour: datetime) -> str:
    return f"{day_folder(hour)}/hour={hour:%H}"


def manifest_path(hour: datetime) -> str:
    return f"{MANIFEST_FOLDER}/date={hour:%Y-%m-%d}/hour={hour:%H}.json"


def hour_of_manifest(path: str) -> datetime | None:
    """Return the hour of a manifest's path, or None for any other path."""
    match = _MANIFEST_PATH.fullmatch(path)
    try:
        return match and datetime.strptime(f"{match[1]} {match[2]}", "%Y-%m-%d %H").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def array_path(day: datetime) -> str:
    return f"{ARRAYS_FOLDER}/date={day:%Y-%m-%d}.json"


def by_folder(stored_bytes: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Group sizes by folder and name."""
    folders: dict[str, dict[str, int]] = {}
    for path, size in stored_bytes.items():
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = size
    return folders


def object_names(members: Sequence[Member], hour: datetime, suffix: str) -> list[tuple[Member, str]]:
    """Return the members of an hour, each with the name of its object.

    Members with an unusual or a shared name get the path-safe part of their name and a checksum of all of it.
    """
    names = [_plain_name(member, hour) for member in members]
    shared = {name for name, count in Counter(names).items() if count > 1}
    return [
        (member, (name if name and name not in shared else _odd_name(member.text)) + suffix)
        for member, name in zip(members, names, strict=True)
    ]


def _plain_name(member: Member, hour: datetime) -> str:
    if member.name is None or not _PROJECT.fullmatch(member.name.project):
        return ""
    return f"{member.name.project}_{hour:%Y-%m-%d_%H}_{member.name.partition}"


def _odd_name(text: str) -> str:
    base = _ODD_CHARACTERS.sub("-", text.rpartition("/")[2].removesuffix(".json.gz")).strip(".-")
    return f"{base[:_LONGEST_ODD_NAME]}_{zlib.crc32(text.encode('utf-8', 'replace')):08x}"
