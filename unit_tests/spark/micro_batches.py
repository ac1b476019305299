"""A model of Spark's micro-batches, without Spark: the protocol of a source, a checkpoint and an idempotent sink."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from source_amplitude.config import Config, Keys, Region
from source_amplitude.encoding import Encoded, SerialEncoder, split_lines
from source_amplitude.export import Amplitude
from source_amplitude.spark.download_discovery import DownloadDiscovery, counting_discovery
from source_amplitude.spark.offsets import OffsetPlanner, partition_between
from source_amplitude.spark.options import LateFiles
from source_amplitude.spark.partitions import read_partition, split_partition
from source_amplitude.spark.probe_discovery import ProbeDiscovery
from unit_tests.end_to_end.command import SHORT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from amplitude_emulator import Emulator
    from source_amplitude.spark.partitions import Partition
    from unit_tests.fakes.fake_clock import FakeClock

POLL_SECONDS = 60.0


class KilledError(Exception):
    """The test killed the driver."""


@dataclass
class Checkpoint:
    """The state that survives a killed driver.

    Attributes:
        offsets: The offsets of planned batches, as JSON; the first is the initial offset.
        rows: The rows of each committed batch in the sink.
    """

    offsets: list[str] = field(default_factory=list)
    rows: list[list[bytes]] = field(default_factory=list)

    @property
    def lines(self) -> list[bytes]:
        """All lines in the sink."""
        return [line for batch in self.rows for line in batch]


def config_of(emulator: Emulator, start: datetime, **more: object) -> Config:
    keys = Keys(emulator.project.api_key, emulator.project.secret_key)
    return replace(Config(keys, Region.STANDARD, start, num_workers=2, window_hours=2), **more)  # type: ignore[arg-type]


def amplitude_of(emulator: Emulator, config: Config, clock: FakeClock) -> Amplitude:
    return Amplitude.of(config, SHORT, clock, emulator.url)


class Query:
    """One run of a streaming query, from its start or restart to its end."""

    def __init__(
        self,
        amplitude: Amplitude,
        checkpoint: Checkpoint,
        late_files: LateFiles,
        *,
        kill_at: str = "",
        most_bytes: int | None = None,
    ) -> None:
        self._amplitude = amplitude
        self._checkpoint = checkpoint
        self._late_files = late_files
        self._kill_at = kill_at
        self._most_bytes = most_bytes
        self._downloads: DownloadDiscovery[list[bytes]] | None = None
        self._planner = OffsetPlanner(amplitude, self._discovery(), POLL_SECONDS)

    def _discovery(self) -> ProbeDiscovery | DownloadDiscovery[None] | DownloadDiscovery[list[bytes]]:
        if self._late_files is LateFiles.IGNORE:
            return ProbeDiscovery(self._amplitude)
        if self._late_files is LateFiles.DRIVER:
            self._downloads = DownloadDiscovery(self._amplitude, SerialEncoder(raw_lines), self._most_bytes)
            return self._downloads
        return counting_discovery(self._amplitude)

    def run(self, *, most_hours: int | None = 6, most_batches: int = 1000) -> None:
        """Run until there is nothing new or the query is killed."""
        log = self._checkpoint.offsets
        if not log:
            log.append(json.dumps(self._planner.initial()))
        for _ in range(most_batches):
            prefetched: list[bytes] | None = None
            if len(log) == len(self._checkpoint.rows) + 1:
                start = json.loads(log[-1])
                end = json.dumps(self._planner.next(start, most_hours))
                payloads = self._downloads.take() if self._downloads else []
                if end == log[-1]:
                    assert payloads == []
                    return
                log.append(end)
                prefetched = [line for payload in payloads for line in payload] if self._downloads else None
                self._kill_if("planned")
            self._commit(prefetched)

    def _commit(self, prefetched: list[bytes] | None) -> None:
        """Read the newest planned batch, from the driver's memory or by tasks, and write it to the sink."""
        start, end = (json.loads(text) for text in self._checkpoint.offsets[-2:])
        rows = prefetched
        if rows is None:
            partition = partition_between(start, end, self._amplitude.config)
            rows = [line for part in self._parts(partition) for line in self._read(part)]
        self._kill_if("read")
        self._checkpoint.rows.append(rows)

    def _parts(self, partition: Partition) -> list[Partition]:
        config = self._amplitude.config
        return split_partition(partition, window_hours=config.window_hours, most=config.num_workers)

    def _read(self, partition: Partition) -> Iterable[bytes]:
        for payload in read_partition(partition, self._amplitude, SerialEncoder(raw_lines)):
            yield from payload

    def _kill_if(self, at: str) -> None:
        if self._kill_at == at:
            raise KilledError


def raw_lines(body: bytes) -> Encoded[list[bytes]]:
    """Return the lines unchanged; lines that are not an object are malformed."""
    lines = [line for line in split_lines(body) if line]
    good = [line for line in lines if line.startswith(b"{") and line.endswith(b"}")]
    malformed = tuple(position for position, line in enumerate(lines) if line not in good)
    return Encoded(good, len(good), len(lines), malformed)
