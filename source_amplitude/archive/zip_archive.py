"""The zip archive of an export: verified as a whole before anything is read from it.

`open_archive` reads the directory, verifies the layout and every checksum, and keeps only numbers in memory: an archive
of 300,000 members takes a few megabytes.
"""

from __future__ import annotations

import struct
import zipfile
from array import array
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, cast

from source_amplitude.archive.directory import Directory, Entry
from source_amplitude.archive.end_records import find_end_records
from source_amplitude.archive.gzip_codec import GZIP_SIGNATURE, INFLATE_ERRORS, open_gzip
from source_amplitude.archive.layout_check import DEFLATED, check_layout, data_start
from source_amplitude.archive.member_list import Member, MemberList, ReadingOrder, sorted_indexes
from source_amplitude.archive.shared_file import FileSection, SharedFile
from source_amplitude.errors import CorruptArchiveError, counted
from source_amplitude.members import is_stray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from source_amplitude.archive.end_records import EndRecords
    from source_amplitude.archive.layout_check import UnexplainedBytes

# Exceptions for damaged input, found by flipping every bit of an archive.
_DAMAGE: tuple[type[Exception], ...] = (
    *INFLATE_ERRORS,
    zipfile.BadZipFile,
    struct.error,
    EOFError,
    OverflowError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


class Archive:
    """A verified archive on disk; owns the file and closes it.

    Attributes:
        members: Every member, unknown names first, then by hour and partition.
        stray: Files that are no members: the ones macOS adds to archives, and markers of complete folders.
        unexplained: Bytes that belong to no part of the archive.
    """

    def __init__(
        self, file: SharedFile, directory: Directory, order: ReadingOrder, unexplained: UnexplainedBytes
    ) -> None:
        self._file = file
        self._directory = directory
        self.unexplained = unexplained
        stray = {index for index in order.doubtful if self._is_stray(directory.entry(index))}
        left_out = stray | set(order.folders)
        indexes = order.indexes()
        self.members = MemberList(directory, (index for index in indexes if index not in left_out))
        self.stray = MemberList(directory, (index for index in indexes if index in stray))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def packed(self, member: Member) -> IO[bytes]:
        """Open the gzip file as it is; the caller closes it."""
        return self._open(self._directory.entry(member.index))

    @contextmanager
    def unpack(self, member: Member) -> Iterator[Content]:
        """Open a member's content; raise a CorruptArchiveError if its gzip header is damaged."""
        with ExitStack() as stack:
            if member.packed_bytes == 0:
                raise _broken_member(member, EOFError("no bytes at all"))
            try:
                packed = stack.enter_context(self.packed(member))
                unpacked = stack.enter_context(open_gzip(packed))
            except _DAMAGE as error:
                raise _broken_member(member, error) from error
            yield Content(unpacked, member)

    def _open(self, entry: Entry) -> IO[bytes]:
        section = cast("IO[bytes]", FileSection(self._file, data_start(self._file, entry), entry.stored_bytes))
        if entry.method != DEFLATED:
            return section
        info = zipfile.ZipInfo(entry.text)
        info.compress_type, info.CRC = entry.method, entry.crc32
        info.compress_size, info.file_size = entry.stored_bytes, entry.file_bytes
        return cast("IO[bytes]", zipfile.ZipExtFile(section, "r", info, close_fileobj=True))

    def _is_stray(self, entry: Entry) -> bool:
        if is_stray(entry.text):
            return True
        with self._open(entry) as content:
            return content.read(len(GZIP_SIGNATURE)) != GZIP_SIGNATURE


class Content:
    """The unpacked bytes of a member, readable once from the start."""

    def __init__(self, unpacked: IO[bytes], member: Member) -> None:
        self._read = unpacked.read
        self._member = member

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, or none at the end, after the gzip checksum and length were verified.

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
    """Verify the zip archive in ``file`` and return it; the archive then owns the file.

    Raises:
        CorruptArchiveError: The file is not a zip archive, its directory is damaged or leaves members out, two
            members have one name, or a member's CRC-32 is wrong. The file stays open.
    """
    shared = SharedFile(file)
    try:
        return _verified(shared, _find_end_records(shared))
    except CorruptArchiveError:
        raise
    except _DAMAGE as error:
        raise CorruptArchiveError(
            f"The archive ({shared.size_bytes:,} bytes) cannot be read ({type(error).__name__}: {error})."
        ) from error


def _find_end_records(file: SharedFile) -> EndRecords:
    if not file.size_bytes:
        raise CorruptArchiveError("The response's body is empty.")
    try:
        return find_end_records(file)
    except CorruptArchiveError as error:
        if file.read_at(0, 2) == b"PK":
            raise
        raise CorruptArchiveError(
            f"The response's body ({counted(file.size_bytes, 'byte')}) is not a zip archive."
        ) from error


def _verified(file: SharedFile, ends: EndRecords) -> Archive:
    directory = Directory(file, ends)
    order, header_positions = ReadingOrder(directory), array("Q")
    for entry in directory.scan():
        order.add(entry.text)
        header_positions.append(entry.header_at)
    if len(directory) != ends.entries:
        raise CorruptArchiveError(f"The archive's directory lists {len(directory)} of {ends.entries} members.")
    in_file_order = map(directory.entry, sorted_indexes(len(directory), header_positions.__getitem__))
    unexplained = check_layout(file, in_file_order, ends)
    return Archive(file, directory, order, unexplained)
