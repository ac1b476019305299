"""Names of archive members, and fingerprints of members that were read."""

from __future__ import annotations

import copy
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache

_NAME = re.compile(
    r"(?:(?P<folder>[^/]+)/)?(?P<project>[^/\n]+)_(?P<date>\d{4}-\d{2}-\d{2})(?:_(?P<hour>\d{1,2}))?"
    r"#(?P<partition>0{0,9}\d{1,18})\.json\.gz",
    re.ASCII,
)
_SUFFIX = ".json.gz"
_MOST_DIGITS = 18  # so that a partition fits into 64 bits

_MARKER = "complete"


@dataclass(frozen=True, slots=True)
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
        return f"{name_prefix(self.project, self.hour)}{self.partition}{_SUFFIX}"


def name_prefix(project: str, hour: datetime) -> str:
    """Return the beginning that the names of an hour's members share, up to the partition."""
    return f"{project}/{project}_{hour:%Y-%m-%d}_{hour.hour}#"


def parse_member_name(text: str) -> MemberName | None:
    """Return the parts of a member's name, or None if it has another form.

    The folder is optional: Amplitude's documentation also shows names without it.
    """
    match = _NAME.fullmatch(text)
    if match is None or match["folder"] not in (None, match["project"]):
        return None
    hour = _parse_hour(match["date"], match["hour"] or "0")
    return None if hour is None else MemberName(match["project"], hour, int(match["partition"]))


@lru_cache(maxsize=256)
def _parse_hour(date: str, hour: str) -> datetime | None:
    try:
        return datetime.strptime(f"{date} {hour}", "%Y-%m-%d %H").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def may_be_stray(text: str) -> bool:
    """Return whether a file of this name may be a stray file; its content can still make it a member.

    macOS adds ``__MACOSX`` and ``.DS_Store`` to archives. Amplitude adds ``complete`` markers to its exports to S3.
    """
    return is_stray(text) or text.endswith(_MARKER)


def is_stray(text: str) -> bool:
    """Return whether a file of this name is never a member of an export, regardless of its content."""
    *folders, name = text.split("/")
    return "__MACOSX" in folders or name == ".DS_Store"


@dataclass(frozen=True, slots=True)
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


class MemberFingerprints(MutableMapping[str, Fingerprint]):
    """Fingerprints by full member name, sorted by partition.

    Names that differ in their partition only take 20 bytes each, and no object. These are the names that begin like
    ``prefix``, or else like the first name that ends with a partition. Any other name costs as much as in a dict.
    """

    __slots__ = ("_checksums", "_lengths", "_malformed", "_others", "_partitions", "_prefix")

    def __init__(self, items: Mapping[str, Fingerprint] | None = None, *, prefix: str | None = None) -> None:
        self._prefix = prefix
        self._partitions, self._lengths, self._checksums = array("q"), array("Q"), array("I")
        self._malformed: dict[int, int] = {}
        self._others: dict[str, Fingerprint] = {}
        if items is not None:
            self.update(items)

    @classmethod
    def of(cls, items: Mapping[str, Fingerprint]) -> MemberFingerprints:
        """Return ``items`` as they are if they are compact already, else a compact copy."""
        return items if isinstance(items, cls) else cls(items)

    def merged_with(self, items: Mapping[str, Fingerprint]) -> MemberFingerprints:
        """Return a copy with ``items`` added; they replace the fingerprints of the same names."""
        if not self:
            return copy.deepcopy(MemberFingerprints.of(items))
        merged = copy.deepcopy(self)
        merged.update(items)
        return merged

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)!r})"

    def __len__(self) -> int:
        return len(self._partitions) + len(self._others)

    def __iter__(self) -> Iterator[str]:
        for partition in self._partitions:
            yield f"{self._prefix}{partition}{_SUFFIX}"
        yield from self._others

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (self._find(self._partition(name)) is not None or name in self._others)

    def __getitem__(self, name: str) -> Fingerprint:
        index = self._find(self._partition(name))
        return self._others[name] if index is None else self._at(index)

    def __setitem__(self, name: str, seen: Fingerprint) -> None:
        partition = self._partition(name)
        if partition is None and self._prefix is None:
            self._prefix = _prefix_of(name)
            partition = self._partition(name)
        if partition is None or not _fits(seen):
            self.pop(name, None)
            self._others[name] = seen
            return
        self._others.pop(name, None)
        index = bisect_left(self._partitions, partition)
        if index == len(self._partitions) or self._partitions[index] != partition:
            self._partitions.insert(index, partition)
            self._lengths.insert(index, seen.content_bytes)
            self._checksums.insert(index, seen.crc32)
        else:
            self._lengths[index], self._checksums[index] = seen.content_bytes, seen.crc32
        self._malformed.pop(partition, None)
        if seen.malformed_lines:
            self._malformed[partition] = seen.malformed_lines

    def __delitem__(self, name: str) -> None:
        partition = self._partition(name)
        index = self._find(partition)
        if index is None or partition is None:
            del self._others[name]
            return
        del self._partitions[index], self._lengths[index], self._checksums[index]
        self._malformed.pop(partition, None)

    @property
    def malformed_lines(self) -> int:
        """The sum of the members' malformed lines."""
        return sum(self._malformed.values()) + sum(seen.malformed_lines for seen in self._others.values())

    def by_partition(self, prefix: str) -> Iterator[tuple[int, Fingerprint]]:
        """Yield the fingerprints of names that consist of ``prefix``, a partition and the suffix, in ascending order.

        Nothing is yielded if ``prefix`` is not the one of this mapping; `others` yields them then.
        """
        if prefix == self._prefix:
            for index, partition in enumerate(self._partitions):
                yield partition, self._at(index)

    def others(self, prefix: str) -> Iterator[tuple[str, Fingerprint]]:
        """Yield every name and fingerprint that `by_partition` leaves out."""
        yield from self._others.items() if prefix == self._prefix else self.items()

    def _at(self, index: int) -> Fingerprint:
        malformed_lines = self._malformed.get(self._partitions[index], 0)
        return Fingerprint(self._lengths[index], self._checksums[index], malformed_lines)

    def _partition(self, name: str) -> int | None:
        prefix = self._prefix
        if prefix is None or not name.startswith(prefix) or not name.endswith(_SUFFIX):
            return None
        digits = name[len(prefix) : -len(_SUFFIX)]
        is_plain = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
        return int(digits) if is_plain and (digits == "0" or digits[0] != "0") else None

    def _find(self, partition: int | None) -> int | None:
        if partition is None:
            return None
        index = bisect_left(self._partitions, partition)
        is_found = index < len(self._partitions) and self._partitions[index] == partition
        return index if is_found else None


def _prefix_of(name: str) -> str | None:
    prefix, separator, _ = name.rpartition("#")
    return prefix + separator if separator and name.endswith(_SUFFIX) else None


def _fits(seen: Fingerprint) -> bool:
    return 0 <= seen.content_bytes < 1 << 63 and 0 <= seen.crc32 < 1 << 32
