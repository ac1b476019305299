"""Read a span of hours as encoded records and update the ledger as they are emitted.

Rules, from design.md: Windows are read in order. An archive is verified before any of its records is emitted. An hour
is done when all lines of its members were emitted *and the consumer has requested the next step*.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from source_amplitude.config import MalformedLines
from source_amplitude.export.archives import Archives, Arrived
from source_amplitude.export.hour import HourBatch, HourReading
from source_amplitude.export.stats import SyncStats, hours_still_flawed
from source_amplitude.windows import HourWindow, hour_window

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator, Iterator, Mapping
    from datetime import datetime

    from source_amplitude.archive import Archive
    from source_amplitude.encoding import Encoded, Encoding
    from source_amplitude.export.amplitude import Amplitude
    from source_amplitude.export.prefetch import Download
    from source_amplitude.ledger import Ledger
    from source_amplitude.members import Fingerprint

T = TypeVar("T")


@dataclass(frozen=True)
class HourDone:
    """Every line of the hour was emitted and the ledger is updated: the state can be saved."""

    window: HourWindow


@dataclass(frozen=True)
class StillWaiting:
    """A heartbeat: no records were emitted for a while, because a download is slow."""


class ExportReader(Generic[T]):
    """Reads the hours of a span that are missing in a ledger.

    Args:
        ledger: Updated during the read; correct at every step.
        stop: After it is set, the next step of `read` raises a StoppedError.
        bounds: By the start of an hour, where to stop reading its members, as in `HourReading`.
    """

    def __init__(
        self,
        amplitude: Amplitude,
        ledger: Ledger,
        encoding: Encoding[T],
        *,
        stop: threading.Event,
        bounds: Mapping[datetime, Mapping[str, Fingerprint]] | None = None,
    ) -> None:
        self._ledger = ledger
        self._bounds = bounds or {}
        self._config = amplitude.config
        self._encoding = encoding
        self.stats = SyncStats()
        self._archives = Archives(amplitude, ledger, stop=stop, stats=self.stats)

    def read(self, span: HourWindow, *, recheck: bool) -> Generator[Encoded[T] | HourDone | StillWaiting, None, None]:
        """Yield the records of ``span``'s missing hours, in the configured order (`Config.backfill_order`).

        The caller must write a step's records before it requests the next step.

        Raises:
            AmplitudeError: An error that does not concern a single window; earlier steps remain valid.
            HoursMissingError: At the end, if windows failed; earlier, if consecutive windows fail with the same kind
                of error.
            MalformedLinesError: At the end, by the policy for malformed lines.
        """
        policy = self._config.malformed_lines
        reread = hours_still_flawed(self._ledger, policy)
        with closing(self._archives.ask(span, recheck=recheck, reread=reread)) as arrivals:
            for arrived in arrivals:
                if arrived is None:
                    yield StillWaiting()
                    continue
                try:
                    if (yield from self._read_hours(arrived)):
                        self._archives.finish(arrived)
                finally:
                    arrived.download.close()
        self.stats.raise_what_is_left(self._ledger, policy)

    def _read_hours(self, arrived: Arrived) -> Generator[Encoded[T] | HourDone, None, bool]:
        """Yield the hours of an archive; return whether all of them were read.

        All hours are encoded in one run: workers encode the next hour while the current one is finished.
        """
        if arrived.download.archive is None:
            return True
        batches = self._batches(arrived, arrived.download.archive)
        begun: HourReading | None = None
        with closing(self._encoding.encode_ordered(batches)) as encode_ordered:
            try:
                for batch, encoded in encode_ordered:
                    if encoded.records:
                        yield encoded
                    batch.reading.note(batch, encoded)
                    begun = batch.reading if batch.lines else None
                    if batch.lines is None and not (yield from self._finish_hour(arrived.download, batch.reading)):
                        return False
                    self._archives.raise_if_stopped()
            except Exception:
                if begun is not None:
                    self._ledger.mark_partial(begun.window.start, begun.seen, asked_at=arrived.download.asked_at)
                raise
        return True

    def _batches(self, arrived: Arrived, archive: Archive) -> Iterator[HourBatch]:
        for hour, members in arrived.hours.items():
            reading = HourReading(
                hour_window(hour),
                known=self._ledger.known,
                stats=self.stats,
                batch_bytes=self._encoding.batch_bytes,
                bounds=self._bounds.get(hour),
            )
            yield from reading.batches(archive, members)

    def _finish_hour(self, download: Download, reading: HourReading) -> Generator[HourDone, None, bool]:
        """Record the result of an hour; return whether to read the rest of the archive."""
        window = reading.window
        if reading.broken is not None:
            self._ledger.mark_partial(window.start, reading.seen, asked_at=download.asked_at)
            return not self._archives.ask_again(window, download.window, reading.broken)
        if reading.has_malformed_lines and self._config.malformed_lines is MalformedLines.FAIL:
            self._ledger.mark_partial(window.start, reading.seen, asked_at=download.asked_at)
            return True
        self._ledger.mark_done(window.start, reading.seen, asked_at=download.asked_at)
        self._ledger.forget_final_hours(self._config.recheck_hours)
        self.stats.hours_done += window.hours
        self.stats.succeed()
        yield HourDone(window)
        return True
