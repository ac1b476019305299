"""``python -m benchmarks``: prepare environments, measure, print tables to stdout, write figures to `.bench`."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import encoding_cost, growth, landing, marginal_cost, profiling, several_cores, spark, starting, waiting
from benchmarks.archives import serve
from benchmarks.bench import Bench, Options, progress
from benchmarks.contenders import MAKERS, make_contenders
from benchmarks.environments import FOLDER, PROJECT, alone
from benchmarks.machine import describe_machine, find_cores, running_on
from benchmarks.measuring import UselessRunError
from benchmarks.report import Section, Table
from benchmarks.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from benchmarks.contenders import Contender

PARTS: dict[str, Callable[[Bench], Section]] = {
    "table": marginal_cost.run,
    "encoding": encoding_cost.run,
    "start": starting.run,
    "cores": several_cores.run,
    "waits": waiting.run,
    "land": landing.run,
    "spark": spark.run,
    "chart": growth.run,
    "profile": profiling.run,
}
DEFAULT_PARTS = ("table", "encoding", "start", "cores", "waits", "land", "chart")
EXIT_TERMINATED = 143
RESULTS = FOLDER / "results.json"

_CHART_EVENTS = (10_000, 30_000, 100_000, 300_000, 1_000_000, 5_000_000)


def main() -> int:
    """Run the requested parts and return the exit code."""
    options = _parse()
    # SIGTERM ends the measured program too, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
    with alone():
        return _run(options)


def _run(options: Options) -> int:
    cores = find_cores()
    machine = describe_machine(cores) | {"command": shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])}
    contenders, notes = make_contenders(options.only, options.others)
    _show(_heading(machine, contenders, notes))
    events_per_day = options.events_per_day
    most_events = max(options.small, options.large, *(options.chart_events if "chart" in options.parts else ()))
    progress(f"[archives] generating {events_per_day:,} events")
    results = {"machine": machine, "contenders": {contender.title: contender.versions for contender in contenders}}
    failed: list[str] = []
    with (
        TemporaryDirectory(prefix="benchmarks-") as folder,
        running_on(cores, cores.serving),
        serve(Path(folder), cores, events_per_day=events_per_day, days=-(-most_events // events_per_day)) as archives,
    ):
        bench = Bench(options, cores, contenders, archives, Path(folder))
        validate(bench)
        for name in options.parts:
            try:
                section = PARTS[name](bench)
            except UselessRunError as error:
                failed.append(name)
                _show(f"## The part {name} failed\n\n{error}\n")
                continue
            _show(section.markdown())
            results |= {name: section.figures}
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _parse() -> Options:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add(
        "--parts",
        type=_names_of(PARTS),
        default=DEFAULT_PARTS,
        help=f"parts to run, of {', '.join(PARTS)}; default: all except profile and spark",
    )
    add(
        "--only",
        type=_names_of(MAKERS),
        default=(),
        help=f"contenders to measure, of {', '.join(MAKERS)}; default: all",
    )
    add("--others", type=Path, nargs="*", default=(), help="more checkouts of our connector to compare")
    add("--rounds", type=int, default=5, help="rounds of the main table")
    add("--events-per-day", type=int, default=200_000, help="events per day; determines the size of hours and archives")
    add("--small", type=int, default=50_000, help="events of the small read")
    add("--large", type=int, default=250_000, help="events of the large read")
    add("--start-rounds", type=int, default=9)
    add("--wait-rounds", type=int, default=3)
    add(
        "--wait-archives",
        type=int,
        default=24,
        help="number of archives for the part waits; each takes two seconds to prepare",
    )
    add("--chart-events", type=_numbers, default=_CHART_EVENTS, help="sizes of the part chart, such as 10000,30000")
    add(
        "--limit-seconds",
        type=float,
        default=300,
        help="maximum seconds of a read in the chart; longer reads are omitted",
    )
    add("--chart-file", type=Path, default=PROJECT / "docs" / "cost-by-events.svg")
    return Options(**vars(parser.parse_args()))


def _names_of(known: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    names = tuple(known)

    def parse(text: str) -> tuple[str, ...]:
        asked = tuple(text.split(","))
        unknown = set(asked) - set(names)
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))} is not one of {', '.join(names)}")
        return asked

    return parse


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(number) for number in text.split(",")))


def _heading(machine: Mapping[str, str], contenders: Sequence[Contender], notes: Sequence[str]) -> str:
    about = [f"- {name}: {value}" for name, value in machine.items()]
    versions = Table(("contender", "versions"), tuple((each.title, each.versions) for each in contenders))
    lines = "\n".join([*about, *(f"- {note}" for note in notes)])
    return f"# Benchmark\n\n{lines}\n\n{versions.markdown()}\n"


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
