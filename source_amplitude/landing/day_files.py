"""The JSON arrays of whole days beside the raw hours of a folder."""

from __future__ import annotations

import logging
from functools import partial
from typing import IO, TYPE_CHECKING

from source_amplitude.errors import MalformedLinesError, StoreDeniedError
from source_amplitude.export.oddities import Oddities
from source_amplitude.landing.day_arrays import write_day_array
from source_amplitude.landing.inventory import landed_hours, take_inventory
from source_amplitude.landing.manifest import hour_folder
from source_amplitude.windows import DAY, HOUR, HourWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from source_amplitude.landing.store import Store

_logger = logging.getLogger("airbyte")

ARRAYS_FOLDER = "json"


def write_day_files(store: Store, root: Path, span: HourWindow, changed_days: Iterable[datetime]) -> dict[str, int]:
    """Write ``json/date=2026-01-01.json`` for each day of ``span`` whose array is missing or older than its hours.

    Args:
        store: The folder as a store.
        root: The folder.
        span: Hours that were landed; the arrays hold all hours of their days, earlier landed ones too.
        changed_days: Days that got objects just now.

    Returns:
        How many lines of a raw object were no JSON objects and are left out of the arrays, by object.

    Raises:
        CorruptArchiveError: A raw object is damaged.
        DiskFullError: The folder cannot be written.
    """
    first, last = span.start.replace(hour=0), (span.end - HOUR).replace(hour=0)
    inventory = take_inventory(store, HourWindow(first, last + DAY), landed_hours(store), look_around=False)
    changed, malformed, oddities = set(changed_days), dict[str, int](), Oddities()
    day = first
    while day <= last:
        paths = [
            root / hour_folder(hour) / landed.name
            for hour, manifest in sorted(inventory.manifests.items())
            if hour.date() == day.date()
            for landed in manifest.objects
            if inventory.sizes(hour).get(landed.name) == landed.object_bytes
        ]
        out = root / ARRAYS_FOLDER / f"date={day:%Y-%m-%d}.json"
        if paths and (day in changed or _is_older(out, paths)):
            array = write_day_array(out, _opened(paths))
            malformed |= array.malformed_lines
            for name, findings in array.findings.items():
                oddities.add(findings, partial(_line, name))
            _logger.info("%s: %s events, %.1f MB.", out, f"{array.events:,}", array.array_bytes / 1e6)
        day += DAY
    oddities.log_warnings(f"{ARRAYS_FOLDER}/")
    return malformed


def malformed_error(malformed: dict[str, int]) -> MalformedLinesError:
    """Return the error for lines that the arrays lack."""
    lines, name = sum(malformed.values()), next(iter(malformed))
    count = "One line is" if lines == 1 else f"{lines:,} lines are"
    more = f" and {len(malformed) - 1} more objects" if len(malformed) > 1 else ""
    return MalformedLinesError(
        f"{count} no JSON object, in {name}{more}.",
        tried="The arrays of these days lack them; the raw objects beside the arrays hold them.",
    )


def _is_older(array: Path, paths: list[Path]) -> bool:
    if not array.exists():
        return True
    made = array.stat().st_mtime_ns
    return any(path.stat().st_mtime_ns > made for path in paths)


def _line(name: str, position: int) -> str:
    return f"{name}, line {position + 1}"


def _opened(paths: list[Path]) -> Iterator[tuple[str, IO[bytes]]]:
    for path in paths:
        try:
            yield path.name, path.open("rb")
        except OSError as error:
            raise StoreDeniedError(f"{path} cannot be read ({error.strerror}).") from error
