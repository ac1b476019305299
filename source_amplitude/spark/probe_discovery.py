"""Discover which hours have files, without downloading them."""

from __future__ import annotations

import logging
from dataclasses import replace
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

    from source_amplitude.config import Config
    from source_amplitude.export import Amplitude

_logger = logging.getLogger("airbyte")

_FEW_HOURS = 4  # up to this many hours with files are requested one by one


class ProbeDiscovery:
    """Probes whether hours have files, without reading them; it does not find late files.

    An hour that is more than a day overdue is settled without a request if a later hour has files.
    """

    def __init__(self, amplitude: Amplitude) -> None:
        self._amplitude = amplitude
        self._budget = RetryBudget(0)
        self._empty_from: datetime | None = None
        self._empty_until: datetime | None = None

    def discover(self, ledger: Ledger, span: HourWindow, fresh: HourSet, most: int | None) -> list[datetime]:
        config, limits = self._amplitude.config, self._amplitude.limits
        self._budget = RetryBudget(limits.retry_budget_seconds)
        seen: list[datetime] = []
        for run in (ledger.missing(span, config.accepted_gaps) & ledger.open).windows:
            self._probe_in_parts(ledger, run, seen, most)
        now, after_hours = self._amplitude.clocks.conservative_now(), _conclusive_after_hours(config)
        conclusive_end = conclusive_until(now, after_hours)
        for run in fresh.windows:
            cut = max(run.start, min(run.end, conclusive_end))
            if run.start < cut:
                conclusive = HourWindow(run.start, cut)
                if self._has_later_files(ledger, cut):
                    ledger.settle_overdue(HourSet((conclusive,)), now=now, conclusive_after_hours=after_hours)
                else:
                    self._probe_in_parts(ledger, conclusive, seen, None)
            if cut < run.end:
                self._probe_each(ledger, HourWindow(cut, run.end), seen)
        ledger.forget_final_hours(())
        return seen

    def _has_later_files(self, ledger: Ledger, end: datetime) -> bool:
        """Return whether an hour from ``end`` on has files: probe the newest day by hour, then longer spans."""
        if ledger.newest_with_data is not None and ledger.newest_with_data >= end:
            return True
        newest_end = floor_unit(self._amplitude.newest_end())
        if self._empty_from is not None and self._empty_from <= end and self._empty_until == newest_end:
            return False
        for window in _backwards(end, newest_end):
            try:
                probe = self._probe(window)
            except EmptyArchiveError:  # inconclusive; an older window may have files
                continue
            if probe is not None:
                _note_project(ledger, probe)
                ledger.note_later_data(window.start)
                return True
        self._empty_from, self._empty_until = end, newest_end
        return False

    def _probe_in_parts(self, ledger: Ledger, run: HourWindow, seen: list[datetime], most: int | None) -> None:
        """Probe a run, and smaller and smaller parts of it if it has files; oldest first."""
        for window in plan(run, MAX_EXPORT_HOURS):
            if most is not None and len(seen) >= most:
                return
            halves = split(window)
            if halves is None:
                self._probe_each(ledger, window, seen)
                continue
            if not self._probe_and_record(ledger, window):
                continue
            for part in plan(window, 1) if window.hours <= _FEW_HOURS else halves:
                self._probe_in_parts(ledger, part, seen, most)

    def _probe_each(self, ledger: Ledger, run: HourWindow, seen: list[datetime]) -> None:
        for unit in plan(run, 1):
            asked_at = self._amplitude.clocks.conservative_now()
            probe = self._probe_and_record(ledger, unit)
            if probe is None:
                continue
            _note_project(ledger, probe)
            ledger.mark_done(unit.start, {}, asked_at=asked_at)
            if probe.first is not None:
                seen.append(unit.start)

    def _probe_and_record(self, ledger: Ledger, window: HourWindow) -> Probe | None:
        """Return the probe of ``window``, or None; record in ``ledger`` that it is empty or inconclusive."""
        asked_at = self._amplitude.clocks.conservative_now()
        try:
            probe = self._probe(window)
        except EmptyArchiveError as error:
            _logger.warning("%s %s Its hours stay open and are requested again later.", error.what, error.tried)
            ledger.leave_open(HourSet((window,)))
            return None
        if probe is None:
            after_hours = _conclusive_after_hours(self._amplitude.config)
            ledger.mark_empty_response(HourSet((window,)), asked_at=asked_at, conclusive_after_hours=after_hours)
        return probe

    def _probe(self, window: HourWindow) -> Probe | None:
        """Probe a window; probe its halves if Amplitude times out."""
        halves = split(window)
        try:
            return retrying(
                lambda: self._probe_once(window, is_last=halves is None),
                policy=self._amplitude.limits.retry,
                budget=self._budget,
                clock=self._amplitude.clock,
            )
        except ExportTooSlowError:
            if halves is None:
                raise
            return self._probe(halves[1]) or self._probe(halves[0])

    def _probe_once(self, window: HourWindow, *, is_last: bool) -> Probe | None:
        try:
            return probe_export(self._amplitude.client, window)
        except ExportTooSlowError as error:
            if is_last:
                raise ServerFailureError(error.what) from error
            raise


def _note_project(ledger: Ledger, probe: Probe) -> None:
    if probe.first is not None:
        ledger.note_project(probe.first.project)


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


def _conclusive_after_hours(config: Config) -> int:
    """Return the age at which a 404 is conclusive; probes never look for late files, so recheck_hours do not count."""
    return replace(config, recheck_hours=()).conclusive_after_hours
