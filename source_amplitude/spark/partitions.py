"""The hours that a query needs, by its filters, and the partitions that its tasks read.

Does not import Spark. Spark sends partitions to the executors.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from source_amplitude.encoding import Encoded
from source_amplitude.errors import EmptyArchiveError, NotPublishedError, counted
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
"""The time by which Amplitude exports events (documented, Export API); other times may lie in any hour."""


@dataclass(frozen=True)
class Partition:
    """The hours that one task reads.

    Attributes:
        hours: The hours to read.
        project: The project that the archives must belong to; None if it is not known yet.
        expected: Hours that had files when the partition was planned.
        known: By hour, the part of each member that earlier batches read; it is skipped.
        bounds: By hour, the end of each member's part to read; without an entry the whole hour is read.
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
    """Split ``partition`` into at most ``most`` partitions; windows are assigned round-robin.

    Each partition downloads one archive at a time, so ``most`` limits the downloads of a cluster of any size.
    """
    windows = [window for run in partition.hours.windows for window in plan(run, window_hours)]
    return [partition.part(HourSet.of(windows[first::most])) for first in range(min(most, len(windows)))]


def read_partition(partition: Partition, amplitude: Amplitude, encoding: Encoding[T]) -> Iterator[T]:
    """Yield the encoded lines of a partition, oldest hour first.

    Stops at the first window that fails, because Spark discards the rows of a failed task.

    Raises:
        AmplitudeError: A window could not be read.
        NotPublishedError: Amplitude no longer has the files of expected hours.
    """
    attempts = amplitude.limits.archive_attempts
    left = partition
    for attempt in range(1, attempts + 1):
        missing = left.expected - (yield from _read_hours(left, amplitude, encoding))
        if not missing.windows:
            return
        if attempt < attempts:  # new files may not have reached all of Amplitude's servers
            amplitude.clock.sleep(amplitude.limits.retry.first_wait_seconds * 2**attempt)
        left = partition.part(missing)
    raise NotPublishedError(
        f"Amplitude no longer has files for {', '.join(map(str, missing.windows))}. It had files when this batch was "
        "planned.",
        tried=f"These hours were requested {counted(attempts, 'time')}.",
        next_step="Start the query again later: it continues with this batch. List hours that stay missing in "
        "accepted_gaps.",
    )


def _read_hours(partition: Partition, amplitude: Amplitude, encoding: Encoding[T]) -> Generator[T, None, HourSet]:
    """Yield the lines of a partition, and return the hours that had files."""
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
        # The plan has no accepted gaps. A gap that was added later must not shorten a planned batch.
        config=replace(amplitude.config, num_workers=1, accepted_gaps=HourSet()),
        limits=replace(amplitude.limits, same_failures_to_stop=1),
    )
    reader = ExportReader(one_download, ledger, encoding, stop=threading.Event(), bounds=partition.bounds)
    done: list[HourWindow] = []
    # The driver does not learn which hours a task left open, so the task must fail and be run again.
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
            f"The archive for {', '.join(map(str, unverified.windows))} contains no file of these hours.",
            tried=f"It was requested {counted(amplitude.limits.archive_attempts, 'time')}.",
        )
    return HourSet.of(done)


def narrow(span: HourWindow, filters: Iterable[Any]) -> HourWindow | None:
    """Return the hours of ``span`` that may contain rows matching all ``filters``; None if no hour can.

    Spark applies the filters to the rows as well.

    Args:
        span: Hours, in whole days where Amplitude has day files.
        filters: From `pyspark.sql.datasource`, recognized by class name as in Spark's own protocol. Filters on other
            columns, and filters without a time bound, are ignored.
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
    """Return the first and the last time that match a filter; None: no bound."""
    if name == "In" and isinstance(value, tuple | list):
        moments = [_clamped(each, span) for each in value]
        known = [moment for moment in moments if moment is not None]
        return (min(known), max(known)) if known and len(known) == len(moments) else (None, None)
    moment = _clamped(value, span)
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


def _clamped(value: object, span: HourWindow) -> datetime | None:
    """Return a time in UTC, limited to one hour outside ``span``: years 1 and 9999 would overflow."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    least, most = span.start - HOUR, span.end + HOUR
    return least if value < least else most if value > most else value.astimezone(timezone.utc)
