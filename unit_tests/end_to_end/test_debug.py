"""``--debug`` prints detailed log lines on stderr with the commands that need no Airbyte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.conftest import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector
    from unit_tests.end_to_end.terminal import ReadyProgram


def debug_lines(stderr: bytes) -> list[str]:
    """Return the log lines such as ``2026-03-04T12:00:00Z DEBUG text``."""
    return [line for line in stderr.decode().splitlines() if " DEBUG " in line]


@pytest.mark.parametrize("command", ["land", "missing", "report"])
def test_debug_prints_detailed_log_lines(
    half_a_day: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path, command: str
) -> None:
    config = connector.file("config.json", connector.config())
    options = ["--config", config, "--to", str(tmp_path / "landed"), "--start", "2026-03-04T08"]
    runs = [
        ready_program.run(arguments, connector.environ, now=NOON.isoformat())
        for arguments in (["land", *options], [command, *options], [command, *options, "--debug"])
    ]

    assert [run.exit_code for run in runs] == [0, 0, 0]
    assert [len(debug_lines(run.stderr)) > 0 for run in runs] == [False, False, True]
    assert half_a_day.requests
