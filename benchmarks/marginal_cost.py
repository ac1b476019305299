"""The main table: each contender's cost of one more event, on one core.

It is the difference of two reads of different size, so that a program's start has no effect.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.bench import Bench, progress
from benchmarks.measuring import Measured, measure
from benchmarks.report import Section, Table, Target, at_least, at_most

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.archives import Read
    from benchmarks.contenders import Contender

MOST_TIMES_BARE = 0.75
MOST_TIMES_BARE_STRUCTS = 1.15
LEAST_TIMES_DECLARATIVE = 30
LEAST_TIMES_PUBLISHED = 11
MOST_MEGABYTES = 120


@dataclass(frozen=True)
class Round:
    """One round of one contender: the small read, the large read, and a start."""

    small: Measured
    large: Measured
    start_seconds: float

    @property
    def microseconds(self) -> float:
        """The time of one more event."""
        return (self.large.seconds - self.small.seconds) / (self.large.records - self.small.records) * 1e6

    @property
    def cpu_microseconds(self) -> float:
        """The processor time of one more event."""
        return (self.large.cpu_seconds - self.small.cpu_seconds) / (self.large.records - self.small.records) * 1e6


@dataclass(frozen=True)
class Cost:
    """Medians over a contender's rounds.

    Attributes:
        microseconds: The time of one more event.
        cpu_microseconds: The processor time of one more event, of all its processes.
        events_per_second: The rate of the large read, including the start.
        start_seconds: The time of `Contender.start`.
        peak_megabytes: The maximum memory of any read.
    """

    microseconds: float
    cpu_microseconds: float
    events_per_second: float
    start_seconds: float
    peak_megabytes: float


def run(bench: Bench) -> Section:
    """Measure all contenders in interleaved rounds; the first round is a warm-up."""
    archives = bench.archives
    small, large = archives.read_of(bench.options.small), archives.read_of(bench.options.large)
    for read in (small, large):
        archives.warm(read)
    rounds: dict[str, list[Round]] = {contender.name: [] for contender in bench.contenders}
    for number in range(bench.options.rounds + 1):
        for contender in bench.contenders:
            turn = _turn(bench, contender, small, small if number == 0 else large)
            if number:
                rounds[contender.name].append(turn)
                progress(
                    f"[table] round {number} of {bench.options.rounds}: {contender.name} {turn.microseconds:.2f} µs"
                )
    costs = {name: _cost(turns) for name, turns in rounds.items()}
    return Section(
        title="Marginal cost on one core",
        tables=(_table(bench, costs),),
        notes=(*_notes(bench, small, large), _disturbance([turn for turns in rounds.values() for turn in turns])),
        targets=tuple(_targets(costs)),
        figures={
            "rounds": {name: [asdict(turn) for turn in turns] for name, turns in rounds.items()},
            "medians": {name: asdict(cost) for name, cost in costs.items()},
        },
    )


def _turn(bench: Bench, contender: Contender, small: Read, large: Read) -> Round:
    # The shortest first, because the previous command disturbs a short one most.
    folder = bench.folder / contender.name
    command = contender.start(bench.archives, folder)
    start = measure(command, bench.cores, bench.cores.measured(1))
    return Round(bench.read(contender, small), bench.read(contender, large), start.seconds)


def _cost(turns: list[Round]) -> Cost:
    return Cost(
        microseconds=median(turn.microseconds for turn in turns),
        cpu_microseconds=median(turn.cpu_microseconds for turn in turns),
        events_per_second=median(turn.large.records / turn.large.seconds for turn in turns),
        start_seconds=median(turn.start_seconds for turn in turns),
        peak_megabytes=max(max(turn.small.peak_bytes, turn.large.peak_bytes) for turn in turns) / 1e6,
    )


def _table(bench: Bench, costs: Mapping[str, Cost]) -> Table:
    bare = costs.get("bare")
    rows = []
    for contender in bench.contenders:
        cost = costs[contender.name]
        rows.append(
            (
                contender.title,
                f"{cost.microseconds:.2f}",
                f"{cost.microseconds / bare.microseconds:.2f}" if bare else "",
                f"{cost.cpu_microseconds:.2f}",
                f"{cost.events_per_second:,.0f}",
                f"{cost.events_per_second * bench.archives.line_bytes / 1e6:,.0f}",
                f"{cost.start_seconds:.3f}",
                f"{cost.peak_megabytes:.0f}",
            )
        )
    columns = ("", "µs an event", "times bare", "CPU µs", "events/s", "MB/s of JSON", "s to start", "peak MB")
    return Table(columns, tuple(rows))


def _targets(costs: Mapping[str, Cost]) -> list[Target]:
    ours = costs.get("ours")
    if ours is None:
        return []

    def times(name: str) -> float | None:
        return costs[name].microseconds / ours.microseconds if name in costs else None

    over_bare = 1 / bare if (bare := times("bare")) else None
    over_structs = 1 / structs if (structs := times("structs")) else None
    return [
        *at_most("marginal cost, times the bare script's", over_bare, MOST_TIMES_BARE),
        *at_most("marginal cost, times the bare script's with structs", over_structs, MOST_TIMES_BARE_STRUCTS),
        *at_least("times less than the declarative connector's", times("declarative"), LEAST_TIMES_DECLARATIVE),
        *at_least("times less than 0.6.19's", times("0.6.19"), LEAST_TIMES_PUBLISHED),
        *at_most("peak memory", ours.peak_megabytes, MOST_MEGABYTES, " MB"),
    ]


def _disturbance(turns: list[Round]) -> str:
    reads = [read for turn in turns for read in (turn.small, turn.large)]
    seconds = sum(read.seconds for read in reads)
    foreign = sum(read.foreign_seconds for read in reads) / seconds
    stolen = sum(read.stolen_seconds for read in reads) / seconds
    return f"other processes used {foreign:.1%} of the measured core's time, the machine's host {stolen:.1%}"


def _notes(bench: Bench, small: Read, large: Read) -> tuple[str, ...]:
    archives = bench.archives
    packed = archives.served.gzip_bytes / archives.events_per_day
    starts = ", ".join(f"{contender.title}: {contender.start_title}" for contender in bench.contenders)
    rounds = f"medians of {bench.options.rounds} interleaved rounds, after a warm-up round"
    sizes = f"each round reads {small.events:,} and {large.events:,} events; the difference is the marginal cost"
    event = f"an event: {archives.line_bytes:,.0f} bytes of JSON with {archives.served.keys} keys, gzip {packed:,.0f}"
    windows = f"archives of {small.window_hours} hours, {small.events / len(small.windows):,.0f} events each"
    return (
        f"{rounds}; {sizes}",
        f"{event}; {windows}",
        "events/s and MB/s: of the large read, including the start; JSON: the decompressed content of the archives",
        f"s to start: {starts}",
        "peak MB: high-water mark of resident memory; for several processes the largest sum of their Pss",
    )
