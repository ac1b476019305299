"""The export of a span of hours as encoded records, and the ledger kept while they leave.

Rules, from design.md: windows are read in order; nothing is emitted before its archive is proven; an hour is done
when every line of its members was handed over *and the consumer came back for more*; a window that fails does not
stop the others; what is not about one window ends everything.
"""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from source_amplitude.api import present
from source_amplitude.config import MalformedLines
from source_amplitude.errors import (
    AmplitudeError,
    ConfigError,
    CorruptArchiveError,
    DiskFullError,
    ExportTooLargeError,
    OtherProjectError,
    RateLimitedError,
    StoppedError,
    UnreachableError,
)
from source_amplitude.export.download import Download, Downloads
from source_amplitude.export.hour import EncodedRecords, HourReading
from source_amplitude.export.plan import WindowQueue, WindowSize, spans_to_read
from source_amplitude.export.tally import Tally, still_malformed_error
from source_amplitude.windows import HourSet, HourWindow, hour_window, split

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator, Iterator, Mapping
    from datetime import datetime

    from source_amplitude.api import AmplitudeClient
    from source_amplitude.archive import Archive, Member
    from source_amplitude.clock import Clock
    from source_amplitude.config import Config
    from source_amplitude.encoding import Encoding
    from source_amplitude.errors import RetryableError
    from source_amplitude.export.settings import ExportSettings
    from source_amplitude.ledger import Ledger

T = TypeVar("T")

_logger = logging.getLogger("airbyte")

_ENDS_THE_STREAM = (ConfigError, UnreachableError, RateLimitedError, DiskFullError, StoppedError)


@dataclass(frozen=True)
class HourDone:
    """Every line of the hour has left; the ledger says so, and the state may be saved."""

    window: HourWindow


@dataclass(frozen=True)
class StillWaiting:
    """Nothing left for a while: a download is slow."""


class ExportReader(Generic[T]):
    """Reads what a ledger lacks of a span of hours.

    Args:
        client: Amplitude.
        ledger: Changed while reading; right at every step that was yielded.
        config: Window size, workers, policies.
        settings: Bounds of waiting, retrying and disk.
        clock: Our own time.
        encoding: Makes the payloads out of lines.
        stop: Once set, `read` ends with an error at its next step.

    Attributes:
        tally: What was done so far.
    """

    def __init__(
        self,
        client: AmplitudeClient,
        ledger: Ledger,
        config: Config,
        *,
        settings: ExportSettings,
        clock: Clock,
        encoding: Encoding[T],
        stop: threading.Event,
    ) -> None:
        self._stop = stop
        self._client = client
        self._ledger = ledger
        self._config = config
        self._settings = settings
        self._clock = clock
        self._encoding = encoding
        self._size = WindowSize.remembered(config.window_hours, ledger)
        self._queue = WindowQueue((), self._size)
        self._downloads = Downloads(
            client,
            at_once=config.num_workers,
            settings=settings,
            clock=clock,
            present=lambda: present(clock, client),
            on_retry=_report_retry,
        )
        self._times_broken: dict[datetime, int] = {}
        self.tally = Tally()

    def read(self, span: HourWindow, *, recheck: bool) -> Iterator[EncodedRecords[T] | HourDone | StillWaiting]:
        """Yield the records of ``span`` that the ledger lacks, oldest hour first.

        Args:
            span: Hours that Amplitude may have published.
            recheck: Whether to look for late files of hours that are done.

        Raises:
            AmplitudeError: What is not about one window; everything yielded before stands.
            HoursMissingError: At the end, when windows failed; or earlier, when they keep failing alike.
            MalformedLinesError: At the end, by the policy for malformed lines.
        """
        spans = spans_to_read(
            self._ledger,
            span,
            accepted_gaps=self._config.accepted_gaps,
            recheck_hours=self._config.recheck_hours if recheck else (),
            now=present(self._clock, self._client),
            reread=self._still_flawed(),
        )
        self._queue = WindowQueue(spans, self._size)
        try:
            yield from self._read_windows()
        finally:
            self._downloads.close()
        self._raise_what_is_left()

    def _still_flawed(self) -> HourSet:
        """Return the hours whose malformed lines must fail every sync until Amplitude has mended them."""
        if self._config.malformed_lines is not MalformedLines.FAIL:
            return HourSet()
        return HourSet.of(hour_window(hour) for hour in self._ledger.flawed())

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise StoppedError("The sync was asked to end.", tried="The hours read so far are recorded.")

    def _raise_what_is_left(self) -> None:
        if failure := self.tally.failure():
            raise failure
        policy = self._config.malformed_lines
        if self.tally.malformed_lines and policy is not MalformedLines.SKIP:
            raise self.tally.malformed_error()
        if policy is MalformedLines.FAIL and (flawed := self._ledger.flawed()):
            raise still_malformed_error(flawed)

    def _read_windows(self) -> Iterator[EncodedRecords[T] | HourDone | StillWaiting]:
        while self._fill():
            window = self._downloads.oldest()
            try:
                download = self._downloads.finish_oldest(self._settings.heartbeat_seconds, self._stop)
            except ExportTooLargeError as error:
                self._ask_in_halves(window, error)
            except _ENDS_THE_STREAM:
                raise
            except AmplitudeError as error:
                self._fail(window, error)
            else:
                if download is None:
                    self._raise_if_stopped()
                    yield StillWaiting()
                    continue
                try:
                    self._fill()
                    yield from self._read_download(download)
                finally:
                    download.close()

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
        self._ledger.working_hours = self._size.to_remember
        self._downloads.add_first(*halves)

    def _fail(self, window: HourWindow, error: AmplitudeError) -> None:
        """Note that a window failed for good; end the stream where that says more than about this window."""
        _logger.error("The window %s is left out of this sync: %s", window, error)
        self.tally.fail(window, error)
        most = self._settings.same_failures_to_stop
        if self.tally.alike_in_a_row() >= most:
            why = f"{most} windows in a row failed alike"
        elif self._downloads.retry_budget.is_spent:
            why = f"the {self._settings.retry_budget_seconds:g} seconds for waiting between retries are used up"
        else:
            return
        raise self.tally.stopped_early(why)

    def _read_download(self, download: Download) -> Generator[EncodedRecords[T] | HourDone, None, None]:
        self.tally.archive_bytes += download.archive_bytes
        failures_before = len(self.tally.failures)
        asked, hours = HourSet((download.window,)), dict["datetime", "list[Member]"]()
        if download.archive is not None:
            if self._is_ambiguous(download.archive, download.window):
                return
            hours = self._members_by_hour(download.archive, download.window)
            if not (yield from self._read_hours(download, download.archive, hours)):
                return
        if len(self.tally.failures) == failures_before:
            self._size.worked(download.window.hours)
            self._ledger.working_hours = self._size.to_remember
            self.tally.succeed()
        nothing = asked - HourSet.of(hour_window(hour) for hour in hours)
        self.tally.hours_without_files += len(nothing)
        self._ledger.found_nothing(
            nothing, asked_at=download.asked_at, export_delay_hours=self._config.export_delay_hours
        )

    def _is_ambiguous(self, archive: Archive, window: HourWindow) -> bool:
        """Ask for ``window`` again in halves if it has a member whose hour only a window of one hour can tell."""
        odd = next((member.text for member in archive.members if member.name is None), None)
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

    def _members_by_hour(self, archive: Archive, window: HourWindow) -> dict[datetime, list[Member]]:
        """Return the members by the start of their hour; those outside ``window`` are counted and left out.

        Raises:
            OtherProjectError: The archive belongs to another project than the ledger.
        """
        hours: dict[datetime, list[Member]] = {}
        elsewhere = 0
        for member in archive.members:
            if member.name is not None:
                self._check_project(member.name.project)
            hour = window.start if member.name is None else member.name.hour
            if hour in window:
                hours.setdefault(hour_window(hour).start, []).append(member)
            else:
                elsewhere += 1
        if elsewhere:
            _logger.warning(
                "The export for %s has %d members of other hours; these are left to their own windows.",
                window,
                elsewhere,
            )
        return hours

    def _check_project(self, project: str) -> None:
        if self._ledger.project is None:
            self._ledger.project = project
        elif self._ledger.project != project:
            raise OtherProjectError(
                f"The archives belong to project {project}, the saved state to project {self._ledger.project}.",
                tried="Nothing of the archive was emitted.",
            )

    def _read_hours(
        self, download: Download, archive: Archive, hours: Mapping[datetime, list[Member]]
    ) -> Generator[EncodedRecords[T] | HourDone, None, bool]:
        """Yield the hours of an archive; return whether all of it was read.

        They are encoded as one run, so that worker processes go on with the next hour while one is finished.
        """
        batches = (
            batch for hour, members in sorted(hours.items()) for batch in self._reading(hour).batches(archive, members)
        )
        begun: HourReading | None = None
        with closing(self._encoding.in_order(batches)) as in_order:
            try:
                for batch, encoded in in_order:
                    if encoded.records:
                        yield EncodedRecords(encoded.payload, encoded.records)
                    batch.reading.note(batch, encoded)
                    begun = batch.reading if batch.lines else None
                    if batch.lines is None and not (yield from self._finish_hour(download, batch.reading)):
                        return False
                    self._raise_if_stopped()
            except Exception:
                if begun is not None:
                    self._ledger.keep(begun.window.start, begun.seen, asked_at=download.asked_at)
                raise
        return True

    def _reading(self, hour: datetime) -> HourReading:
        return HourReading(
            hour_window(hour), known=self._ledger.known, tally=self.tally, batch_bytes=self._encoding.batch_bytes
        )

    def _finish_hour(self, download: Download, reading: HourReading) -> Generator[HourDone, None, bool]:
        """Record how an hour ended; return whether the rest of the archive may be read."""
        window = reading.window
        if reading.broken is not None:
            self._ledger.keep(window.start, reading.seen, asked_at=download.asked_at)
            return self._after_broken_member(window, download.window, reading.broken)
        if reading.is_flawed and self._config.malformed_lines is MalformedLines.FAIL:
            self._ledger.keep(window.start, reading.seen, asked_at=download.asked_at)
            return True
        self._ledger.land(window.start, reading.seen, asked_at=download.asked_at)
        self._ledger.forget_what_is_final(self._config.recheck_hours)
        self.tally.hours_done += window.hours
        self.tally.succeed()
        yield HourDone(window)
        return True

    def _after_broken_member(self, hour: HourWindow, asked: HourWindow, error: CorruptArchiveError) -> bool:
        """Download from the broken hour on once more, or give the hour up; return whether to go on reading."""
        times = self._times_broken[hour.start] = self._times_broken.get(hour.start, 0) + 1
        if times >= self._settings.archive_attempts:
            error.tried = f"The archive was downloaded {times} times."
            self._fail(hour, error)
            return True
        wait_seconds = self._settings.retry.first_wait_seconds * 2**times
        self._downloads.retry_budget.spend(wait_seconds)
        _report_retry(hour, error, wait_seconds)
        self._downloads.add_first(HourWindow(hour.start, asked.end), wait_seconds=wait_seconds)
        return False


def _report_retry(window: HourWindow, error: RetryableError, wait_seconds: float) -> None:
    _logger.warning("%s It is asked for again in %.0f seconds (window %s).", error.what, wait_seconds, window)
