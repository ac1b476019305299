"""The context of all parts: options, cores, contenders, archives; and one measured read."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.measuring import DEFAULT_LIMIT_SECONDS, Measured, UselessRunError, measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.archives import Archives, Read
    from benchmarks.contenders import Contender
    from benchmarks.machine import Cores


@dataclass(frozen=True)
class Options:
    """The command line options.

    Attributes:
        parts: The names of the parts to run.
        only: The names of the contenders; all if empty.
        others: More checkouts of our connector.
        rounds: The measured rounds of the main table.
        events_per_day: The events per day; determines the size of hours and archives.
        small: The number of events of the small read.
        large: The number of events of the large read.
        start_rounds: The rounds of the part ``start``.
        wait_rounds: The rounds of the part ``waits``.
        wait_archives: The number of archives per read of the part ``waits``.
        chart_events: The sizes of the part ``chart``.
        limit_seconds: The maximum time of one read of the chart.
        chart_file: The file of the chart.
    """

    parts: tuple[str, ...]
    only: tuple[str, ...]
    others: tuple[Path, ...]
    rounds: int
    events_per_day: int
    small: int
    large: int
    start_rounds: int
    wait_rounds: int
    wait_archives: int
    chart_events: tuple[int, ...]
    limit_seconds: float
    chart_file: Path


@dataclass(frozen=True)
class Bench:
    """The context of a part."""

    options: Options
    cores: Cores
    contenders: Sequence[Contender]
    archives: Archives
    folder: Path

    def named(self, name: str) -> Contender | None:
        """Return a contender, or None if it is not measured."""
        return next((contender for contender in self.contenders if contender.name == name), None)

    def read(
        self,
        contender: Contender,
        read: Read,
        cores: int = 1,
        *,
        limit_seconds: float = DEFAULT_LIMIT_SECONDS,
        disk_folder: Path | None = None,
    ) -> Measured:
        """Measure a read of a contender.

        Args:
            contender: The contender.
            read: The hours to read.
            cores: The number of cores it may use.
            limit_seconds: The maximum time.
            disk_folder: The folder for its temporary files, whose size is sampled; the system's folder if None.

        Raises:
            UselessRunError: The number of records differs from the number of events.
            TooSlowError: It exceeded the limit.
            UnfairReadError: It requested other archives than expected.
        """
        command = contender.read(self.archives, read, self.folder / contender.name)
        if disk_folder is not None:
            command = replace(command, environment={**command.environment, "TMPDIR": str(disk_folder)})
        measured = measure(
            command,
            self.cores,
            self.cores.measured(cores),
            limit_seconds=limit_seconds,
            disk_folder=disk_folder,
        )
        self.archives.require_windows(read, contender.title)
        if measured.records != read.events:
            raise UselessRunError(f"{contender.title} emitted {measured.records:,} of {read.events:,} events")
        return measured


def progress(text: str) -> None:
    """Print progress to stderr; stdout is for the tables."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
