"""Configuration files that are missing, empty, of another form, or have misspelt fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector
    from unit_tests.end_to_end.terminal import ReadyProgram

NEXT = "Correct these values and run the command again. Details: docs/errors.md#invalid-configuration"
MAKE = "source-amplitude config > config.yaml"
ENV_LINES = (
    "--config: config.yaml has lines of the form NAME=value, like a .env file; a configuration has fields such as "
    f"api_key: ...; export these variables, and create a configuration with: {MAKE}."
)


@pytest.mark.parametrize("command", [("check",), ("read",), ("land", "--to", "landed")], ids=lambda each: each[0])
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, f"--config: config.yaml does not exist; create it with: {MAKE}."),
        ("", f"--config: config.yaml is empty; create one with: {MAKE}."),
        ("# api_key: x\n\n", f"--config: config.yaml is empty; create one with: {MAKE}."),
        ("# keys\nAMPLITUDE_API_KEY=hidden\nexport AMPLITUDE_SECRET_KEY='hidden'\n", ENV_LINES),
        (
            "api_key: $AMPLITUDE_API_KEY\nsecret_key: hidden\n",
            "The configuration has 1 problem: api_key: $AMPLITUDE_API_KEY has no braces; write ${AMPLITUDE_API_KEY}.",
        ),
    ],
    ids=["missing", "empty", "comments", "env", "no braces"],
)
def test_a_file_of_another_form_is_named_as_such(
    connector: Connector,
    ready_program: ReadyProgram,
    tmp_path: Path,
    command: tuple[str, ...],
    content: str | None,
    problem: str,
) -> None:
    if content is not None:
        (tmp_path / "config.yaml").write_text(content)

    shown = ready_program.run(
        [*command, "--config", "config.yaml"], connector.environ, stdout=True, stderr=True, folder=tmp_path
    )

    text = " ".join(shown.lines).removeprefix("source-amplitude: ")
    assert (shown.exit_code, text) == (1, f"{problem} {NEXT}")


def test_our_own_commands_refuse_misspelt_fields(
    emulator: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    config = connector.file("config.yaml", connector.config(region="EU", startdate="2026-03-04", colour="red"))

    shown = ready_program.run(["land", "--to", str(tmp_path / "landed"), "--config", config], connector.environ)

    *warnings, problem = shown.stderr.decode().splitlines()
    assert (shown.exit_code, emulator.requests) == (1, [])
    assert problem == (
        "source-amplitude: The configuration has 2 problems: 'region' is not a field (did you mean data_region?); "
        f"'startdate' is not a field (did you mean start_date?). {NEXT}"
    )
    assert [line.split(" WARNING ")[1] for line in warnings] == [
        "'colour' is not a field of the configuration and is ignored."
    ]


def test_airbytes_commands_warn_about_unknown_fields(emulator: Emulator, connector: Connector) -> None:
    run = connector.check(startdate="2026-03-04", colour="red", _airbyte=1)

    assert emulator.requests
    assert (run.exit_code, run.connection["status"]) == (0, "SUCCEEDED")
    assert run.warnings == [
        "'startdate' is not a field of the configuration and is ignored. Did you mean start_date?",
        "'colour' is not a field of the configuration and is ignored.",
    ]


def test_land_warns_about_fields_without_effect(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path
) -> None:
    content = connector.config(chart_ids=["abc"], end_date="2026-03-05T00:00:00Z", recheck_hours=[6])
    config = connector.file("config.yaml", content)
    arguments = ["land", "--to", str(tmp_path / "landed"), "--config", config, "--start", "2026-03-04T00"]

    shown = ready_program.run(arguments, connector.environ, now="2026-03-04T12:00:00+00:00")

    assert half_a_day.requests
    assert shown.exit_code == 0
    assert [line.split(" WARNING ")[1] for line in shown.stderr.decode().splitlines()] == [
        "The configuration sets end_date, chart_ids, which this command does not use."
    ]


def test_a_key_as_a_field_name_is_not_printed(connector: Connector) -> None:
    key = str(connector.config()["api_key"])

    run = connector.check(**{key: 1})

    assert run.warnings == ["a key is not a field of the configuration and is ignored."]
    assert key not in json.dumps(run.messages)
