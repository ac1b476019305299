"""How the driver of a streaming query learns which hours can be read: by glances at archives, or by reading them.

Both change a ledger as ``read`` does. Executors cannot: nothing of what a task finds comes back to the driver.
"""

from __future__ import annotations

import logging
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from source_amplitude.api import RetryBudget, present, retrying
from source_amplitude.encoding import Encoded, encode_line_by_line
from source_amplitude.errors import ExportTooSlowError, OtherProjectError, ServerFailureError
from source_amplitude.export import EncodedRecords, ExportReader, Glimpse, HourDone, glance
from source_amplitude.export.settings import MAX_EXPORT_HOURS
from source_amplitude.ledger import Ledger, ripe_end
from source_amplitude.windows import DAY, HOUR, HourSet, HourWindow, floor_unit, plan, split, take_window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from source_amplitude.encoding import Encoding
    from source_amplitude.export import Publication

T = TypeVar("T")

_logger = logging.getLogger("airbyte")

_NEVER_HOURS = 1_000_000
_FEW_HOURS = 4  # so many are asked for one by one once they are known to have files


class Settling(Protocol):
    """Finds out about hours."""

    def settle(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        """Record in ``ledger`` which hours are settled and which are open, and return those that files were seen for.

        Args:
            ledger: Changed.
            span: Published hours.
            fresh: Hours of the span that were never asked for, and are to be now.
            most: So many hours that were open are settled with files at most; None for all.

        Raises:
            AmplitudeError: The ledger is of no use then.
        """
        ...


def first_hours(hours: HourSet, most: int | None) -> HourSet:
    """Return the first ``most`` hours; whole days where Amplitude has day files, and all of them for None."""
    left, windows = most, []
    for window in hours.windows:
        if left is not None and left <= 0:
            break
        windows.append(window if left is None else take_window(window, left))
        left = None if left is None else left - windows[-1].hours
    return HourSet(tuple(windows))


class Glances:
    """Asks whether there are files, and reads none of them.

    An hour that is more than a day overdue is settled without a question where a later hour has files. Files that
    come late to an hour are not found.
    """

    def __init__(self, amplitude: Publication) -> None:
        self._amplitude = amplitude
        self._budget = RetryBudget(0)
        self._nothing_from: datetime | None = None
        self._nothing_until: datetime | None = None

    def settle(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        """See `Settling`."""
        config, settings = self._amplitude.config, self._amplitude.settings
        self._budget = RetryBudget(settings.retry_budget_seconds)
        seen: list[datetime] = []
        for run in (ledger.missing(span, config.accepted_gaps) & ledger.open).windows:
            self._settle_open(ledger, run, seen, most)
        ripe_until = ripe_end(self._present(), config.export_delay_hours)
        for run in fresh.windows:
            cut = max(run.start, min(run.end, ripe_until))
            if run.start < cut:
                self._settle_ripe(ledger, HourWindow(run.start, cut), seen)
            if cut < run.end:
                self._ask_each(ledger, HourWindow(cut, run.end), seen)
        ledger.forget_what_is_final(())
        return seen

    def _settle_ripe(self, ledger: Ledger, run: HourWindow, seen: list[datetime]) -> None:
        if self._has_later_files(ledger, run.end):
            ledger.settled |= HourSet((run,))
        else:
            self._settle_open(ledger, run, seen, None)

    def _has_later_files(self, ledger: Ledger, end: datetime) -> bool:
        """Look for files from ``end`` on: the newest day hour by hour, then longer and longer spans before it."""
        if ledger.newest_landed is not None and ledger.newest_landed >= end:
            return True
        newest_end = floor_unit(self._amplitude.newest_end())
        if self._nothing_from is not None and self._nothing_from <= end and self._nothing_until == newest_end:
            return False
        for window in _backwards(end, newest_end):
            glimpse = self._glance(window)
            if glimpse is not None:
                self._note_project(ledger, glimpse)
                ledger.newest_landed = window.start
                return True
        self._nothing_from, self._nothing_until = end, newest_end
        return False

    def _settle_open(self, ledger: Ledger, run: HourWindow, seen: list[datetime], most: int | None) -> None:
        """Ask for a run as a whole, and for ever smaller parts of it where it has files; oldest first."""
        for window in plan(run, MAX_EXPORT_HOURS):
            if most is not None and len(seen) >= most:
                return
            halves = split(window)
            if halves is None:
                self._ask_each(ledger, window, seen)
                continue
            asked_at = self._present()
            if self._glance(window) is None:
                self._found_nothing(ledger, window, asked_at)
            elif window.hours <= _FEW_HOURS:
                for unit in plan(window, 1):
                    self._settle_open(ledger, unit, seen, most)
            else:
                for half in halves:
                    self._settle_open(ledger, half, seen, most)

    def _ask_each(self, ledger: Ledger, run: HourWindow, seen: list[datetime]) -> None:
        for unit in plan(run, 1):
            asked_at = self._present()
            glimpse = self._glance(unit)
            if glimpse is None:
                self._found_nothing(ledger, unit, asked_at)
                continue
            self._note_project(ledger, glimpse)
            ledger.land(unit.start, {}, asked_at=asked_at)
            if glimpse.first is not None and glimpse.first.hour in unit:
                seen.append(unit.start)

    def _found_nothing(self, ledger: Ledger, run: HourWindow, asked_at: datetime) -> None:
        delay_hours = self._amplitude.config.export_delay_hours
        ledger.found_nothing(HourSet((run,)), asked_at=asked_at, export_delay_hours=delay_hours)

    def _present(self) -> datetime:
        return present(self._amplitude.clock, self._amplitude.client)

    def _glance(self, window: HourWindow) -> Glimpse | None:
        """Glance at a window, or at its halves where Amplitude is too slow for all of it."""
        halves = split(window)
        try:
            return retrying(
                lambda: self._glance_once(window, is_last=halves is None),
                policy=self._amplitude.settings.retry,
                budget=self._budget,
                clock=self._amplitude.clock,
                on_retry=lambda error, seconds: _logger.warning("%s Next try in %.0f seconds.", error.what, seconds),
            )
        except ExportTooSlowError:
            if halves is None:
                raise
            return self._glance(halves[1]) or self._glance(halves[0])

    def _glance_once(self, window: HourWindow, *, is_last: bool) -> Glimpse | None:
        try:
            return glance(self._amplitude.client, window)
        except ExportTooSlowError as error:
            if is_last:
                raise ServerFailureError(error.what) from error
            raise

    @staticmethod
    def _note_project(ledger: Ledger, glimpse: Glimpse) -> None:
        project = None if glimpse.first is None else glimpse.first.project
        ledger.project = ledger.project or project
        if project not in (None, ledger.project):
            raise OtherProjectError(
                f"The archives belong to project {project}, the checkpoint to project {ledger.project}.",
                tried="Nothing of the archives was read.",
                next_step="Use a checkpoint and a table of its own for each project.",
            )


class Looks(Generic[T]):
    """Downloads every archive and remembers how much of each member there is, so that late files are found.

    Args:
        amplitude: Amplitude; the policy for malformed lines is its configuration's.
        encoding: Makes something of the lines for whoever reads on the driver, see `take`.
        most_bytes: After so much JSON it ends with the hour it is at; None: after all of them.
    """

    def __init__(self, amplitude: Publication, encoding: Encoding[T], most_bytes: int | None = None) -> None:
        self._amplitude = amplitude
        self._most_bytes = most_bytes
        self._encoding = encoding
        self._payloads: list[T] = []

    def settle(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        """See `Settling`."""
        config, was_open = self._amplitude.config, ledger.open
        _forget_what_is_final(ledger, config.recheck_hours)
        reader = ExportReader(
            self._amplitude.client,
            ledger,
            # The last age is never reached: what the last look at an hour finds must stay in the offset for once.
            replace(config, recheck_hours=(*config.recheck_hours, _NEVER_HOURS)),
            settings=replace(self._amplitude.settings, same_failures_to_stop=1),
            clock=self._amplitude.clock,
            encoding=self._encoding,
            stop=threading.Event(),
        )
        end = fresh.windows[-1].end if fresh.windows else span.end
        self._payloads, landed = [], 0
        with closing(reader.read(HourWindow(span.start, end), recheck=True)) as steps:
            for step in steps:
                if isinstance(step, EncodedRecords):
                    self._payloads.append(step.payload)
                elif isinstance(step, HourDone):
                    landed += step.window.hours if step.window.start in was_open else 0
                    if _reaches(landed, most) or _reaches(reader.tally.content_bytes, self._most_bytes):
                        break
        return []

    def take(self) -> list[T]:
        """Return what came of the lines in the latest call, once."""
        payloads, self._payloads = self._payloads, []
        return payloads


def _reaches(count: int, most: int | None) -> bool:
    return most is not None and count >= most


def _forget_what_is_final(ledger: Ledger, ages_hours: tuple[int, ...]) -> None:
    """Forget flawed hours too, which a sync names again and again: Spark writes all that is known with each batch."""
    for hour, landed in ledger.flawed().items():
        members = {name: replace(seen, malformed_lines=0) for name, seen in landed.members.items()}
        ledger.landed[hour] = replace(landed, members=members)
    ledger.forget_what_is_final(ages_hours)


def count_lines(body: bytes) -> Encoded[None]:
    """Return how many lines there are, and whether the last one has no end and is no JSON object either.

    Such a line may be completed later, and must not count as read (see `HourReading.note`).
    """
    lines = body.count(b"\n")
    if body.endswith(b"\n"):
        return Encoded(None, 0, lines)
    last = encode_line_by_line(body[body.rfind(b"\n") + 1 :], lambda record: record)
    return Encoded(None, 0, lines + 1, (lines,) if last.malformed else ())


def _backwards(start: datetime, end: datetime) -> Iterator[HourWindow]:
    """Yield windows that cover the time from ``start`` to ``end``, newest first: a day's hours, then doubling spans."""
    day = max(start, floor_unit(end - DAY))
    if start < end:
        yield from reversed(list(plan(HourWindow(day, end), 1)))
    end, hours = day, DAY // HOUR
    while start < end:
        first = max(start, floor_unit(end - HOUR * hours))
        yield HourWindow(first, end)
        end, hours = first, min(2 * hours, MAX_EXPORT_HOURS)
