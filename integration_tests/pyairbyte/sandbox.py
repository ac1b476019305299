"""The folder of a PyAirbyte user: the connector in `env`, a configuration, a DuckDB file."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from integration_tests.environments import PROJECT
from integration_tests.pyairbyte.environment import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amplitude_emulator import Emulator

READING = Path(__file__).with_name("reading.py")
PROGRAM_SECONDS = 200
START = "2026-03-03T00:00:00Z"

Row = dict[str, Any]


@dataclass(frozen=True)
class ReadResult:
    """The number of records of a read, or the class of PyAirbyte's error."""

    records: int | None
    failure: str | None = None


@dataclass(frozen=True)
class ProgramResult:
    """The exit code and the output of a program."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Sandbox:
    """Runs programs in PyAirbyte's environment, each in its own process, in ``folder``."""

    emulator: Emulator
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        programs = self.folder / "env" / "bin"
        programs.mkdir(parents=True)
        command = programs / "source-amplitude"
        connector = shlex.join([sys.executable, str(PROJECT / "main.py")])
        command.write_text(f'#!/bin/sh\nexec {connector} "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        (self.folder / "config.json").write_text(json.dumps(self.config()), encoding="utf-8")

    @property
    def database(self) -> Path:
        return self.folder / "amplitude.duckdb"

    def config(self, **changes: object) -> dict[str, Any]:
        project = self.emulator.project
        base = {"api_key": project.api_key, "secret_key": project.secret_key, "start_date": START, "num_workers": 2}
        return {**base, **self.options, **changes}

    def read(self, streams: Sequence[str] | str = ("events",), **changes: object) -> ReadResult:
        """Read into the database with PyAirbyte and a changed configuration."""
        job_file, result_file = self.folder / "job.json", self.folder / "result.json"
        job = {"config": self.config(**changes), "streams": streams, "database": str(self.database)}
        job_file.write_text(json.dumps(job), encoding="utf-8")
        result = self.run(str(READING), str(job_file), str(result_file))
        assert result.exit_code == 0, result.stderr
        return ReadResult(**json.loads(result_file.read_text("utf-8")))

    def run(self, *arguments: str) -> ProgramResult:
        """Run a program with the Python of PyAirbyte's environment."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        home = {"HOME": str(self.folder), "TMPDIR": str(self.folder), "NO_LIVE_PROGRESS": "1", "no_proxy": "*"}
        zone = {"TZ": "America/New_York"}  # times must be UTC in any zone
        variables = {"AMPLITUDE_API_URL": self.emulator.url, "AIRBYTE_OFFLINE_MODE": "1"}
        done = subprocess.run(
            [str(ENVIRONMENT.python), *arguments],
            cwd=self.folder,
            env={**kept, **home, **variables, **zone},
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
        return ProgramResult(done.returncode, done.stdout, done.stderr)

    def rows(self, stream: str = "events") -> list[Row]:
        """Return a table's rows by column, without PyAirbyte's own columns; empty if the table is missing."""
        if stream not in self.tables():
            return []
        with duckdb.connect(str(self.database), read_only=True) as connection:
            found = connection.execute(f'SELECT * FROM "{stream}"')  # noqa: S608 - a stream's name
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return [{name: value for name, value in row.items() if not name.startswith("_airbyte_")} for row in rows]

    def tables(self) -> list[str]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return [str(row[0]) for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]

    def types(self, stream: str = "events") -> dict[str, str]:
        """Return a table's columns and their types."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            query = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?"
            return dict(connection.execute(query, [stream]).fetchall())

    def states(self) -> dict[str, Any]:
        """Return the saved state of each stream."""
        if "_airbyte_state" not in self.tables():
            return {}
        with duckdb.connect(str(self.database), read_only=True) as connection:
            saved = connection.execute("SELECT stream_name, state_json FROM _airbyte_state").fetchall()
        return {name: json.loads(text)["stream"]["stream_state"] for name, text in saved}
