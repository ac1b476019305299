"""Request the verified archives of a span of hours, prefetched and in order, and record the result of each window.

Rules, from design.md: A window that is too large is requested again in shorter ones. A failed window does not stop
the others. Errors that do not concern a single window end the stream.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from source_amplitude.api import log_retry
from source_amplitude.config import BackfillOrder
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

_MAX_NAMED = 5
_FATAL_ERRORS = (ConfigError, UnreachableError, RateLimitedError, DiskFullError, StoppedError)


@dataclass(frozen=True)
class Arrived:
    """The response for one window.

    Attributes:
        download: The finished download. The caller closes it.
        hours: The members by the start of their hour, in the order to read them; empty if Amplitude has no files.
        is_proof: Whether the response is conclusive: the window's other hours have no files. An archive without any
            member of its window is inconclusive.
        failures_before: Number of windows that had failed when this one arrived.
    """

    download: Download
    hours: Mapping[datetime, MemberList]
    is_proof: bool = True
    failures_before: int = field(repr=False, default=0)


class Archives:
    """Requests the hours of a span that are missing in a ledger.

    `finish` and windows that are too large change the ledger. After ``stop`` is set, the next step raises a
    StoppedError.
    """

    def __init__(self, amplitude: Amplitude, ledger: Ledger, *, stop: threading.Event, stats: SyncStats) -> None:
        self._stop = stop
        self._amplitude = amplitude
        self._ledger = ledger
        self._config = amplitude.config
        self._limits = amplitude.limits
        self._stats = stats
        stats.waits = amplitude.waits
        self._size = WindowSize.remembered(amplitude.config.window_hours, ledger)
        self.newest_first = amplitude.config.backfill_order is BackfillOrder.NEWEST_FIRST
        self._queue = WindowQueue((), self._size)
        self._downloads = Downloads(amplitude)
        self._times_broken: dict[datetime, int] = {}

    def ask(self, span: HourWindow, *, recheck: bool, reread: HourSet) -> Generator[Arrived | None, None, None]:
        """Yield the archives of ``span``'s missing hours, in the configured order (`Config.backfill_order`).

        The caller passes each one to `finish` after reading it. None is a heartbeat: the next archive is still
        downloading.

        Args:
            span: Hours that Amplitude may have published.
            recheck: Whether to request done hours again for late-arriving files.
            reread: Done hours to request again.

        Raises:
            AmplitudeError: An error that does not concern a single window.
            HoursMissingError: Consecutive windows fail with the same kind of error.
        """
        spans = spans_to_read(
            self._ledger,
            span,
            accepted_gaps=self._config.accepted_gaps,
            recheck_hours=self._config.recheck_hours if recheck else (),
            now=self._amplitude.clocks.conservative_now(),
            reread=reread,
        )
        self._queue = WindowQueue(spans, self._size, newest_first=self.newest_first)
        self._stats.hours_wanted = self._queue.hours_left()
        try:
            yield from self._arrivals()
        finally:
            self._downloads.close()

    def finish(self, arrived: Arrived) -> None:
        """Record that every hour of ``arrived`` was processed, with or without success."""
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
            nothing, asked_at=arrived.download.asked_at, conclusive_after_hours=self._config.conclusive_after_hours
        )

    def ask_again(self, hour: HourWindow, asked: HourWindow, error: RetryableError) -> bool:
        """Request ``hour`` and the rest of its window again; return False if no attempt is left and it failed."""
        times = self._times_broken[hour.start] = self._times_broken.get(hour.start, 0) + 1
        if times >= self._limits.archive_attempts:
            error.tried = f"The archive was downloaded {times} times."
            self._fail(hour, error)
            return False
        wait_seconds = self._limits.retry.first_wait_seconds * 2**times
        self._downloads.retry_budget.spend(wait_seconds)
        log_retry(error, wait_seconds, hour)
        rest = HourWindow(asked.start, hour.end) if self.newest_first else HourWindow(hour.start, asked.end)
        self._downloads.add_first(rest, wait_seconds=wait_seconds)
        return True

    def read_before(self, hour: HourWindow, arrived: Arrived) -> HourSet:
        """Return the hours of an archive that are read before ``hour``."""
        window = arrived.download.window
        rest = HourWindow(window.start, hour.end) if self.newest_first else HourWindow(hour.start, window.end)
        return HourSet((window,)) - HourSet((rest,))

    @property
    def nothing_follows(self) -> bool:
        """Whether no request is pending; `ask_again` can add one."""
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
                self._request_shorter(window, error)
            except _FATAL_ERRORS:
                raise
            except AmplitudeError as error:
                self._fail_or_cut(window, error)
            else:
                if download is None:
                    self.raise_if_stopped()
                    yield None
                    continue
                if (arrived := self._arrived(download)) is not None:
                    yield arrived

    def _fill(self) -> bool:
        """Start a download for every free worker; return whether any download is in flight."""
        while (window := self._queue.first()) is not None and self._may_request(window):
            self._queue.take()
            self._downloads.insert(window, before=partial(self._queue.precedes, window))
        return len(self._downloads) > 0

    def _may_request(self, window: HourWindow) -> bool:
        """Return whether to request ``window`` now. Windows are read in order: the first one never waits."""
        if len(self._downloads) == 0 or self._queue.precedes(window, self._downloads.oldest()):
            return True
        return len(self._downloads) < self._config.num_workers and not self._size.needs_an_answer

    def _request_shorter(self, window: HourWindow, error: ExportTooLargeError) -> None:
        """Cut a window that was too large, and all that wait, at the size that the next request tries."""
        if not self._size.shrink(window):
            self._fail(window, error)
            return
        _logger.info("%s Requesting it again in windows of %s.", error.what, counted(self._size.hours, "hour"))
        self._ledger.remember_window(self._size.to_remember)
        self._queue.put_back((window, *self._downloads.take_waiting(self._size.hours)))

    def _fail_or_cut(self, window: HourWindow, error: AmplitudeError) -> None:
        if self._size.cuts_after_failure(window):
            self._queue.put_back((window,))
        else:
            self._fail(window, error)

    def _fail(self, window: HourWindow, error: AmplitudeError) -> None:
        """Record that a window failed; stop the stream if failures repeat or the retry budget is used up."""
        _logger.error("Skipping %s: %s", window, error)
        self._stats.fail(window, error)
        most = self._limits.same_failures_to_stop
        if self._stats.alike_in_a_row >= most:
            why = f"{most} windows in a row failed with the same kind of error"
        elif self._downloads.retry_budget.is_spent:
            why = f"the retry budget of {self._limits.retry_budget_seconds:g} seconds is used up"
        else:
            return
        raise self._stats.stopped_early(why)

    def _arrived(self, download: Download) -> Arrived | None:
        """Return the archive of a download with its members by hour, or None if it is requested again in halves."""
        self._stats.archive_bytes += download.archive_bytes
        hours: Mapping[datetime, MemberList] = {}
        try:
            if download.archive is not None:
                _log_stray_files(download.archive, download.window)
                _log_unexplained_bytes(download.archive, download.window)
                if self._request_ambiguous_again(download.archive, download.window):
                    download.close()
                    self._fill()
                    return None
                hours = self._members_by_hour(download.archive, download.window)
        except BaseException:
            download.close()
            raise
        is_proof = download.archive is None or bool(hours)
        if not is_proof and self._size.cuts_after_failure(download.window):
            download.close()
            self._queue.put_back((download.window,))
            self._fill()
            return None
        if not is_proof:
            _logger.warning(
                "%s It was requested up to %d times. These hours stay open; the next run requests them again.",
                empty_archive_error(download.window, len(download.archive.members if download.archive else ())).what,
                self._limits.archive_attempts,
            )
        self._size.answered(download.window, has_files=bool(hours) or not is_proof)
        self._fill()
        return Arrived(download, hours, is_proof, len(self._stats.failures))

    def _request_ambiguous_again(self, archive: Archive, window: HourWindow) -> bool:
        """Request ``window`` again in halves if a member's name has no hour; return whether this was so."""
        first = next(iter(archive.members), None)  # unknown names come first
        odd = first.text if first and first.name is None else None
        halves = split(window)
        if odd is None:
            return False
        if halves is None:
            _logger.warning("The member %s has an unknown name format. It is read as part of %s.", odd, window)
            return False
        _logger.warning(
            "The export for %s contains a member with an unknown name format, %s. Requesting it again in two halves to "
            "find the member's hour.",
            window,
            odd,
        )
        self._downloads.add_first(*(reversed(halves) if self.newest_first else halves))
        return True

    def _members_by_hour(self, archive: Archive, window: HourWindow) -> dict[datetime, MemberList]:
        """Return the members by the start of their hour; members outside ``window`` are counted and left out."""

        def start_of_hour(member: Member) -> datetime | None:
            if member.name is not None:
                self._ledger.note_project(member.name.project)
            hour = window.start if member.name is None else member.name.hour
            return hour_window(hour).start if hour in window else None

        grouped = archive.members.grouped(start_of_hour)
        hours = dict(sorted(grouped.items(), reverse=self.newest_first))
        elsewhere = len(archive.members) - sum(map(len, hours.values()))
        if elsewhere:
            _logger.warning(
                "Ignored %s of other hours in the export for %s. Other windows include these hours.",
                counted(elsewhere, "member"),
                window,
            )
        return hours


def _log_stray_files(archive: Archive, window: HourWindow) -> None:
    if archive.stray:
        more = f" and {len(archive.stray) - _MAX_NAMED} more" if len(archive.stray) > _MAX_NAMED else ""
        _logger.warning(
            "The export for %s contains files that are not members. They are ignored: %s%s.",
            window,
            ", ".join(repr(member.text) for member in archive.stray[:_MAX_NAMED]),
            more,
        )


def _log_unexplained_bytes(archive: Archive, window: HourWindow) -> None:
    unexplained = archive.unexplained
    if unexplained.places:
        _logger.warning(
            "The export for %s has %s that belong to no member (%s). They were skipped. Please report this warning: "
            "Amplitude's archives are not known to have such bytes.",
            window,
            counted(unexplained.total_bytes, "byte"),
            unexplained,
        )
