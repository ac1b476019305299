"""``--debug`` prints detailed log lines: on stderr, or for Airbyte's commands as messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.conftest import NOON

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector
    from unit_tests.end_to_end.terminal import ReadyProgram

LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR"}


def levels_in(stderr: bytes) -> set[str]:
    """Return the levels of log lines such as ``2026-03-04T12:00:00Z DEBUG text``."""
    words = [line.split() for line in stderr.decode().splitlines()]
    return {each[1] for each in words if len(each) > 1 and each[1] in LEVELS}


@pytest.mark.parametrize("at_a_terminal", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize(("command", "exit_code"), [("land", 0), ("missing", 1), ("report", 0)])
def test_debug_works_with_the_commands_for_stores(
    half_a_day: Emulator,
    connector: Connector,
    ready_program: ReadyProgram,
    command: str,
    exit_code: int,
    *,
    at_a_terminal: bool,
) -> None:
    assert half_a_day.store.lines()
    folder = connector.environ["TMPDIR"]
    config = connector.file("config.json", connector.config())
    arguments = [command, "--config", config, "--to", f"{folder}/landed", "--start", "2026-03-04T08"]

    usual, detailed = (
        ready_program.run(each, connector.environ, stderr=at_a_terminal, now=NOON.isoformat())
        for each in (arguments, [*arguments, "--debug"])
    )

    assert (usual.exit_code, detailed.exit_code) == (exit_code, exit_code)
    assert "DEBUG" not in levels_in(usual.stderr)
    assert "DEBUG" in levels_in(detailed.stderr)


@pytest.mark.parametrize("command", ["check", "discover"])
def test_debug_works_with_airbytes_commands(connector: Connector, ready_program: ReadyProgram, command: str) -> None:
    arguments = [command, "--config", connector.file("config.json", connector.config()), "--debug"]

    run = ready_program.run(arguments, connector.environ)

    assert "DEBUG" in {message["log"]["level"] for message in run.of_type("LOG")}
    assert run.exit_code == 0
