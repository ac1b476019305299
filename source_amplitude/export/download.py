"""Windows to verified archives, a few downloads ahead of the reader, handed over in order."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from source_amplitude.api import ExportAnswer, RetryBudget, retrying
from source_amplitude.archive import Archive, open_archive
from source_amplitude.export.spool import DiskBudget, SpoolFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from source_amplitude.api.client import ByteSink
    from source_amplitude.clock import Clock
    from source_amplitude.errors import RetryableError
    from source_amplitude.export.settings import ExportSettings
    from source_amplitude.windows import HourWindow


class Exporter(Protocol):
    """What a download needs of the API client."""

    def export(self, window: HourWindow, sink: ByteSink) -> ExportAnswer:
        """Write the body of one answer to ``sink``."""
        ...


@dataclass(frozen=True)
class Download:
    """A finished download.

    Attributes:
        window: The hours that were asked for.
        asked_at: When the request was sent, on Amplitude's clock.
        archive: The verified archive; None when Amplitude had no files for any of the hours.
        archive_bytes: Its size.
        spool: The file behind it; `close` deletes it.
    """

    window: HourWindow
    asked_at: datetime
    archive: Archive | None
    archive_bytes: int
    spool: SpoolFile

    def close(self) -> None:
        """Close the archive and delete its file."""
        if self.archive is not None:
            self.archive.close()
        self.spool.close()


@dataclass
class _Flight:
    window: HourWindow
    urgent: threading.Event = field(default_factory=threading.Event)
    future: Future[Download] = field(default_factory=Future)


class Downloads:
    """Downloads in flight, at most ``num_workers`` at once, oldest window first.

    The threads are daemons: a process that has to end does not wait for a server.
    """

    def __init__(
        self,
        client: Exporter,
        *,
        settings: ExportSettings,
        clock: Clock,
        present: Callable[[], datetime],
        on_retry: Callable[[HourWindow, RetryableError, float], None],
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._present = present
        self._on_retry = on_retry
        self._disk = DiskBudget(settings.disk_bytes)
        self._flights: deque[_Flight] = deque()
        self.retry_budget = RetryBudget(settings.retry_budget_seconds)

    def __len__(self) -> int:
        return len(self._flights)

    def start(self, window: HourWindow, *, first: bool = False, wait_seconds: float = 0) -> None:
        """Begin a download, in front of all others if ``first``."""
        flight = _Flight(window)
        (self._flights.appendleft if first else self._flights.append)(flight)
        threading.Thread(target=self._run, args=(flight, wait_seconds), name=f"download {window}", daemon=True).start()

    def oldest(self) -> HourWindow:
        """Return the window whose download is handed over next."""
        return self._flights[0].window

    def finish_oldest(self, timeout_seconds: float) -> Download | None:
        """Wait for the oldest download and return it; None when it is not done within ``timeout_seconds``.

        Raises:
            AmplitudeError: What the download ended with; it is no longer in flight then.
        """
        flight = self._flights[0]
        self._disk.hurry(flight.urgent)
        try:
            download = flight.future.result(timeout_seconds)
        except FutureTimeoutError:
            return None
        except BaseException:
            self._flights.popleft()
            raise
        self._flights.popleft()
        return download

    def close(self) -> None:
        """Abandon what is in flight and delete what has arrived."""
        self._disk.close()
        for flight in self._flights:
            flight.future.add_done_callback(_delete)
        self._flights.clear()

    def _run(self, flight: _Flight, wait_seconds: float) -> None:
        try:
            if wait_seconds:
                self._clock.sleep(wait_seconds)
            flight.future.set_result(self._download(flight))
        except BaseException as error:  # noqa: BLE001 - it is raised again in the reader's thread
            flight.future.set_exception(error)

    def _download(self, flight: _Flight) -> Download:
        window = flight.window
        spool = SpoolFile(self._disk, flight.urgent)

        def attempt() -> Download:
            spool.empty()
            asked_at = self._present()
            if self._client.export(window, spool) is ExportAnswer.NOTHING:
                return Download(window, asked_at, None, 0, spool)
            spool.flush()
            return Download(window, asked_at, open_archive(spool.file), spool.archive_bytes, spool)

        try:
            return retrying(
                attempt,
                policy=self._settings.retry,
                budget=self.retry_budget,
                clock=self._clock,
                on_retry=lambda error, seconds: self._on_retry(window, error, seconds),
            )
        except BaseException:
            spool.close()
            raise


def _delete(future: Future[Download]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()
