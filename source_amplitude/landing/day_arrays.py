"""A day's raw objects in a folder to one JSON array, as scripts land it that keep yesterday's export as local JSON."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from source_amplitude.archive import Content, Member, iter_line_batches
from source_amplitude.archive.gzip_codec import open_gzip
from source_amplitude.encoding import JsonLines
from source_amplitude.errors import CorruptArchiveError
from source_amplitude.export.spool import disk_error
from source_amplitude.landing.formats.odd_lines import OddLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from typing_extensions import Self

    from source_amplitude.records import Findings

_RECORDS = JsonLines(b",\n")


@dataclass(frozen=True)
class DayArray:
    """What was written.

    Attributes:
        events: Records in the array.
        array_bytes: Size of the file.
        malformed_lines: How many lines of an object were no JSON objects and are left out, by its name; objects
            without such lines are not named.
        findings: What was odd about the other lines, by the same name.
    """

    events: int
    array_bytes: int
    malformed_lines: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, Findings] = field(default_factory=dict)


def write_day_array(path: Path, members: Iterable[tuple[str, IO[bytes]]]) -> DayArray:
    """Write the records of ``members`` to ``path`` as a JSON array, one record a line as ``read`` emits them.

    The file is replaced as a whole or not at all; whoever reads it meanwhile has the old one. Memory stays near a
    batch of lines. A process that is killed can leave a hidden file beside it, which ends with ``.partial``.

    Args:
        path: Its folder is made where it is missing.
        members: Names and raw gzip files at their start, in the order of the array, each asked for once the one before
            is read; they are closed.

    Raises:
        CorruptArchiveError: A file's gzip data is damaged.
        DiskFullError: The folder cannot be written.
    """
    events, malformed_lines, findings = 0, {}, {}
    with _PartialFile(path) as file:
        separator = b"["  # before the first record; a comma before each other one
        for name, packed in members:
            odd = OddLines()
            for batch in _batches(name, packed):
                encoded = _RECORDS.encode(batch, b"")
                odd.add(encoded)
                if encoded.records:
                    file.write(separator + encoded.payload[len(separator) :])
                    separator = b","
                    events += encoded.records
            if odd.malformed:
                malformed_lines[name] = odd.malformed
            if odd.findings:
                findings[name] = odd.findings
        file.write(b"\n]\n" if events else b"[\n]\n")
        file.finish()
    return DayArray(events, file.written_bytes, malformed_lines, findings)


def _batches(name: str, packed: IO[bytes]) -> Iterator[bytes]:
    with packed:
        if not packed.read(1):  # to the unpackers an empty file is an empty content
            raise CorruptArchiveError(f"The object {name} is empty.")
        packed.seek(0)
        with open_gzip(packed) as unpacked:
            for batch in iter_line_batches(Content(unpacked, Member(name, None, 0))):
                yield batch.body


class _PartialFile:
    """A hidden file beside ``path`` that becomes it, or goes away."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
        self.written_bytes = 0

    def __enter__(self) -> Self:
        with self._naming_the_disk():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._partial.open("xb")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what a full disk did not take is of no use any more
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Append ``data``."""
        with self._naming_the_disk(len(data)):
            self._file.write(data)
        self.written_bytes += len(data)

    def finish(self) -> None:
        """Put the file in its place, for good: a machine that loses power has the old one or all of this one."""
        with self._naming_the_disk():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._partial.replace(self._path)
        if os.name == "posix":
            folder = os.open(self._path.parent, os.O_RDONLY)
            with suppress(OSError):  # some network folders cannot
                os.fsync(folder)
            os.close(folder)

    @contextmanager
    def _naming_the_disk(self, more_bytes: int = 0) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            folder = next(each for each in self._path.absolute().parents if each.is_dir())
            raise disk_error(
                str(folder), error, what="array", written_bytes=self.written_bytes, more_bytes=more_bytes
            ) from error
