"""The commands that ``query`` prints for S3 and Azure, run by DuckDB's own command line."""

from __future__ import annotations

import csv
import subprocess
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from integration_tests.environments import NoSuitablePythonError
from unit_tests.landing.duckdb_program import ENVIRONMENT, EXTENSIONS
from unit_tests.landing.program import HOURS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.azure import AzurePeer
    from unit_tests.peers.peer import Peer

pytestmark = pytest.mark.landing

BY_TYPE = "select event_type, count(*) from events group by 1"


@dataclass(frozen=True)
class Shell:
    """A shell with ``duckdb`` on its PATH, whose extensions are installed from files."""

    home: Path

    def run(self, command: str, environ: Mapping[str, str]) -> str:
        """Return the output of a command that must succeed."""
        path = f"{ENVIRONMENT.command('duckdb').parent}:/usr/bin:/bin"
        done = subprocess.run(
            ["sh", "-c", command],
            env={"HOME": str(self.home), "PATH": path, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    try:
        ENVIRONMENT.make()
    except NoSuitablePythonError as reason:
        pytest.skip(str(reason))
    made = Shell(tmp_path)
    for name in EXTENSIONS:
        (file,) = ENVIRONMENT.folder.glob(f"lib/python3.*/site-packages/duckdb_extension_{name}/**/*.duckdb_extension")
        made.run(f"duckdb -c \"INSTALL '{file}'\"", {})
    return made


def counted(program: Program, peer: Peer, shell: Shell) -> dict[str, int]:
    """Print the command for a query by event type, run it, and return the counts."""
    ended = program.run("query", peer, BY_TYPE)
    assert (ended.exit_code, ended.stderr) == (0, "")
    output = shell.run(ended.stdout.replace("duckdb ", "duckdb -csv ", 1), peer.environ)
    _, *rows = csv.reader(StringIO(output[output.index("event_type") :]))
    return {name: int(count) for name, count in rows}


def expected(emulator: Emulator) -> dict[str, int]:
    return dict(Counter(str(event["event_type"]) for event in emulator.store.events()))


@pytest.mark.parametrize("format_", ["raw", "jsonl", "parquet"])
def test_printed_command_reads_a_bucket(
    half_a_day: Emulator, program: Program, s3: Peer, shell: Shell, format_: str
) -> None:
    program.land(s3, *HOURS, "--format", format_)

    assert counted(program, s3, shell) == expected(half_a_day)


def test_printed_command_reads_a_container_by_key(
    half_a_day: Emulator, program: Program, azure: AzurePeer, shell: Shell
) -> None:
    program.land(azure)

    assert counted(program, azure, shell) == expected(half_a_day)


def test_printed_command_reads_by_connection_string(
    half_a_day: Emulator, program: Program, azure: AzurePeer, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.land(azure)
    for name in azure.environ:
        monkeypatch.delenv(name)
    given = type(azure)(azure.url, {"AZURE_STORAGE_CONNECTION_STRING": azure.connection_string})
    monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")

    assert counted(program, given, shell) == expected(half_a_day)
