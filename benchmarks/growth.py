"""Time and memory by number of events, for each contender up to the time limit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.bench import Bench, progress
from benchmarks.environments import draw_chart
from benchmarks.growth_chart import Line
from benchmarks.marginal_cost import MOST_MEGABYTES
from benchmarks.measuring import TooSlowError
from benchmarks.report import Section, Table, Target, at_most

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.contenders import Contender

# Short reads are repeated, because other load on the machine affects them more.
_SHORT_SECONDS, _SHORT_TIMES = 5.0, 3


@dataclass(frozen=True)
class Point:
    """One size of one contender: median seconds and maximum memory of its reads."""

    events: int
    seconds: float
    peak_megabytes: float
    reads: int


def run(bench: Bench) -> Section:
    """Measure reads of growing size for every contender, and draw the chart."""
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
    progress(f"[chart] {bench.options.chart_file}")
    return Section(
        title="Seconds and memory by events, on one core",
        tables=(_table(titles, points),),
        notes=(
            f"drawn in {bench.options.chart_file.name}",
            f"median of {_SHORT_TIMES} reads below {_SHORT_SECONDS:g} s, else one read",
            "peak MB: the maximum of these reads",
            f"empty cells: more than {bench.options.limit_seconds:g} s, estimated from the previous read",
        ),
        targets=tuple(_targets(points)),
        figures={name: [asdict(point) for point in found] for name, found in points.items()},
    )


def _fits(before: Sequence[Point], events: int, limit_seconds: float) -> bool:
    """Return whether a read is expected to stay below the limit, by the previous measurement."""
    return not before or before[-1].seconds / before[-1].events * events <= limit_seconds


def _point(bench: Bench, contender: Contender, events: int) -> Point | None:
    read = bench.archives.read_of(events)
    try:
        reads = [bench.read(contender, read, limit_seconds=bench.options.limit_seconds)]
        while reads[0].seconds < _SHORT_SECONDS and len(reads) < _SHORT_TIMES:
            reads.append(bench.read(contender, read))
    except TooSlowError as error:
        progress(f"[chart] {error}")
        bench.archives.forget_requests()
        return None
    seconds = median(each.seconds for each in reads)
    progress(f"[chart] {contender.name}: {read.events:,} events in {seconds:.2f} s")
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
