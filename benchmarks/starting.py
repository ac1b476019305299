"""The start time of each command, compared with a minimal CDK connector and the import of the CDK."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.bench import Bench, progress
from benchmarks.contenders import by_the_cdks_entrypoint, cdk_import, plain_connector
from benchmarks.measuring import Command, measure
from benchmarks.report import Section, Table, Target, at_most

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUICK_ACTIONS = ("spec", "--version", "--help")
ANSWERS = ("check", "discover")
READ = "read"
MOST_TIMES_PLAIN = 0.2
MOST_TIMES_ENTRYPOINT = 0.3
MOST_SECONDS_OVER_IMPORT = 0.2

_PLAIN, _CDK, _IMPORT = "plain CDK connector", "the CDK", "import"
_OURS, _ENTRYPOINT = "ours", "ours, by the CDK's entrypoint"


@dataclass(frozen=True)
class Start:
    """One command of one program."""

    program: str
    action: str
    command: Command


def run(bench: Bench) -> Section:
    """Measure all commands in interleaved rounds; the first round is a warm-up."""
    starts = list(_starts(bench))
    seconds: dict[str, dict[str, list[float]]] = {start.program: {} for start in starts}
    for number in range(bench.options.start_rounds + 1):
        progress(f"[start] round {number} of {bench.options.start_rounds}")
        for start in starts:
            measured = measure(start.command, bench.cores, bench.cores.measured(1))
            if number:
                seconds[start.program].setdefault(start.action, []).append(measured.seconds)
    bench.archives.forget_requests()
    medians = {program: {action: median(found) for action, found in of.items()} for program, of in seconds.items()}
    return Section(
        title="Seconds to start, on one core",
        tables=(_table(medians),),
        notes=(
            f"medians of {bench.options.start_rounds} interleaved rounds, after a warm-up round",
            "each command is measured as a whole process",
            "read: one hour without files",
            "import: python -c 'import airbyte_cdk.entrypoint' in the environment of our connector",
        ),
        targets=tuple(_targets(medians)),
        figures={"seconds": seconds, "medians": medians},
    )


def _starts(bench: Bench) -> Iterator[Start]:
    yield Start(_CDK, _IMPORT, cdk_import())
    for action in ("spec", "check"):
        yield Start(_PLAIN, action, plain_connector(action, bench.folder / "plain"))
    for contender in bench.contenders:
        if contender.actions is not None:
            for action, command in contender.actions(bench.archives, bench.folder / contender.name).items():
                yield Start(contender.title, action, command)
                if contender.name == _OURS and action in ANSWERS:
                    yield Start(_ENTRYPOINT, action, by_the_cdks_entrypoint(command))


def _table(medians: Mapping[str, Mapping[str, float]]) -> Table:
    actions = (_IMPORT, *QUICK_ACTIONS, *ANSWERS, READ)
    rows = [
        (program, *(f"{of[action]:.3f}" if action in of else "" for action in actions))
        for program, of in medians.items()
    ]
    return Table(("", *actions), tuple(rows))


def _targets(medians: Mapping[str, Mapping[str, float]]) -> Iterator[Target]:
    ours = medians.get(_OURS)
    if ours is None:
        return
    for action in QUICK_ACTIONS:
        times = ours[action] / medians[_PLAIN]["spec"]
        yield from at_most(f"{action}, times the plain connector's spec", times, MOST_TIMES_PLAIN)
    for action in ANSWERS:
        times = ours[action] / medians[_ENTRYPOINT][action]
        yield from at_most(f"{action}, times the CDK's entrypoint", times, MOST_TIMES_ENTRYPOINT)
    more = ours[READ] - medians[_CDK][_IMPORT]
    yield from at_most(f"{READ}, more than the import of the CDK", more, MOST_SECONDS_OVER_IMPORT, " s")
