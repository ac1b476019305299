from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airbyte_cdk.models import AirbyteMessageSerializer

from source_amplitude.distribution import DISTRIBUTION
from source_amplitude.terminal.help import COMMANDS, help_text

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
MAIN = (sys.executable, str(ROOT / "main.py"))
CONSOLE_SCRIPT = (str(Path(sys.executable).with_name("source-amplitude")),)
MODULE = (sys.executable, "-m", "source_amplitude")

FAKE_CONFIG = {"api_key": "no-such-api-key", "secret_key": "no-such-secret", "start_date": "2024-05-05T00:00:00Z"}


def run(*command: str, code: int = 0) -> str:
    """Run a program and return its output; stderr must be empty."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def messages(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.split("\n") if line]


@pytest.fixture
def fake_config(tmp_path: Path) -> str:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(FAKE_CONFIG))
    return str(path)


@pytest.mark.parametrize("program", [MAIN, CONSOLE_SCRIPT, MODULE], ids=["main.py", "console script", "module"])
@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (("--version",), f"source-amplitude {metadata.version(DISTRIBUTION)}\n"),
        (("--help",), None),
        (("-h",), None),
    ],
    ids=["version", "help", "short help"],
)
def test_every_program_prints_the_same_version_and_help(
    program: Sequence[str], arguments: Sequence[str], printed: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    assert run(*program, *arguments) == (help_text() if printed is None else printed)


def test_every_program_prints_the_same_spec() -> None:
    printed = [messages(run(*program, "spec")) for program in (MAIN, CONSOLE_SCRIPT, MODULE)]

    assert printed == [printed[0]] * 3


def test_spec_is_equivalent_to_the_cdks() -> None:
    stock = "from airbyte_cdk.entrypoint import launch; from source_amplitude import SourceAmplitude"

    ours = messages(run(*MAIN, "spec"))
    theirs = messages(run(sys.executable, "-c", f"{stock}; launch(SourceAmplitude(), ['spec'])"))

    # The CDK also prints the protocol's defaults, such as "supportsDBT": false.
    assert [AirbyteMessageSerializer.load(message) for message in ours] == [
        AirbyteMessageSerializer.load(message) for message in theirs if message["type"] == "SPEC"
    ]


@pytest.mark.parametrize("arguments", [["spec"], ["--version"], ["--help"], ["nonsense"]], ids=" ".join)
def test_spec_version_and_help_do_not_import_airbyte_cdk(arguments: list[str]) -> None:
    program = f"""
import contextlib, io, sys
from source_amplitude.run import run
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    run({arguments!r})
print(sorted(name for name in sys.modules if name.startswith(("airbyte_cdk", "requests", "pendulum"))))
"""

    assert run(sys.executable, "-c", program) == "[]\n"


COMES_FIRST = "the command comes first: source-amplitude COMMAND [OPTIONS]"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["raed"], "'raed' is not a command; did you mean read?"),
        (["Missing", "--from", "x"], "'Missing' is not a command; did you mean missing?"),
        (["xyzzy"], f"'xyzzy' is not a command; the commands are {', '.join(COMMANDS)}"),
        (["--config", "spec"], f"'--config' is not a command; {COMES_FIRST}"),
    ],
    ids=["typo", "upper case", "unknown", "option"],
)
def test_a_wrong_command_is_one_line_and_exits_with_2(arguments: list[str], line: str) -> None:
    done = subprocess.run([*MAIN, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"source-amplitude: {line}\n")


def test_no_command_prints_the_help_and_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    done = subprocess.run(MAIN, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (2, "", help_text())


def test_discover_prints_the_golden_catalog_offline(fake_config: str) -> None:
    environment = {**os.environ, "AMPLITUDE_API_URL": "http://127.0.0.1:9"}

    done = subprocess.run(
        [*MAIN, "discover", "--config", fake_config], env=environment, capture_output=True, check=True, timeout=60
    )

    catalogs = [message for message in messages(done.stdout.decode()) if message["type"] == "CATALOG"]
    assert catalogs == [json.loads((ROOT / "unit_tests/golden/catalog.json").read_text())]


def test_the_events_schema_equals_upstreams_except_the_key() -> None:
    catalog = json.loads((ROOT / "unit_tests/golden/catalog.json").read_text())["catalog"]

    (events,) = (stream for stream in catalog["streams"] if stream["name"] == "events")
    schema = events.pop("json_schema")

    assert events == {
        "name": "events",
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "default_cursor_field": ["server_upload_time"],
        "source_defined_primary_key": [["uuid"]],
        "is_resumable": True,
    }
    assert (schema["type"], schema["additionalProperties"]) == ("object", True)
    assert [name for name, field in schema["properties"].items() if "null" not in field["type"]] == ["uuid"]
