"""``--format json``: one JSON array per day, next to the raw hours in a folder.

An array contains the records of all hours of its day, as ``read`` emits them. It is made from the raw objects, written
again if one of them is newer, and replaced atomically.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import IO, TYPE_CHECKING

from source_amplitude.archive import Content, Member, iter_line_batches
from source_amplitude.archive.gzip_codec import open_gzip
from source_amplitude.disk import DiskErrors, atomic_write
from source_amplitude.encoding import JsonLines
from source_amplitude.errors import CorruptArchiveError, MalformedLinesError, StoreDeniedError, counted
from source_amplitude.export.oddities import Oddities
from source_amplitude.landing.formats.body import OddLines
from source_amplitude.landing.inventory import days_of, landed_hours, take_inventory
from source_amplitude.landing.layout import ARRAYS_FOLDER, array_path, hour_folder
from source_amplitude.windows import DAY, HOUR, HourWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from source_amplitude.landing.store import Store
    from source_amplitude.records import Findings

_logger = logging.getLogger("airbyte")

_RECORDS = JsonLines(b",\n")


def write_day_files(store: Store, root: Path, span: HourWindow, changed_days: Iterable[datetime]) -> dict[str, int]:
    """Write ``json/date=2026-01-01.json`` for each day of ``span`` whose array is missing or older than its hours.

    Args:
        span: The landed hours; an array contains all landed hours of its day, also earlier ones.
        changed_days: Days with objects written by this run.

    Returns:
        The number of malformed lines, which the arrays leave out, by raw object.
    """
    whole_days = HourWindow(span.start.replace(hour=0), (span.end - HOUR).replace(hour=0) + DAY)
    inventory = take_inventory(store, whole_days, landed_hours(store), look_around=False)
    changed, malformed, oddities = set(changed_days), dict[str, int](), Oddities()
    for day in days_of(whole_days):
        paths = [
            root / hour_folder(hour) / landed.name
            for hour, manifest in sorted(inventory.manifests.items())
            if hour.date() == day.date()
            for landed in manifest.objects
            if inventory.sizes(hour).get(landed.name) == landed.object_bytes
        ]
        out = root / array_path(day)
        if paths and (day in changed or _is_older(out, paths)):
            array = write_day_array(out, _open_each(paths))
            malformed |= array.malformed_lines
            for name, findings in array.findings.items():
                oddities.add(findings, partial(_line, name))
            _logger.info("%s: %s events, %.1f MB.", out, f"{array.events:,}", array.array_bytes / 1e6)
    oddities.log_warnings(f"{ARRAYS_FOLDER}/")
    return malformed


def malformed_error(malformed: dict[str, int]) -> MalformedLinesError:
    lines, name = sum(malformed.values()), next(iter(malformed))
    count = "1 line is not a JSON object" if lines == 1 else f"{lines:,} lines are not JSON objects"
    more = f" and {counted(len(malformed) - 1, 'more object')}" if len(malformed) > 1 else ""
    return MalformedLinesError(
        f"{count}, in {name}{more}.",
        tried="The arrays of these days leave them out; the raw objects contain them.",
    )


def _is_older(array: Path, paths: list[Path]) -> bool:
    if not array.exists():
        return True
    made = array.stat().st_mtime_ns
    return any(path.stat().st_mtime_ns > made for path in paths)


def _line(name: str, position: int) -> str:
    return f"{name}, line {position + 1}"


def _open_each(paths: list[Path]) -> Iterator[tuple[str, IO[bytes]]]:
    for path in paths:
        try:
            yield path.name, path.open("rb")
        except OSError as error:
            raise StoreDeniedError(f"{path} cannot be read ({error.strerror}).") from error


@dataclass(frozen=True)
class DayArray:
    """A written array.

    Attributes:
        malformed_lines: Number of malformed lines, which are left out, by object; only objects that have some.
        findings: Odd values in the other lines, by object.
    """

    events: int
    array_bytes: int
    malformed_lines: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, Findings] = field(default_factory=dict)


def write_day_array(path: Path, members: Iterable[tuple[str, IO[bytes]]]) -> DayArray:
    """Write the records of ``members`` to ``path`` as a JSON array, one record per line, as ``read`` emits them.

    Only about one batch of lines is in memory.

    Args:
        path: The array's file; its folder is created if it is missing.
        members: Names and raw gzip files at their start, in the order of the array; each file is read to its end and
            closed before the next one is taken.

    Raises:
        CorruptArchiveError: A file's gzip data is damaged.
        DiskFullError: The folder cannot be written.
    """
    events, malformed_lines, findings = 0, {}, {}
    disk = DiskErrors("array", path.parent)
    with disk:
        path.parent.mkdir(parents=True, exist_ok=True)
    with disk, atomic_write(path, is_only_writer=False) as file:
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
        if not packed.read(1):  # gzip readers accept an empty file as empty content
            raise CorruptArchiveError(f"The object {name} is empty.")
        packed.seek(0)
        with open_gzip(packed) as unpacked:
            for batch in iter_line_batches(Content(unpacked, Member(name, None, 0))):
                yield batch.body
