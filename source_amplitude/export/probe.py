"""Check whether Amplitude has files for a window, by reading only the beginning of its archive."""

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
    """Amplitude has files for the window. ``first`` is the name of the first file, or None if it is unknown."""

    first: MemberName | None = None


class _EnoughReadError(Exception):
    """Ends the request: the beginning of the archive was read."""


class _Beginning:
    """A body that stores its first chunk and then ends the request."""

    def __init__(self) -> None:
        self.body = b""

    def expect(self, total_bytes: int) -> None:
        pass  # only one chunk is stored

    def write(self, data: bytes) -> None:
        self.body = data
        raise _EnoughReadError


def probe_export(client: AmplitudeClient, window: HourWindow) -> Probe | None:
    """Return what Amplitude has for ``window``, or None if it has no files. Sends one request.

    Reads at most 256 KB of the response; damage or foreign members beyond that go unnoticed. A window that is too large
    has files.

    Raises:
        CorruptArchiveError: The body is not an archive.
        EmptyArchiveError: The archive was read completely and contains no file of ``window``.
        ExportTooSlowError: Timed out (504); inconclusive.
        AmplitudeError: Any other error of `AmplitudeClient.export`.
    """
    beginning = _Beginning()
    try:
        response = client.export(window, beginning)
    except _EnoughReadError:
        if not has_members(beginning.body):
            raise empty_archive_error(window, 0) from None
        return _probe(beginning.body, window)
    except ExportTooSlowError:
        raise
    except ExportTooLargeError:
        return Probe()
    if response is ExportResponse.ARCHIVE:
        raise CorruptArchiveError("The response body is empty.")
    return None


def _probe(beginning: bytes, window: HourWindow) -> Probe:
    first = first_member(beginning)
    if first is None or first.hour in window:
        return Probe(first)
    names = [parse_member_name(entry.name) for entry in _entries(beginning) if entry.is_member]
    inside = next((name for name in names if name is not None and name.hour in window), None)
    if inside is None and _is_complete(beginning):
        raise empty_archive_error(window, len(names))
    return Probe(inside)


def _is_complete(beginning: bytes) -> bool:
    """Return whether ``beginning`` has all entries: the archive's directory follows them."""
    end = max((entry.end for entry in _entries(beginning)), default=0)
    return beginning.startswith(_DIRECTORY_SIGNATURE, end)


def has_members(beginning: bytes) -> bool:
    """Return whether an archive with this beginning has members; True if ``beginning`` is inconclusive.

    Raises:
        CorruptArchiveError: This is not the beginning of an archive.
    """
    if beginning.startswith(_EMPTY_SIGNATURE):
        return False
    if not beginning.startswith(_LOCAL_SIGNATURE):
        raise CorruptArchiveError("The response body is not a zip archive.")
    return any(entry.is_member is not False for entry in _entries(beginning)) or not _is_complete(beginning)


def first_member(beginning: bytes) -> MemberName | None:
    """Return the name of an archive's first member, or None if it is unknown or has another form."""
    for entry in _entries(beginning):
        if entry.is_member is not False:
            return parse_member_name(entry.name) if entry.is_member else None
    return None


@dataclass(frozen=True)
class _Entry:
    """A file or folder of an archive.

    Attributes:
        is_member: Whether it is a member; None if its first bytes decide this and were not read.
        end: Position of the next entry; past the end of the beginning if it is unknown.
    """

    name: str
    is_member: bool | None
    end: int


def _entries(beginning: bytes) -> Iterator[_Entry]:
    """Yield the first entries, up to one whose end is unknown."""
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
