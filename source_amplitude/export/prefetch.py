"""Download and verify archives ahead of the reader, and return them in order."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from source_amplitude.api import ExportResponse, RetryBudget, log_retry, retrying
from source_amplitude.archive import Archive, open_archive
from source_amplitude.errors import EmptyArchiveError, counted
from source_amplitude.export.spool import DiskBudget, SpoolClosedError, SpoolFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from source_amplitude.export.amplitude import Amplitude
    from source_amplitude.windows import HourWindow

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Download:
    """A finished download.

    Attributes:
        asked_at: When the request was sent, on Amplitude's clock.
        archive: The verified archive; None if Amplitude has no files for any of the hours. An archive without a member
            of the window was requested several times.
        spool: The archive's file; `close` deletes it.
    """

    window: HourWindow
    asked_at: datetime
    archive: Archive | None
    archive_bytes: int
    spool: SpoolFile

    def close(self) -> None:
        if self.archive is not None:
            self.archive.close()
        self.spool.close()


@dataclass(eq=False)
class _Flight:
    window: HourWindow
    wait_seconds: float
    urgent: threading.Event = field(default_factory=threading.Event)
    future: Future[Download] = field(default_factory=Future)
    started: bool = False


class Downloads:
    """A queue of downloads, with at most ``num_workers`` active at once.

    A download that waits for disk space is not active: the reader may need an earlier window that was not started yet.
    The threads are daemons, so that the process can exit without waiting for a server.
    """

    def __init__(self, amplitude: Amplitude) -> None:
        self._amplitude = amplitude
        self._limits = amplitude.limits
        self._disk = DiskBudget(amplitude.limits.disk_bytes)
        self._flights: deque[_Flight] = deque()
        self._active = 0
        self._is_closed = False
        self._lock = threading.Lock()
        self.retry_budget = RetryBudget(amplitude.limits.retry_budget_seconds)

    def __len__(self) -> int:
        return len(self._flights)

    def add(self, window: HourWindow) -> None:
        with self._lock:
            self._flights.append(_Flight(window, 0))
        self._start_downloads()

    def insert(self, window: HourWindow, *, before: Callable[[HourWindow], bool]) -> None:
        """Add a download in front of the first one whose window satisfies ``before``, or as the last one."""
        with self._lock:
            place = next((n for n, flight in enumerate(self._flights) if before(flight.window)), len(self._flights))
            self._flights.insert(place, _Flight(window, 0))
        self._start_downloads()

    def take_waiting(self, longer_than_hours: int) -> list[HourWindow]:
        """Remove the downloads of longer windows that are not started, and return their windows."""
        with self._lock:
            waiting = [
                flight
                for flight in self._flights
                if not flight.started and not flight.wait_seconds and flight.window.hours > longer_than_hours
            ]
            for flight in waiting:
                self._flights.remove(flight)
        return [flight.window for flight in waiting]

    def add_first(self, *windows: HourWindow, wait_seconds: float = 0) -> None:
        """Add downloads in front of all others; they start after ``wait_seconds``."""
        with self._lock:
            self._flights.extendleft(_Flight(window, wait_seconds) for window in reversed(windows))
        self._start_downloads()

    def oldest(self) -> HourWindow:
        """Return the window of the oldest download."""
        return self._flights[0].window

    def finish_oldest(self, timeout_seconds: float, stop: threading.Event | None = None) -> Download | None:
        """Wait for the oldest download and return it.

        None is returned after ``timeout_seconds``, soon after ``stop`` is set, and if the host should get control
        (`RateLimitWaits.has_news`).

        Raises:
            AmplitudeError: The download failed. It is removed from the queue.
        """
        flight = self._flights[0]
        self._disk.hurry(flight.urgent)
        left_seconds = timeout_seconds
        while left_seconds > 0 and not (stop and stop.is_set()) and not self._amplitude.waits.has_news.is_set():
            # A download that starts to wait for the disk frees its worker for the next one.
            self._start_downloads()
            wait_seconds = min(left_seconds, _POLL_SECONDS)
            try:
                download = flight.future.result(wait_seconds)
            except FutureTimeoutError:
                if flight.future.done() and flight.future.exception() is not None:
                    self._drop_oldest()  # raised by the download itself; from Python 3.11 on both have the same class
                    raise
                left_seconds -= wait_seconds
                continue
            except BaseException:
                self._drop_oldest()
                raise
            self._drop_oldest()
            return download
        return None

    def _drop_oldest(self) -> None:
        with self._lock:
            self._flights.popleft()

    def close(self) -> None:
        """Abandon all downloads and delete their files."""
        self._is_closed = True
        self._disk.close()
        with self._lock:
            for flight in self._flights:
                flight.future.add_done_callback(_delete)
            self._flights.clear()

    def _start_downloads(self) -> None:
        with self._lock:
            for flight in self._flights:
                if self._active - self._disk.waiting >= self._amplitude.config.num_workers:
                    return
                if not flight.started:
                    flight.started = True
                    self._active += 1
                    name = f"download {flight.window}"
                    threading.Thread(target=self._run, args=(flight,), name=name, daemon=True).start()

    def _run(self, flight: _Flight) -> None:
        try:
            if flight.wait_seconds:
                self._amplitude.clock.sleep(flight.wait_seconds)
            flight.future.set_result(self._download(flight))
        except BaseException as error:  # noqa: BLE001 - raised again in the reader's thread
            flight.future.set_exception(error)
        finally:
            with self._lock:
                self._active -= 1
            self._start_downloads()

    def _download(self, flight: _Flight) -> Download:
        window = flight.window
        spool = SpoolFile(self._disk, flight.urgent)
        empty: list[Download] = []  # archives without a file of the window, latest last

        def attempt() -> Download:
            if self._is_closed:
                raise SpoolClosedError
            spool.empty()
            asked_at = self._amplitude.clocks.conservative_now()
            if self._amplitude.client.export(window, spool) is ExportResponse.NOTHING:
                return Download(window, asked_at, None, 0, spool)
            spool.flush()
            archive = open_archive(spool.file)
            download = Download(window, asked_at, archive, spool.archive_bytes, spool)
            if not any(member.is_of(window) for member in archive.members):
                empty.append(download)
                if len(empty) < self._limits.archive_attempts:
                    raise empty_archive_error(window, len(archive.members))
            return download

        try:
            return retrying(
                attempt,
                policy=self._limits.retry,
                budget=self.retry_budget,
                clock=self._amplitude.clock,
                on_retry=partial(log_retry, about=window),
                waits=self._amplitude.waits,
            )
        except EmptyArchiveError:  # no time for another attempt: return the last archive, which leaves its hours open
            return empty[-1]
        except BaseException:
            spool.close()
            raise


def empty_archive_error(window: HourWindow, members: int) -> EmptyArchiveError:
    """Return the error for an archive without a file of ``window`` and with ``members`` files of other hours."""
    others = f", and {counted(members, 'file')} of other hours" if members else ""
    return EmptyArchiveError(f"The export for {window} is an archive without a file of these hours{others}.")


def _delete(future: Future[Download]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()
