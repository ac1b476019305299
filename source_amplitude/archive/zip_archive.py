"""The directory of an export archive, proven before anything is read from it.

``zipfile`` trusts the length fields of the directory: one flipped bit there hides the entries after it without any
error. So the entries found are compared with the count in the end record, and every member's CRC-32 is checked.
"""

from __future__ import annotations

import struct
import zipfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from source_amplitude.archive.gzip_codec import GZIP_SIGNATURE, INFLATE_ERRORS, open_gzip
from source_amplitude.errors import CorruptArchiveError
from source_amplitude.members import MemberName, is_stray, may_be_stray, parse_member_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from source_amplitude.windows import HourWindow

_END_RECORD = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_END64_RECORD = struct.Struct("<4sQ2H2L4Q")
_END64_SIGNATURE = b"PK\x06\x06"
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_COUNT_IN_END64 = 0xFFFF
_LONGEST_COMMENT_BYTES = 0xFFFF

# What zipfile and the unpackers raise on damaged input: found by flipping every bit of an archive.
_DAMAGE: tuple[type[Exception], ...] = (
    *INFLATE_ERRORS,
    zipfile.BadZipFile,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True)
class Member:
    """One gzip file in an archive.

    Attributes:
        text: The name as Amplitude wrote it; a member's identity.
        name: Its parts; None where the name has an unknown form.
        packed_crc32: CRC-32 of the gzip file, which `open_archive` has found right.
    """

    text: str
    name: MemberName | None
    packed_bytes: int
    packed_crc32: int = 0

    def is_of(self, window: HourWindow) -> bool:
        """Return whether the member belongs to ``window``; one of an unknown name belongs to what was asked for."""
        return self.name is None or self.name.hour in window


class Archive:
    """A verified archive on disk; owns the file and closes it.

    Attributes:
        members: Every file in the archive, members of unknown names first, then by hour and partition.
        stray: Names of files that are none: what a Mac leaves in archives, and markers that a folder is complete.
    """

    def __init__(self, zip_file: zipfile.ZipFile, file: IO[bytes]) -> None:
        self._zip = zip_file
        self._file = file
        files = [info for info in zip_file.infolist() if not info.is_dir()]
        self.stray = tuple(info.filename for info in files if _is_stray(zip_file, info))
        members = [
            Member(info.filename, parse_member_name(info.filename), info.file_size, info.CRC)
            for info in files
            if info.filename not in self.stray
        ]
        self.members = tuple(sorted(members, key=_reading_order))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def packed(self, member: Member) -> IO[bytes]:
        """Open the gzip file as it is; the caller closes it."""
        return self._zip.open(member.text)

    @contextmanager
    def unpack(self, member: Member) -> Iterator[Content]:
        """Open a member's content; raise a CorruptArchiveError if its head is damaged."""
        with ExitStack() as stack:
            if member.packed_bytes == 0:
                raise _broken_member(member, EOFError("no bytes at all"))
            try:
                packed = stack.enter_context(self._zip.open(member.text))
                unpacked = stack.enter_context(open_gzip(packed))
            except _DAMAGE as error:
                raise _broken_member(member, error) from error
            yield Content(unpacked, member)


class Content:
    """The unpacked bytes of a member, to be read once from the start."""

    def __init__(self, unpacked: IO[bytes], member: Member) -> None:
        self._read = unpacked.read
        self._member = member

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes; none at the end, when the gzip checksum and length have proved right.

        Raises:
            CorruptArchiveError: The gzip data is damaged or ends early.
        """
        try:
            return self._read(size)
        except _DAMAGE as error:
            raise _broken_member(self._member, error) from error


def _broken_member(member: Member, error: BaseException) -> CorruptArchiveError:
    return CorruptArchiveError(f"The member {member.text} cannot be unpacked ({type(error).__name__}: {error}).")


def open_archive(file: IO[bytes]) -> Archive:
    """Verify the zip in ``file`` and return it; the archive then owns the file.

    Raises:
        CorruptArchiveError: Not a zip, a damaged or shortened directory, two members of one name, or a member
            whose CRC-32 does not hold. The file stays open.
    """
    try:
        zip_file = zipfile.ZipFile(file)
        promised, found = _promised_entries(file), zip_file.infolist()
        damaged = zip_file.testzip() if promised == len(found) else None
    except _DAMAGE as error:
        raise CorruptArchiveError(_no_archive(file, error)) from error
    if promised != len(found):
        raise CorruptArchiveError(f"The archive's directory lists {len(found)} of {promised} members.")
    if damaged is not None:
        raise CorruptArchiveError(f"The member {damaged} fails its checksum.")
    if len({info.filename for info in found}) != len(found):
        raise CorruptArchiveError("The archive's directory lists a member twice.")
    return Archive(zip_file, file)


def _is_stray(zip_file: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """Return whether an entry is no member; the archive has proved right."""
    if not may_be_stray(info.filename) or is_stray(info.filename):
        return is_stray(info.filename)
    with zip_file.open(info) as content:
        return content.read(len(GZIP_SIGNATURE)) != GZIP_SIGNATURE


def _reading_order(member: Member) -> tuple[str, int, str]:
    if member.name is None:
        return ("", 0, member.text)
    return (member.name.hour.isoformat(), member.name.partition, member.text)


def _no_archive(file: IO[bytes], error: BaseException) -> str:
    size = file.seek(0, 2)
    file.seek(0)
    if not size:
        return "The answer's body is empty."
    if file.read(2) != b"PK":
        return f"The answer's body ({size:,} bytes) is not a zip archive."
    return f"The archive ({size:,} bytes) cannot be read ({type(error).__name__}: {error})."


def _promised_entries(file: IO[bytes]) -> int:
    """Return how many entries the archive's end record promises."""
    size = file.seek(0, 2)
    tail_start = max(0, size - _END_RECORD.size - _LONGEST_COMMENT_BYTES)
    file.seek(tail_start)
    tail = file.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0:
        raise zipfile.BadZipFile("no end record")
    entries = int(_END_RECORD.unpack_from(tail, at)[4])
    if entries != _COUNT_IN_END64:
        return entries
    locator = tail_start + at - _LOCATOR.size
    if locator < 0:
        return entries
    file.seek(locator)
    signature, _, end64_at, _ = _LOCATOR.unpack(file.read(_LOCATOR.size))
    if signature != _LOCATOR_SIGNATURE:
        return entries
    file.seek(end64_at)
    end64 = _END64_RECORD.unpack(file.read(_END64_RECORD.size))
    if end64[0] != _END64_SIGNATURE:
        raise zipfile.BadZipFile("no zip64 end record")
    return int(end64[7])
