"""A day's raw objects in a folder to one JSON array, as scripts land it that keep yesterday's export as local JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from source_amplitude.archive import Content, Member, iter_line_batches
from source_amplitude.archive.unpacking import open_gzip
from source_amplitude.disk import DiskErrors, atomic_write
from source_amplitude.encoding import JsonLines
from source_amplitude.errors import CorruptArchiveError
from source_amplitude.landing.formats.body import OddLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

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

    Memory stays near a batch of lines.

    Args:
        path: Its folder is made where it is missing.
        members: Names and raw gzip files at their start, in the order of the array, each asked for once the one before
            is read; they are closed.

    Raises:
        CorruptArchiveError: A file's gzip data is damaged.
        DiskFullError: The folder cannot be written.
    """
    events, malformed_lines, findings = 0, {}, {}
    disk = DiskErrors("array", path.parent)
    with disk:
        path.parent.mkdir(parents=True, exist_ok=True)
    with disk, atomic_write(path, is_alone=False) as file:
        separator = b"["  # before the first record; a comma before each other one
        for name, packed in members:
            odd = OddLines()
            for batch in _batches(name, packed):
                encoded = _RECORDS.encode(batch, b"")
                odd.add(encoded)
                if encoded.records:
                    disk.write(file, separator + encoded.payload[len(separator) :])
                    separator = b","
                    events += encoded.records
            if odd.malformed:
                malformed_lines[name] = odd.malformed
            if odd.findings:
                findings[name] = odd.findings
        disk.write(file, b"\n]\n" if events else b"[\n]\n")
    return DayArray(events, disk.written_bytes, malformed_lines, findings)


def _batches(name: str, packed: IO[bytes]) -> Iterator[bytes]:
    with packed:
        if not packed.read(1):  # to the unpackers an empty file is an empty content
            raise CorruptArchiveError(f"The object {name} is empty.")
        packed.seek(0)
        with open_gzip(packed) as unpacked:
            for batch in iter_line_batches(Content(unpacked, Member(name, None, 0))):
                yield batch.body
