"""The proven archives of a span of hours, asked for ahead and handed out oldest first, and how each window ended.

Rules, from design.md: windows that are too large are asked for in halves; a window that fails does not stop the others;
what is not about one window ends everything. What is done with an archive is the caller's business.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from source_amplitude.api import log_retry
from source_amplitude.errors import (
    AmplitudeError,
    ConfigError,
    DiskFullError,
    ExportTooLargeError,
    RateLimitedError,
    StoppedError,
    UnreachableError,
    counted,
)
from source_amplitude.export.prefetch import Download, Downloads, empty_archive_error
from source_amplitude.export.window_size import WindowQueue, WindowSize, spans_to_read
from source_amplitude.windows import HourSet, HourWindow, hour_window, split

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator, Iterator, Mapping
    from datetime import datetime

    from source_amplitude.archive import Archive, Member, MemberList
    from source_amplitude.errors import RetryableError
    from source_amplitude.export.amplitude import Amplitude
    from source_amplitude.export.stats import SyncStats
    from source_amplitude.ledger import Ledger

_logger = logging.getLogger("airbyte")

_MOST_NAMED = 5
_ENDS_THE_STREAM = (ConfigError, UnreachableError, RateLimitedError, DiskFullError, StoppedError)


@dataclass(frozen=True)
class Arrived:
    """What Amplitude had for a window.

    Attributes:
        download: Closed by the one who gets this.
        hours: The members by the start of their hour; none where Amplitude had no files.
        is_proof: Whether it proves that Amplitude has no files for the window's other hours. An archive without any
            member of its window does not.
        failures_before: How many windows had failed when it arrived.
    """

    download: Download
    hours: Mapping[datetime, MemberList]
    is_proof: bool = True
    failures_before: int = field(repr=False, default=0)


class Archives:
    """Asks for what a ledger lacks of a span of hours.

    `finish`, and windows that proved too large, change the ledger. Once ``stop`` is set, the next step raises.
    """

    def __init__(self, amplitude: Amplitude, ledger: Ledger, *, stop: threading.Event, stats: SyncStats) -> None:
        self._stop = stop
        self._amplitude = amplitude
        self._ledger = ledger
        self._config = amplitude.config
        self._limits = amplitude.limits
        self._stats = stats
        self._size = WindowSize.remembered(amplitude.config.window_hours, ledger)
        self._queue = WindowQueue((), self._size)
        self._downloads = Downloads(amplitude)
        self._times_broken: dict[datetime, int] = {}

    def ask(self, span: HourWindow, *, recheck: bool, reread: HourSet) -> Generator[Arrived | None, None, None]:
        """Yield what Amplitude has for the hours of ``span`` that the ledger lacks, oldest window first.

        Each is given back to `finish` when it was read; None says that nothing came for a while.

        Args:
            span: Hours that Amplitude may have published.
            recheck: Whether to look for late files of hours that are done.
            reread: Hours to ask for although they are done.

        Raises:
            AmplitudeError: What is not about one window.
            HoursMissingError: Windows keep failing alike.
        """
        spans = spans_to_read(
            self._ledger,
            span,
            accepted_gaps=self._config.accepted_gaps,
            recheck_hours=self._config.recheck_hours if recheck else (),
            now=self._amplitude.clocks.conservative_now(),
            reread=reread,
        )
        self._queue = WindowQueue(spans, self._size)
        self._stats.hours_wanted = self._queue.hours_left()
        try:
            yield from self._arrivals()
        finally:
            self._downloads.close()

    def finish(self, arrived: Arrived) -> None:
        """Record that every hour of ``arrived`` was dealt with, whether it succeeded or failed."""
        window = arrived.download.window
        if len(self._stats.failures) == arrived.failures_before:
            self._size.worked(window.hours)
            self._ledger.remember_window(self._size.to_remember)
            self._stats.succeed()
        nothing = HourSet((window,)) - HourSet.of(hour_window(hour) for hour in arrived.hours)
        self._stats.hours_without_files += len(nothing)
        if not arrived.is_proof:
            self._stats.unverified |= nothing
            self._ledger.leave_open(nothing)
            return
        self._ledger.mark_empty_response(
            nothing, asked_at=arrived.download.asked_at, export_delay_hours=self._config.export_delay_hours
        )

    def ask_again(self, hour: HourWindow, asked: HourWindow, error: RetryableError) -> bool:
        """Ask for a window again from its broken hour on; return False if the hour is given up and the rest is read."""
        times = self._times_broken[hour.start] = self._times_broken.get(hour.start, 0) + 1
        if times >= self._limits.archive_attempts:
            error.tried = f"The archive was downloaded {times} times."
            self._fail(hour, error)
            return False
        wait_seconds = self._limits.retry.first_wait_seconds * 2**times
        self._downloads.retry_budget.spend(wait_seconds)
        log_retry(error, wait_seconds, hour)
        self._downloads.add_first(HourWindow(hour.start, asked.end), wait_seconds=wait_seconds)
        return True

    @property
    def nothing_follows(self) -> bool:
        """Whether no window is asked for any more; `ask_again` may change that."""
        return len(self._downloads) == 0

    def raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise StoppedError

    def _arrivals(self) -> Iterator[Arrived | None]:
        while self._fill():
            window = self._downloads.oldest()
            try:
                download = self._downloads.finish_oldest(self._limits.heartbeat_seconds, self._stop)
            except ExportTooLargeError as error:
                self._ask_in_halves(window, error)
            except _ENDS_THE_STREAM:
                raise
            except AmplitudeError as error:
                self._fail(window, error)
            else:
                if download is None:
                    self.raise_if_stopped()
                    yield None
                    continue
                arrived = self._opened(download)
                self._fill()
                if arrived is not None:
                    yield arrived

    def _fill(self) -> bool:
        """Start downloads until every worker has one; return whether any is in flight."""
        while len(self._downloads) < self._config.num_workers:
            window = self._queue.take()
            if window is None:
                break
            self._downloads.add(window)
        return len(self._downloads) > 0

    def _ask_in_halves(self, window: HourWindow, error: ExportTooLargeError) -> None:
        halves = split(window)
        if halves is None:
            self._fail(window, error)
            return
        _logger.info("%s It is asked for again in two halves.", error.what)
        self._size.was_too_large(halves[0].hours)
        self._ledger.remember_window(self._size.to_remember)
        self._downloads.add_first(*halves)

    def _fail(self, window: HourWindow, error: AmplitudeError) -> None:
        """Note that a window failed for good; end the stream where that says more than about this window."""
        _logger.error("The window %s is left out: %s", window, error)
        self._stats.fail(window, error)
        most = self._limits.same_failures_to_stop
        if self._stats.alike_in_a_row >= most:
            why = f"{most} windows in a row failed alike"
        elif self._downloads.retry_budget.is_spent:
            why = f"the {self._limits.retry_budget_seconds:g} seconds for waiting between retries are used up"
        else:
            return
        raise self._stats.stopped_early(why)

    def _opened(self, download: Download) -> Arrived | None:
        """Return a download's members by hour; None where its window is asked for again in halves."""
        self._stats.archive_bytes += download.archive_bytes
        hours: Mapping[datetime, MemberList] = {}
        try:
            if download.archive is not None:
                _name_stray_files(download.archive, download.window)
                _name_unexplained_bytes(download.archive, download.window)
                if self._is_ambiguous(download.archive, download.window):
                    download.close()
                    return None
                hours = self._members_by_hour(download.archive, download.window)
        except BaseException:
            download.close()
            raise
        is_proof = download.archive is None or bool(hours)
        if not is_proof:
            _logger.warning(
                "%s It was asked for up to %d times. It settles nothing; the next run asks for these hours again.",
                empty_archive_error(download.window, len(download.archive.members if download.archive else ())).what,
                self._limits.archive_attempts,
            )
        return Arrived(download, hours, is_proof, len(self._stats.failures))

    def _is_ambiguous(self, archive: Archive, window: HourWindow) -> bool:
        """Ask for ``window`` again in halves if it has a member whose hour only a window of one hour can tell."""
        first = next(iter(archive.members), None)  # unknown names come first
        odd = first.text if first and first.name is None else None
        halves = split(window)
        if odd is None:
            return False
        if halves is None:
            _logger.warning("The member %s has a name of an unknown form; it is read as a part of %s.", odd, window)
            return False
        _logger.warning(
            "The export for %s has a member of unknown form, %s; it is asked for again in halves, to learn its hour.",
            window,
            odd,
        )
        self._downloads.add_first(*halves)
        return True

    def _members_by_hour(self, archive: Archive, window: HourWindow) -> dict[datetime, MemberList]:
        """Return the members by the start of their hour; those outside ``window`` are counted and left out."""

        def start_of_hour(member: Member) -> datetime | None:
            if member.name is not None:
                self._ledger.note_project(member.name.project)
            hour = window.start if member.name is None else member.name.hour
            return hour_window(hour).start if hour in window else None

        hours = archive.members.grouped(start_of_hour)
        elsewhere = len(archive.members) - sum(map(len, hours.values()))
        if elsewhere:
            _logger.warning(
                "The export for %s has %d members of other hours; these are left to their own windows.",
                window,
                elsewhere,
            )
        return hours


def _name_stray_files(archive: Archive, window: HourWindow) -> None:
    if archive.stray:
        more = f" and {len(archive.stray) - _MOST_NAMED} more" if len(archive.stray) > _MOST_NAMED else ""
        _logger.warning(
            "The export for %s has files that are no members of it, which are left aside: %s%s.",
            window,
            ", ".join(repr(member.text) for member in archive.stray[:_MOST_NAMED]),
            more,
        )


def _name_unexplained_bytes(archive: Archive, window: HourWindow) -> None:
    unexplained = archive.unexplained
    if unexplained.places:
        _logger.warning(
            "The export for %s has %s that belong to no member (%s). They were skipped. Please report this warning: "
            "Amplitude's archives are not known to have such bytes.",
            window,
            counted(unexplained.total_bytes, "byte"),
            unexplained,
        )
