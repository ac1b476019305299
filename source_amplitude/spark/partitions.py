"""What a query asks for, by its filters, and what one task of it reads: some windows, and how far.

Knows no Spark; shares travel to the executors as they are.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from source_amplitude.encoding import Encoded
from source_amplitude.errors import EmptyArchiveError, NotPublishedError
from source_amplitude.export import ExportReader, HourDone
from source_amplitude.ledger import Ledger, ReadHour
from source_amplitude.windows import HOUR, UNIX_EPOCH, HourSet, HourWindow, floor_hour, plan, whole_units

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from source_amplitude.encoding import Encoding
    from source_amplitude.export import Amplitude
    from source_amplitude.members import Fingerprint

T = TypeVar("T")

Members = dict[str, "Fingerprint"]

_COLUMN = ("server_upload_time",)
"""What an export's hours are hours of (documented, Export API); the other times lie anywhere."""


@dataclass(frozen=True)
class Partition:
    """What one task reads.

    Attributes:
        project: Whose archives they must be; None where that is not known.
        expected: Hours that Amplitude had files for when the share was made.
        known: By hour, what earlier batches read of its members: only what follows is read.
        bounds: By hour, how far its members are read; hours that are not in it are read to their ends.
    """

    hours: HourSet
    project: str | None = None
    expected: HourSet = field(default_factory=HourSet)
    known: Mapping[datetime, Members] = field(default_factory=dict)
    bounds: Mapping[datetime, Members] = field(default_factory=dict)

    def part(self, hours: HourSet) -> Partition:
        return Partition(
            hours,
            self.project,
            self.expected & hours,
            {hour: members for hour, members in self.known.items() if hour in hours},
            {hour: members for hour, members in self.bounds.items() if hour in hours},
        )


def split_partition(partition: Partition, *, window_hours: int, most: int) -> list[Partition]:
    """Return at most ``most`` partitions that together are ``partition``; its windows are dealt out in turn.

    One share downloads one archive at a time, so that ``most`` bounds the downloads whatever the cluster's size.
    """
    windows = [window for run in partition.hours.windows for window in plan(run, window_hours)]
    return [partition.part(HourSet.of(windows[first::most])) for first in range(min(most, len(windows)))]


def read_partition(partition: Partition, amplitude: Amplitude, encoding: Encoding[T]) -> Iterator[T]:
    """Yield what ``encoding`` makes of the share's lines, oldest hour first.

    It ends at the first window that fails: nothing of a task that fails counts, so the rest would be read in vain.

    Raises:
        AmplitudeError: Not everything could be read.
        NotPublishedError: Amplitude has no files any more for hours that it had some for.
    """
    attempts = amplitude.limits.archive_attempts
    left = partition
    for attempt in range(1, attempts + 1):
        gone = left.expected - (yield from _read_hours(left, amplitude, encoding))
        if not gone.windows:
            return
        if attempt < attempts:  # Amplitude's servers may not all know yet what one of them knew
            amplitude.clock.sleep(amplitude.limits.retry.first_wait_seconds * 2**attempt)
        left = partition.part(gone)
    raise NotPublishedError(
        f"Amplitude has no files for {', '.join(map(str, gone.windows))}, and had some when this batch was planned.",
        tried=f"It was asked {attempts} times.",
        next_step="Start the query again later: it goes on with this batch. Hours that never come back can be "
        "named in accepted_gaps.",
    )


def _read_hours(partition: Partition, amplitude: Amplitude, encoding: Encoding[T]) -> Generator[T, None, HourSet]:
    """Yield a share's lines once, and return the hours that had any."""
    if not partition.hours.windows:
        return HourSet()
    span = HourWindow(partition.hours.windows[0].start, partition.hours.windows[-1].end)
    ledger = Ledger(
        settled=HourSet((span,)) - partition.hours,
        project=partition.project,
        read_hours={hour: ReadHour(UNIX_EPOCH, members) for hour, members in partition.known.items()},
    )
    one_download = replace(
        amplitude,
        # Gaps are left out of shares already; one that is named by now must not make this one shorter than its batch.
        config=replace(amplitude.config, num_workers=1, accepted_gaps=HourSet()),
        limits=replace(amplitude.limits, same_failures_to_stop=1),
    )
    reader = ExportReader(one_download, ledger, encoding, stop=threading.Event(), bounds=partition.bounds)
    done: list[HourWindow] = []
    # Nothing of what a task leaves open comes back to the driver: the task must fail, and be run again.
    try:
        for step in reader.read(span, recheck=False):
            if isinstance(step, Encoded):
                yield step.payload
            elif isinstance(step, HourDone):
                done.append(step.window)
    finally:
        reader.stats.oddities.log_warnings(str(span))
    if (unverified := reader.stats.unverified).windows:
        raise EmptyArchiveError(
            f"The export for {', '.join(map(str, unverified.windows))} is an archive without a file of these hours.",
            tried=f"It was asked for {amplitude.limits.archive_attempts} times.",
        )
    return HourSet.of(done)


def narrow(span: HourWindow, filters: Iterable[Any]) -> HourWindow | None:
    """Return the hours of ``span`` in which a row may lie that fulfils all ``filters``, or None where there are none.

    Spark applies the filters to the rows in any case.

    Args:
        span: Hours; whole days where Amplitude has day files.
        filters: Of `pyspark.sql.datasource`, known by their class's name as in Spark's own protocol; those on other
            columns, and those that do not bound time, say nothing.
    """
    start, end = span.start, span.end
    for each in filters:
        if getattr(each, "attribute", None) == _COLUMN:
            least, most = _bounds(type(each).__name__, getattr(each, "value", None), span)
            start = start if least is None else max(start, floor_hour(least))
            end = end if most is None else min(end, floor_hour(most) + HOUR)
    if start >= end:
        return None
    return whole_units(HourWindow(start, end))


def _bounds(name: str, value: object, span: HourWindow) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last moment that fulfil a filter; None for no bound."""
    if name == "In" and isinstance(value, tuple | list):
        moments = [_near(each, span) for each in value]
        known = [moment for moment in moments if moment is not None]
        return (min(known), max(known)) if known and len(known) == len(moments) else (None, None)
    moment = _near(value, span)
    if moment is None:
        return None, None
    return {
        "EqualTo": (moment, moment),
        "EqualNullSafe": (moment, moment),
        "GreaterThan": (moment, None),
        "GreaterThanOrEqual": (moment, None),
        "LessThan": (None, moment - datetime.resolution),
        "LessThanOrEqual": (None, moment),
    }.get(name, (None, None))


def _near(value: object, span: HourWindow) -> datetime | None:
    """Return a moment in UTC, or the nearest one that is an hour outside ``span``: year 1 and 9999 mean no bound."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    least, most = span.start - HOUR, span.end + HOUR
    return least if value < least else most if value > most else value.astimezone(timezone.utc)
