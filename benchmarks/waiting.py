"""The effect of concurrent downloads when Amplitude is slow to prepare archives."""

from __future__ import annotations

from dataclasses import asdict, replace
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.archives import serve
from benchmarks.bench import Bench, progress
from benchmarks.report import Section, Table, Target, at_least
from benchmarks.served_archives import HOURS_A_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.archives import Read
    from benchmarks.measuring import Measured

PREPARE_SECONDS = 2.0
NUM_WORKERS = (1, 2, 4, 5)
LEAST_TIMES_OF_FOUR = 3.5

_EVENTS_PER_DAY = 4_800

# Key: the contender's title and its number of workers.
_Reads = dict[tuple[str, int], list["Measured"]]


def run(bench: Bench) -> Section:
    """Read small archives of one hour each from a separate emulator that delays every archive."""
    count = bench.options.wait_archives
    folder = bench.folder / "waits"
    with serve(folder, bench.cores, events_per_day=_EVENTS_PER_DAY, days=-(-count // HOURS_A_DAY)) as archives:
        read = archives.hourly_read(count)
        archives.warm(read)
        archives.prepare_slowly(read, PREPARE_SECONDS)
        reads = _read_all(replace(bench, archives=archives, folder=folder), read)
    seconds = {key: median(each.seconds for each in found) for key, found in reads.items()}
    return Section(
        title=f"Waiting: {PREPARE_SECONDS:g} s for each archive",
        tables=(_table(reads, seconds),),
        notes=(
            f"medians of {bench.options.wait_rounds} interleaved rounds of whole reads, including the start",
            f"{count} archives of one hour, {read.events / count:,.0f} events each",
            "peak disk: the maximum total size of its open files in TMPDIR",
        ),
        targets=tuple(_targets(seconds)),
        figures=[
            {"contender": title, "num_workers": workers, "reads": [asdict(each) for each in found]}
            for (title, workers), found in reads.items()
        ],
    )


def _read_all(bench: Bench, read: Read) -> _Reads:
    connectors = [contender for contender in bench.contenders if contender.actions is not None]
    reads: _Reads = {(each.title, workers): [] for each in connectors for workers in NUM_WORKERS}
    for number in range(1, bench.options.wait_rounds + 1):
        for contender in connectors:
            for workers in NUM_WORKERS:
                measured = bench.read(contender, replace(read, workers=workers), disk_folder=bench.folder)
                reads[contender.title, workers].append(measured)
                progress(f"[waits] round {number}: {contender.title}, num_workers {workers}: {measured.seconds:.1f} s")
    return reads


def _table(reads: _Reads, seconds: Mapping[tuple[str, int], float]) -> Table:
    rows = [
        (
            f"{title}, num_workers {workers}",
            f"{seconds[title, workers]:.1f}",
            f"{seconds[title, 1] / seconds[title, workers]:.2f}",
            f"{max(each.disk_bytes for each in found) / 1e6:.2f}",
            f"{max(each.peak_bytes for each in found) / 1e6:.0f}",
        )
        for (title, workers), found in reads.items()
    ]
    return Table(("", "seconds", "times one worker", "peak disk MB", "peak MB"), tuple(rows))


def _targets(seconds: Mapping[tuple[str, int], float]) -> Iterator[Target]:
    if ("ours", 1) in seconds:
        times = seconds["ours", 1] / seconds["ours", 4]
        yield from at_least("num_workers 4, times the rate of 1", times, LEAST_TIMES_OF_FOUR)
