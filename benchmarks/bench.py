"""What all parts share: the options, the cores, the contenders, the archives, and one measured read."""

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
    """What may be chosen on the command line.

    Attributes:
        parts: Names of the parts to run.
        only: Names of the contenders; all if empty.
        others: Further checkouts of our connector.
        rounds: How many rounds of the main table count.
        events_per_day: Decides how large hours and archives are.
        small: Events of the small read.
        large: Events of the large read.
        start_rounds: Rounds of the part ``start``.
        wait_rounds: Rounds of the part ``waits``.
        wait_archives: Archives of a read of the part ``waits``.
        chart_events: Sizes of the part ``chart``.
        limit_seconds: What one read of the chart may take.
        chart_file: Where the chart is written.
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
    """What a part works with."""

    options: Options
    cores: Cores
    contenders: Sequence[Contender]
    archives: Archives
    folder: Path

    def named(self, name: str) -> Contender | None:
        """Return one contender, or None where it is not measured."""
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
        """Let a contender read on a number of cores.

        Args:
            contender: Who reads.
            read: What it reads.
            cores: How many cores it may use.
            limit_seconds: How long it may take.
            disk_folder: Where its temporary files go, and are watched; the system's folder if None.

        Raises:
            UselessRunError: It emitted another number of records than there are events.
            TooSlowError: It took longer than the limit.
            UnfairReadError: It asked for other archives than it should.
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


def say(text: str) -> None:
    """Show how far the benchmark is; stdout is for its tables."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
