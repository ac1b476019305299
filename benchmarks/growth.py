"""How seconds and memory grow with the number of events: one line for each contender, as far as it comes in time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.bench import Bench, say
from benchmarks.environments import draw_chart
from benchmarks.growth_chart import Line
from benchmarks.marginal_cost import MOST_MEGABYTES
from benchmarks.measuring import TooSlowError
from benchmarks.report import Section, Table, Target, at_most

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.contenders import Contender

# A short read is measured more than once, since what else the machine does weighs more on it.
_SHORT_SECONDS, _SHORT_TIMES = 5.0, 3


@dataclass(frozen=True)
class Point:
    """One size of one contender; seconds are the median of its reads, memory is the most."""

    events: int
    seconds: float
    peak_megabytes: float
    reads: int


def run(bench: Bench) -> Section:
    """Let every contender read larger and larger spans, and draw the chart."""
    points: dict[str, list[Point]] = {contender.name: [] for contender in bench.contenders}
    slow: set[str] = set()
    for events in bench.options.chart_events:
        bench.archives.warm(bench.archives.read_of(events))
        for contender in bench.contenders:
            before = points[contender.name]
            if contender.name in slow or not _fits(before, events, bench.options.limit_seconds):
                continue
            found = _point(bench, contender, events)
            if found is None:
                slow.add(contender.name)
            else:
                before.append(found)
    titles = {contender.name: contender.title for contender in bench.contenders}
    lines = [
        Line(
            titles[name],
            [point.events for point in found],
            [point.seconds for point in found],
            [point.peak_megabytes for point in found],
        )
        for name, found in points.items()
    ]
    draw_chart([asdict(line) for line in lines], bench.options.chart_file)
    say(f"[chart] {bench.options.chart_file}")
    return Section(
        title="Seconds and memory by events, on one core",
        tables=(_table(titles, points),),
        notes=(
            f"drawn in {bench.options.chart_file.name}",
            f"medians of {_SHORT_TIMES} reads where one takes less than {_SHORT_SECONDS:g} s, else one read",
            "peak MB: the most of these reads",
            f"left out is what would take more than {bench.options.limit_seconds:g} s by the read before",
        ),
        targets=tuple(_targets(points)),
        figures={name: [asdict(point) for point in found] for name, found in points.items()},
    )


def _fits(before: Sequence[Point], events: int, limit_seconds: float) -> bool:
    """Return whether a read will end in time, by the last one that was measured."""
    return not before or before[-1].seconds / before[-1].events * events <= limit_seconds


def _point(bench: Bench, contender: Contender, events: int) -> Point | None:
    read = bench.archives.read_of(events)
    try:
        reads = [bench.read(contender, read, limit_seconds=bench.options.limit_seconds)]
        while reads[0].seconds < _SHORT_SECONDS and len(reads) < _SHORT_TIMES:
            reads.append(bench.read(contender, read))
    except TooSlowError as error:
        say(f"[chart] {error}")
        bench.archives.forget_requests()
        return None
    seconds = median(each.seconds for each in reads)
    say(f"[chart] {contender.name}: {read.events:,} events in {seconds:.2f} s")
    return Point(read.events, seconds, max(each.peak_bytes for each in reads) / 1e6, len(reads))


def _table(titles: Mapping[str, str], points: Mapping[str, Sequence[Point]]) -> Table:
    sizes = sorted({point.events for found in points.values() for point in found})
    rows = []
    for name, found in points.items():
        by_size = {point.events: f"{point.seconds:.2f} s, {point.peak_megabytes:.0f} MB" for point in found}
        rows.append((titles[name], *(by_size.get(size, "") for size in sizes)))
    return Table(("", *(f"{size:,}" for size in sizes)), tuple(rows))


def _targets(points: Mapping[str, Sequence[Point]]) -> list[Target]:
    ours = points.get("ours")
    if not ours:
        return []
    return at_most("peak memory at any size", max(point.peak_megabytes for point in ours), MOST_MEGABYTES, " MB")
