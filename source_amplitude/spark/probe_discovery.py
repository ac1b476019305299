"""Which hours Amplitude has files for, asked without reading any."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from source_amplitude.api import RetryBudget, retrying
from source_amplitude.errors import EmptyArchiveError, ExportTooSlowError, ServerFailureError
from source_amplitude.export import Probe, probe_export
from source_amplitude.export.amplitude import MAX_EXPORT_HOURS
from source_amplitude.ledger import Ledger, conclusive_until
from source_amplitude.windows import DAY, HOUR, HourSet, HourWindow, floor_unit, plan, split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from source_amplitude.export import Amplitude

_logger = logging.getLogger("airbyte")

_FEW_HOURS = 4  # so many are asked for one by one once they are known to have files


class ProbeDiscovery:
    """Asks whether there are files, and reads none of them.

    An hour that is more than a day overdue is settled without a question where a later hour has files. Files that
    come late to an hour are not found.
    """

    def __init__(self, amplitude: Amplitude) -> None:
        self._amplitude = amplitude
        self._budget = RetryBudget(0)
        self._nothing_from: datetime | None = None
        self._nothing_until: datetime | None = None

    def discover(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        config, limits = self._amplitude.config, self._amplitude.limits
        self._budget = RetryBudget(limits.retry_budget_seconds)
        seen: list[datetime] = []
        for run in (ledger.missing(span, config.accepted_gaps) & ledger.open).windows:
            self._ask_in_parts(ledger, run, seen, most)
        now, delay_hours = self._amplitude.clocks.conservative_now(), config.export_delay_hours
        conclusive_end = conclusive_until(now, delay_hours)
        for run in fresh.windows:
            cut = max(run.start, min(run.end, conclusive_end))
            if run.start < cut:
                ripe = HourWindow(run.start, cut)
                if self._has_later_files(ledger, cut):
                    ledger.settle_overdue(HourSet((ripe,)), now=now, export_delay_hours=delay_hours)
                else:
                    self._ask_in_parts(ledger, ripe, seen, None)
            if cut < run.end:
                self._ask_each(ledger, HourWindow(cut, run.end), seen)
        ledger.forget_final_hours(())
        return seen

    def _has_later_files(self, ledger: Ledger, end: datetime) -> bool:
        """Look for files from ``end`` on: the newest day hour by hour, then longer and longer spans before it."""
        if ledger.newest_with_data is not None and ledger.newest_with_data >= end:
            return True
        newest_end = floor_unit(self._amplitude.newest_end())
        if self._nothing_from is not None and self._nothing_from <= end and self._nothing_until == newest_end:
            return False
        for window in _backwards(end, newest_end):
            try:
                glimpse = self._glance(window)
            except EmptyArchiveError:  # it proves nothing, and an older window may have files
                continue
            if glimpse is not None:
                _note_project(ledger, glimpse)
                ledger.note_later_data(window.start)
                return True
        self._nothing_from, self._nothing_until = end, newest_end
        return False

    def _ask_in_parts(self, ledger: Ledger, run: HourWindow, seen: list[datetime], most: int | None) -> None:
        """Ask for a run as a whole, and for ever smaller parts of it where it has files; oldest first."""
        for window in plan(run, MAX_EXPORT_HOURS):
            if most is not None and len(seen) >= most:
                return
            halves = split(window)
            if halves is None:
                self._ask_each(ledger, window, seen)
                continue
            if not self._has_files(ledger, window):
                continue
            for part in plan(window, 1) if window.hours <= _FEW_HOURS else halves:
                self._ask_in_parts(ledger, part, seen, most)

    def _ask_each(self, ledger: Ledger, run: HourWindow, seen: list[datetime]) -> None:
        for unit in plan(run, 1):
            asked_at = self._amplitude.clocks.conservative_now()
            glimpse = self._has_files(ledger, unit)
            if glimpse is None:
                continue
            _note_project(ledger, glimpse)
            ledger.mark_done(unit.start, {}, asked_at=asked_at)
            if glimpse.first is not None:
                seen.append(unit.start)

    def _has_files(self, ledger: Ledger, window: HourWindow) -> Probe | None:
        """Return what Amplitude has for ``window``; record it in ``ledger`` where that is nothing, or unclear."""
        delay_hours, asked_at = self._amplitude.config.export_delay_hours, self._amplitude.clocks.conservative_now()
        try:
            glimpse = self._glance(window)
        except EmptyArchiveError as error:
            _logger.warning("%s %s Its hours stay open, and are asked for again later.", error.what, error.tried)
            ledger.leave_open(HourSet((window,)))
            return None
        if glimpse is None:
            ledger.mark_empty_response(HourSet((window,)), asked_at=asked_at, export_delay_hours=delay_hours)
        return glimpse

    def _glance(self, window: HourWindow) -> Probe | None:
        """Glance at a window, or at its halves where Amplitude is too slow for all of it."""
        halves = split(window)
        try:
            return retrying(
                lambda: self._glance_once(window, is_last=halves is None),
                policy=self._amplitude.limits.retry,
                budget=self._budget,
                clock=self._amplitude.clock,
            )
        except ExportTooSlowError:
            if halves is None:
                raise
            return self._glance(halves[1]) or self._glance(halves[0])

    def _glance_once(self, window: HourWindow, *, is_last: bool) -> Probe | None:
        try:
            return probe_export(self._amplitude.client, window)
        except ExportTooSlowError as error:
            if is_last:
                raise ServerFailureError(error.what) from error
            raise


def _note_project(ledger: Ledger, glimpse: Probe) -> None:
    if glimpse.first is not None:
        ledger.note_project(glimpse.first.project)


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
