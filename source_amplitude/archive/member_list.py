"""The members of an archive as a sequence that makes each member on demand, at four bytes of memory for each."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, overload

from source_amplitude.errors import CorruptArchiveError
from source_amplitude.members import MemberName, may_be_stray, parse_member_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from source_amplitude.archive.directory import Directory
    from source_amplitude.windows import HourWindow

K = TypeVar("K", bound=Hashable)

_PARTITION_BITS = 60  # a partition has at most 18 digits
_NO_HOUR = -1


@dataclass(frozen=True, slots=True)
class Member:
    """One gzip file in an archive.

    Attributes:
        text: The name as Amplitude wrote it, which identifies the member.
        name: The parts of the name; None if it has an unknown form.
        packed_bytes: Length of the gzip file.
        packed_crc32: CRC-32 of the gzip file, which `open_archive` has verified.
        index: The member's position in the archive's directory.
    """

    text: str
    name: MemberName | None
    packed_bytes: int
    packed_crc32: int = 0
    index: int = field(default=-1, compare=False, repr=False)

    def is_of(self, window: HourWindow) -> bool:
        """Return whether the member belongs to ``window``; one with an unknown name belongs to any window."""
        return self.name is None or self.name.hour in window


class MemberList(Sequence[Member]):
    """Members of a directory in a given order."""

    def __init__(self, directory: Directory, indexes: Iterable[int]) -> None:
        self._directory = directory
        self._indexes = array("I", indexes)

    def __len__(self) -> int:
        return len(self._indexes)

    @overload
    def __getitem__(self, index: int, /) -> Member: ...

    @overload
    def __getitem__(self, index: slice, /) -> MemberList: ...

    def __getitem__(self, index: int | slice, /) -> Member | MemberList:
        if isinstance(index, slice):
            return MemberList(self._directory, self._indexes[index])
        return self._member(self._indexes[index])

    def __iter__(self) -> Iterator[Member]:
        return map(self._member, self._indexes)

    def grouped(self, key: Callable[[Member], K | None]) -> dict[K, MemberList]:
        """Return the members by their key, in unchanged order; members whose key is None are left out."""
        groups: dict[K, array[int]] = {}
        for member in self:
            group = key(member)
            if group is not None:
                groups.setdefault(group, array("I")).append(member.index)
        return {group: MemberList(self._directory, indexes) for group, indexes in groups.items()}

    def _member(self, index: int) -> Member:
        entry = self._directory.entry(index)
        text = entry.text
        return Member(text, parse_member_name(text), entry.file_bytes, entry.crc32, index)


class ReadingOrder:
    """Sorts the entries of a directory: unknown names first, then by hour, partition and name.

    Attributes:
        folders: Positions of the entries that are folders.
        doubtful: Positions of the files that may be no members.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._hours = array("q")
        self._partitions = array("q")
        self.folders = array("I")
        self.doubtful = array("I")

    def add(self, text: str) -> None:
        """Add the name of the next entry of the directory."""
        index, name = len(self._hours), parse_member_name(text)
        if name is None and text.endswith("/"):
            self.folders.append(index)
        elif may_be_stray(text):
            self.doubtful.append(index)
        self._hours.append(_NO_HOUR if name is None else name.hour.toordinal() * 24 + name.hour.hour)
        self._partitions.append(0 if name is None else name.partition)

    def indexes(self) -> array[int]:
        """Return the entries' positions in reading order.

        Raises:
            CorruptArchiveError: Two entries have the same name.
        """
        order = sorted_indexes(len(self._hours), self._key)
        start = 0
        for end in range(1, len(order) + 1):
            if end < len(order) and self._key(order[end]) == self._key(order[start]):
                continue
            if end - start > 1:
                order[start:end] = self._sorted_by_name(order[start:end])
            start = end
        return order

    def _key(self, index: int) -> int:
        return (self._hours[index] << _PARTITION_BITS) | self._partitions[index]

    def _sorted_by_name(self, indexes: array[int]) -> array[int]:
        texts = {self._directory.entry(index).text: index for index in indexes}
        if len(texts) != len(indexes):
            raise CorruptArchiveError("The archive's directory lists a member twice.")
        return array("I", (texts[text] for text in sorted(texts)))


def sorted_indexes(count: int, key: Callable[[int], int]) -> array[int]:
    """Return the numbers below ``count`` in ascending order of their keys."""
    if all(key(index - 1) <= key(index) for index in range(1, count)):
        return array("I", range(count))
    return array("I", sorted(range(count), key=key))
