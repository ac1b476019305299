"""Profile a read of our connector: py-spy's samples by stage, function and line."""

from __future__ import annotations

import linecache
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from benchmarks.bench import Bench, progress
from benchmarks.environments import make_profiler
from benchmarks.measuring import measure
from benchmarks.report import Section, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from benchmarks.contenders import Contender

SAMPLES_PER_SECOND = 500
_MOST_ROWS = 15

_OURS = "/source_amplitude/"
# Import and start are measured elsewhere; only stacks with one of our streams or downloads count.
_READING = re.compile(r"/source_amplitude/(airbyte/streams|export|encoding|records|archive|api)/")
_IMPORTING = "<frozen importlib"
_FRAME = re.compile(r"(?P<function>.*) \((?P<file>.*):(?P<line>\d+)\)")

# The first match of a source line or its file counts, from the innermost frame outwards.
_STAGES_OF_FILES = (
    ("unpack", re.compile(r"/(isal/|gzip\.py|_compression\.py|zipfile)")),
    ("download", re.compile(r"/(requests|urllib3)/|/http/client\.py|/socket\.py|/ssl\.py|/source_amplitude/api/")),
)
_STAGES_OF_LINES = (
    ("loads", re.compile(r"\bloads\(|_loads\(")),
    ("dumps", re.compile(r"\bdumps\(|_dumps\(|dump_record\(")),
    ("datetimes", re.compile(r"DATETIME|[Dd]atetime|from_?iso|\"T\"|\+00:00|\bnote\(|\bget\(")),
    ("nulls", re.compile(r"is not None")),
    ("write", re.compile(r"\.write\(|\bwrite\(")),
    ("split", re.compile(r"\.split\(|split_lines|BytesIO\(|\.join\(|rfind\(|\.index\(")),
    ("unpack", re.compile(r"\bcrc32|readinto|\.read\(|decompress|read1")),
)
_OTHER = "everything else"


@dataclass(frozen=True)
class Frame:
    """One frame of a stack."""

    function: str
    file: str
    line: int

    @property
    def place(self) -> str:
        """The function and its shortened file."""
        return f"{self.function} ({self.short_file})"

    @property
    def short_file(self) -> str:
        """The file below ``site-packages``, or its last two parts."""
        _, found, below = self.file.partition("/site-packages/")
        return below if found else "/".join(self.file.rsplit("/", 2)[-2:])

    @property
    def source(self) -> str:
        """The line's text."""
        return linecache.getline(self.file, self.line).strip()


@dataclass(frozen=True)
class Profile:
    """Samples of the read, by stage, function and line."""

    samples: int
    stages: Counter[str]
    functions: Counter[str]
    inclusive: Counter[str]
    lines: Counter[str]


def run(bench: Bench) -> Section:
    """Run the large read of each checkout under py-spy."""
    connectors = [contender for contender in bench.contenders if contender.actions is not None]
    read = bench.archives.read_of(bench.options.large)
    bench.archives.warm(read)
    profiles = {contender.title: _record(bench, contender) for contender in connectors}
    tables = [_stages_table(profiles)]
    for profile in profiles.values():
        tables += [_functions_table(profile), _lines_table(profile)]
    return Section(
        title="Where the time of a read goes",
        tables=tuple(tables),
        notes=(
            f"py-spy, {SAMPLES_PER_SECOND} samples a second of one read of {read.events:,} events on one core",
            "shares of the samples during the read, without the start",
            "a stage is derived from the text of the executed line; C code counts for the line that calls it",
        ),
        figures={title: dict(profile.stages) for title, profile in profiles.items()},
    )


def _record(bench: Bench, contender: Contender) -> Profile:
    program = str(make_profiler().command("py-spy"))
    raw = bench.folder / f"{contender.name}.raw"
    read = bench.archives.read_of(bench.options.large)
    command = contender.read(bench.archives, read, bench.folder / contender.name)
    options = ("--rate", str(SAMPLES_PER_SECOND), "--format", "raw", "--full-filenames", "--subprocesses")
    profiled = replace(command, arguments=(program, "record", *options, "--output", str(raw), "--", *command.arguments))
    measured = measure(profiled, bench.cores, bench.cores.measured(1))
    bench.archives.require_windows(read, contender.title)
    progress(f"[profile] {contender.title}: {measured.records:,} records in {measured.seconds:.1f} s")
    return _summed_up(raw)


def _summed_up(raw: Path) -> Profile:
    profile = Profile(0, Counter(), Counter(), Counter(), Counter())
    samples = 0
    for text in raw.read_text(encoding="utf-8").splitlines():
        stack, _, count = text.rpartition(" ")
        if _IMPORTING in stack or not _READING.search(stack):
            continue
        frames = [frame for frame in map(_frame, stack.split(";")) if frame]
        samples += int(count)
        profile.stages[_stage(frames)] += int(count)
        profile.functions[frames[-1].place] += int(count)
        for place in {frame.place for frame in frames}:
            profile.inclusive[place] += int(count)
        last = next((frame for frame in reversed(frames) if _OURS in frame.file), frames[-1])
        profile.lines[f"{last.short_file}:{last.line} {last.source}"] += int(count)
    return replace(profile, samples=samples)


@cache
def _frame(text: str) -> Frame | None:
    found = _FRAME.fullmatch(text)
    return Frame(found["function"], found["file"], int(found["line"])) if found else None


def _stage(frames: list[Frame]) -> str:
    """Return the stage of a stack, by its innermost frame with a known stage."""
    for frame in reversed(frames):
        for stage, files in _STAGES_OF_FILES:
            if files.search(frame.file):
                return stage
        if _OURS in frame.file:
            return next((stage for stage, lines in _STAGES_OF_LINES if lines.search(frame.source)), _OTHER)
    return _OTHER


def _stages_table(profiles: Mapping[str, Profile]) -> Table:
    stages = Counter[str]()
    for profile in profiles.values():
        stages += profile.stages
    rows = [
        (stage, *(_share(profile.stages[stage], profile) for profile in profiles.values()))
        for stage, _ in stages.most_common()
    ]
    return Table(("stage", *profiles), tuple(rows))


def _functions_table(profile: Profile) -> Table:
    rows = [
        (place, _share(count, profile), _share(profile.inclusive[place], profile))
        for place, count in profile.functions.most_common(_MOST_ROWS)
    ]
    return Table(("function", "itself", "with what it calls"), tuple(rows))


def _lines_table(profile: Profile) -> Table:
    rows: Iterable[tuple[str, str]] = (
        (line.replace("|", "\\|"), _share(count, profile)) for line, count in profile.lines.most_common(_MOST_ROWS)
    )
    return Table(("line of ours", "share"), tuple(rows))


def _share(count: int, profile: Profile) -> str:
    return f"{100 * count / max(1, profile.samples):.1f} %"
