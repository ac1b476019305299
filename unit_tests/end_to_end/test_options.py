"""Help and wrong options, in terminals of several widths and in a pipe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from source_amplitude.terminal.help import COMMANDS

if TYPE_CHECKING:
    from unit_tests.end_to_end.connector import Connector
    from unit_tests.end_to_end.terminal import ReadyProgram

STORES = "s3://bucket/prefix, az://container/prefix, gs://bucket/prefix, or a folder"
TIMES = "a UTC time (2026-01-01, 2026-01-01T05, yesterday, today; 36h or 3d: that long ago)"


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("command", [(), *((each,) for each in COMMANDS if each != "spec")])
def test_help_fits_into_the_terminal(
    connector: Connector, ready_program: ReadyProgram, command: tuple[str, ...], columns: int
) -> None:
    environ = {name: value for name, value in connector.environ.items() if name != "COLUMNS"}

    shown = ready_program.run([*command, "--help"], environ, stdout=True, stderr=True, columns=columns)

    lines = shown.stdout.decode().splitlines()
    assert (shown.exit_code, shown.stderr) == (0, b"")
    assert [line for line in lines if len(line) > columns] == []
    assert max(map(len, lines)) > columns - 12


def test_help_has_the_same_words_at_each_width(connector: Connector, ready_program: ReadyProgram) -> None:
    shown = [
        ready_program.run(["--help"], connector.environ | {"COLUMNS": str(columns)}).stdout.decode()
        for columns in (70, 80, 120, 200)
    ]

    assert {words(each) for each in shown} == {words(shown[0])}
    assert [f"  {name} " in shown[0] for name in COMMANDS] == [True] * len(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ("land", [f"--to is missing: {STORES}"]),
        ("land --to", [f"--to needs a value: {STORES}"]),
        ("land --to x --region mars", ["--region: 'mars' is not one of us, eu"]),
        ("land --to x --format csv", ["--format: 'csv' is not one of raw, jsonl, parquet, json"]),
        ("land --to x y", ["'y' is not expected here"]),
        ("land --to x --json=3", ["--json takes no value"]),
        (
            "land --too x --jsn",
            [
                "--too is not an option; did you mean --to?",
                "--jsn is not an option; did you mean --json?",
                f"--to is missing: {STORES}",
            ],
        ),
        ("missing --from x --xyzzy", ["--xyzzy is not an option"]),
        ("read --streams evnts", ["--streams: 'evnts' is not a stream; did you mean events?"]),
        ("read --streams ,", ["--streams: no stream is given; expected are names separated by commas, such as "]),
        ("read --catalog a --streams cohorts", ["--streams: use either this or --catalog, not both"]),
        ("read --state-file a --state b", ["--state: use either this or --state-file, not both"]),
        ("read --catalog a", ["--config is missing: the configuration: YAML or JSON"]),
        ("discover --config a --streams events", ["--streams: needs --configured, since only a configured catalog "]),
        ("check --config=", ["--config: the file name is empty; check that the shell variable is set"]),
    ],
)
def test_wrong_options_have_one_line_each(
    connector: Connector, ready_program: ReadyProgram, arguments: str, lines: list[str]
) -> None:
    shown = ready_program.run(arguments.split(), connector.environ)

    *problems, last = shown.stderr.decode().splitlines()
    expected = [f"source-amplitude: {each}" for each in lines]
    assert (shown.exit_code, shown.stdout) == (2, b"")
    assert [text[: len(start)] for text, start in zip(problems, expected, strict=True)] == expected
    assert last == f"Run source-amplitude {arguments.split(maxsplit=1)[0]} --help for all options."


def test_wrong_times_are_reported_together(connector: Connector, ready_program: ReadyProgram) -> None:
    keys = {"AMPLITUDE_API_KEY": "a-key", "AMPLITUDE_SECRET_KEY": "a-secret"}

    shown = ready_program.run(["land", "--to", "x", "--start", "soon", "--end", "3w"], connector.environ | keys)

    assert (shown.exit_code, shown.stdout) == (2, b"")
    assert shown.stderr.decode().splitlines() == [
        f"source-amplitude: --start: 'soon' is not {TIMES}",
        f"source-amplitude: --end: '3w' is not {TIMES}",
    ]
