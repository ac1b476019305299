"""The rates of our connector and the bare script on several cores.

The emulator and the reader need some of the same cores. Therefore the gain of two cores is also computed from processor
time: that of all processes, divided by the larger of the main process's share and half of the sum. The maximum rate of
the machine is measured too: the bare script's inner loop, alone and on all cores in parallel.
"""

from __future__ import annotations

import gzip
from dataclasses import asdict, dataclass, replace
from statistics import median
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from benchmarks.bench import Bench, progress
from benchmarks.contenders import inner_loop
from benchmarks.machine import running_on
from benchmarks.measuring import start
from benchmarks.report import Section, Table, Target, at_least, at_most

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.contenders import Contender

MOST_PROCESSES = 4
LEAST_TIMES_ON_TWO = 1.65
MOST_MEGABYTES = 140

_LOOP_EVENTS, _LOOP_TIMES = 4_000, 40
_LOOP_LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Setting:
    """One contender on a number of cores; ``processes`` is its ``num_processes``, None for the default."""

    contender: Contender
    cores: int
    processes: int | None = None

    @property
    def title(self) -> str:
        """The name of the setting in a table."""
        said = "" if self.processes is None else f", num_processes {self.processes}"
        return f"{self.contender.title}{said}"


@dataclass(frozen=True)
class Rate:
    """The rate and processor time of one setting in one round, without the start.

    Attributes:
        events_per_second: The rate.
        cpu_microseconds: The processor time of one more event, of all processes.
        own_microseconds: The part of the main process.
        peak_megabytes: The maximum memory of all processes.
        processes: The actual number of processes.
    """

    events_per_second: float
    cpu_microseconds: float
    own_microseconds: float
    peak_megabytes: float
    processes: int

    @property
    def slowest_core_microseconds(self) -> float:
        """The processor time of an event on the busier of two cores."""
        return max(self.own_microseconds, self.cpu_microseconds / 2)


def run(bench: Bench) -> Section:
    """Measure all settings in interleaved rounds; the first round is a warm-up."""
    for events in (bench.options.small, bench.options.large):
        bench.archives.warm(bench.archives.read_of(events))
    settings = list(_settings(bench))
    rates: list[list[Rate]] = [[] for _ in settings]
    for number in range(bench.options.rounds + 1):
        for setting, found in zip(settings, rates, strict=True):
            rate = _rate(bench, setting, is_warm_up=number == 0)
            if number:
                found.append(rate)
                progress(f"[cores] {setting.title} on {setting.cores}: {rate.events_per_second:,.0f} events/s")
    medians = [median(rate.events_per_second for rate in found) for found in rates]
    loops = _inner_loops(bench)
    figures = [
        {"contender": each.contender.name, "cores": each.cores, "num_processes": each.processes, "rates": found}
        for each, found in zip(settings, ([asdict(rate) for rate in found] for found in rates), strict=True)
    ]
    return Section(
        title="Rates on several cores",
        tables=(_table(settings, rates, medians), _loop_table(loops)),
        notes=(
            f"medians of {bench.options.rounds} interleaved rounds, after a warm-up round, from reads of two sizes",
            "the emulator and the reader use the first core, also when a program is measured on all cores",
            "inner loop: the bare script's work on a member in memory, in independent processes with one core each",
            "processes: the maximum number of concurrent processes, including helpers; peak MB: of all of them (Pss)",
            "computed gain of two cores: CPU µs, divided by the larger of the main process's part and half of it",
        ),
        targets=tuple(_targets(settings, rates)),
        figures={"settings": figures, "inner_loop_events_per_second": loops},
    )


def _settings(bench: Bench) -> Iterator[Setting]:
    most = len(bench.cores.usable)
    for contender in bench.contenders:
        has_processes = contender.actions is not None
        if not has_processes and contender.name != "bare":
            continue
        for cores in sorted({1, min(2, most), most}):
            yield Setting(contender, cores)
        if has_processes:
            for processes in range(1, min(MOST_PROCESSES, most + 1) + 1):
                yield Setting(contender, min(most, max(2, processes)), processes)


def _rate(bench: Bench, setting: Setting, *, is_warm_up: bool) -> Rate:
    small, large = (
        bench.read(
            setting.contender,
            replace(bench.archives.read_of(events), processes=setting.processes),
            setting.cores,
        )
        for events in (bench.options.small, bench.options.small if is_warm_up else bench.options.large)
    )
    seconds, events = large.seconds - small.seconds, large.records - small.records
    if is_warm_up:
        return Rate(0.0, 0.0, 0.0, large.peak_bytes / 1e6, large.processes)
    return Rate(
        events / seconds,
        (large.cpu_seconds - small.cpu_seconds) / events * 1e6,
        (large.own_cpu_seconds - small.own_cpu_seconds) / events * 1e6,
        large.peak_bytes / 1e6,
        large.processes,
    )


def _inner_loops(bench: Bench) -> dict[int, float]:
    """Return the total events per second of one copy, and of one copy on each core."""
    read = bench.archives.read_of(min(_LOOP_EVENTS, bench.archives.events_per_day))
    member = bench.folder / "member.json.gz"
    member.write_bytes(gzip.compress(b"".join(line + b"\n" for line in bench.archives.lines(read)), 6))
    found: dict[int, list[float]] = {copies: [] for copies in sorted({1, len(bench.cores.usable)})}
    for _ in range(bench.options.rounds):
        for copies, rates in found.items():
            rates.append(copies * read.events * _LOOP_TIMES / _slowest(bench, member, copies))
    return {copies: median(rates) for copies, rates in found.items()}


def _slowest(bench: Bench, member: Path, copies: int) -> float:
    """Run copies of the inner loop in parallel, each on its own core, and return the seconds of the slowest."""
    with TemporaryFile() as stderr:
        processes = []
        for core in bench.cores.usable[-copies:]:
            with running_on(bench.cores, frozenset({core})):
                processes.append(start(inner_loop(member, _LOOP_TIMES), stderr))
        outputs = [process.communicate(timeout=_LOOP_LIMIT_SECONDS)[0] for process in processes]
    return max(map(float, outputs))


def _table(settings: Sequence[Setting], rates: Sequence[Sequence[Rate]], medians: Sequence[float]) -> Table:
    alone = _alone(settings, medians)
    rows = [
        (
            setting.title,
            f"{setting.cores}",
            f"{rate:,.0f}",
            f"{rate / alone[setting.contender.name]:.2f}",
            f"{median(each.cpu_microseconds for each in found):.2f}",
            f"{median(each.own_microseconds for each in found):.2f}",
            f"{_computed_gain(found):.2f}",
            f"{max(each.processes for each in found)}",
            f"{max(each.peak_megabytes for each in found):.0f}",
        )
        for setting, found, rate in zip(settings, rates, medians, strict=True)
    ]
    return Table(
        ("", "cores", "events/s", "times one core", "CPU µs", "main process", "computed gain", "processes", "peak MB"),
        tuple(rows),
    )


def _computed_gain(rates: Sequence[Rate]) -> float:
    """Return how many times faster two cores are than one, from processor time."""
    return median(each.cpu_microseconds / each.slowest_core_microseconds for each in rates)


def _loop_table(loops: Mapping[int, float]) -> Table:
    rows = [(f"{copies} at once", f"{rate:,.0f}", f"{rate / loops[1]:.2f}") for copies, rate in loops.items()]
    return Table(("inner loop", "events/s", "times one"), tuple(rows))


def _alone(settings: Sequence[Setting], medians: Sequence[float]) -> dict[str, float]:
    """Return each contender's rate on one core."""
    pairs = zip(settings, medians, strict=True)
    return {setting.contender.name: rate for setting, rate in pairs if setting.cores == 1 and setting.processes is None}


def _targets(settings: Sequence[Setting], rates: Sequence[Sequence[Rate]]) -> Iterator[Target]:
    for setting, found in zip(settings, rates, strict=True):
        if setting.contender.name == "ours" and setting.cores == 2 and setting.processes is None:  # noqa: PLR2004
            yield from at_least("2 cores, computed gain", _computed_gain(found), LEAST_TIMES_ON_TWO)
            yield from at_most(
                "2 cores, memory of all processes", max(each.peak_megabytes for each in found), MOST_MEGABYTES, " MB"
            )
