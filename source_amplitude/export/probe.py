"""Whether Amplitude has files for a window, from the beginning of its archive alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.api import ExportResponse
from source_amplitude.archive.gzip_codec import GZIP_SIGNATURE
from source_amplitude.errors import CorruptArchiveError, ExportTooLargeError, ExportTooSlowError
from source_amplitude.export.prefetch import empty_archive_error
from source_amplitude.members import MemberName, is_stray, may_be_stray, parse_member_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.api import AmplitudeClient
    from source_amplitude.windows import HourWindow

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_DIRECTORY_SIGNATURE = b"PK\x01\x02"
_EMPTY_SIGNATURE = b"PK\x05\x06"
_STORED = 0
_SIZES_FOLLOW_FLAG = 0x8


@dataclass(frozen=True)
class Probe:
    """That Amplitude has files for a window; ``first`` is the first one's name, None where its bytes do not say."""

    first: MemberName | None = None


class _SeenEnoughError(Exception):
    """The beginning is there; the connection is given up."""


class _Beginning:
    """Takes one piece of a body."""

    def __init__(self) -> None:
        self.body = b""

    def expect(self, total_bytes: int) -> None:
        pass  # little of it will come

    def write(self, data: bytes) -> None:
        self.body = data
        raise _SeenEnoughError


def probe_export(client: AmplitudeClient, window: HourWindow) -> Probe | None:
    """Return what Amplitude has for ``window``, or None if it says that it has no files; an archive too large has some.

    One request. At most 256 KB of the response are read; damage and members beyond that go unnoticed.

    Raises:
        CorruptArchiveError: The body is not an archive.
        EmptyArchiveError: All of the archive is seen, and no file of ``window`` is in it.
        ExportTooSlowError: Timed out (504); inconclusive.
        AmplitudeError: As `AmplitudeClient.export`.
    """
    beginning = _Beginning()
    try:
        answer = client.export(window, beginning)
    except _SeenEnoughError:
        if not has_members(beginning.body):
            raise empty_archive_error(window, 0) from None
        return _probe(beginning.body, window)
    except ExportTooSlowError:
        raise
    except ExportTooLargeError:
        return Probe()
    if answer is ExportResponse.ARCHIVE:
        raise CorruptArchiveError("The answer's body is empty.")
    return None


def _probe(beginning: bytes, window: HourWindow) -> Probe:
    first = first_member(beginning)
    if first is None or first.hour in window:
        return Probe(first)
    names = [parse_member_name(entry.name) for entry in _entries(beginning) if entry.is_member]
    inside = next((name for name in names if name is not None and name.hour in window), None)
    if inside is None and _shows_all(beginning):
        raise empty_archive_error(window, len(names))
    return Probe(inside)


def _shows_all(beginning: bytes) -> bool:
    """Return whether an archive's directory begins behind the entries that are seen."""
    end = max((entry.end for entry in _entries(beginning)), default=0)
    return beginning.startswith(_DIRECTORY_SIGNATURE, end)


def has_members(beginning: bytes) -> bool:
    """Return whether an archive that begins like this has any member; it may have some where that does not show.

    Raises:
        CorruptArchiveError: No archive begins like this.
    """
    if beginning.startswith(_EMPTY_SIGNATURE):
        return False
    if not beginning.startswith(_LOCAL_SIGNATURE):
        raise CorruptArchiveError("The answer's body does not begin like a zip archive.")
    return any(entry.is_member is not False for entry in _entries(beginning)) or not _shows_all(beginning)


def first_member(beginning: bytes) -> MemberName | None:
    """Return the name of an archive's first member; None where its first bytes do not say, or it has another form."""
    for entry in _entries(beginning):
        if entry.is_member is not False:
            return parse_member_name(entry.name) if entry.is_member else None
    return None


@dataclass(frozen=True)
class _Entry:
    """A file or a folder.

    Attributes:
        is_member: None where its first bytes would say and are not there.
        end: Where the next entry begins; beyond what is there where that is not known.
    """

    name: str
    is_member: bool | None
    end: int


def _entries(beginning: bytes) -> Iterator[_Entry]:
    """Yield the first entries, as long as it is known where they begin."""
    position = 0
    while len(beginning) >= position + _LOCAL_HEADER.size and beginning.startswith(_LOCAL_SIGNATURE, position):
        _, _, flags, method, *_, packed_bytes, _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack_from(
            beginning, position
        )
        position += _LOCAL_HEADER.size
        name = beginning[position : position + name_bytes].decode("utf-8", "replace")
        position += name_bytes + extra_bytes
        end = len(beginning) + 1 if flags & _SIZES_FOLLOW_FLAG else position + packed_bytes
        content = beginning[position : min(end, position + len(GZIP_SIGNATURE))]
        yield _Entry(name, _is_member(name, content, is_stored=method == _STORED, is_whole=end <= len(beginning)), end)
        position = end


def _is_member(name: str, content: bytes, *, is_stored: bool, is_whole: bool) -> bool | None:
    if name.endswith("/") or is_stray(name):
        return False
    if not may_be_stray(name):
        return True
    if is_whole and not content:
        return False
    if not is_stored or (len(content) < len(GZIP_SIGNATURE) and not is_whole):
        return None
    return content == GZIP_SIGNATURE
