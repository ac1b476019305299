"""docs/migrating-from-airbyte.md: tables equal the code, states are read, the example runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from integration_tests.upstream.differences import NEW_IN_OUR_SCHEMA, Difference
from integration_tests.upstream.row_differences import NEW_IN_OUR_SCHEMAS, RowDifference
from source_amplitude import SourceAmplitude
from source_amplitude.config import parse_config
from source_amplitude.ledger import ledger_from_state
from unit_tests.documents.blocks import PROJECT, blocks, page, rows, section

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = page("migrating-from-airbyte.md")
SPEC = json.loads((PROJECT / "source_amplitude" / "spec.json").read_text(encoding="utf-8"))["connectionSpecification"]
EXAMPLE_SECONDS = 100
OF_0_X = {
    "api_key",
    "secret_key",
    "start_date",
    "data_region",
    "request_time_range",
    "active_users_group_by_country",
}


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def restart_of(state: dict[str, Any]) -> datetime:
    """Return the first hour that a foreign state leaves to read."""
    (window,) = ledger_from_state(state, export_delay_hours=3).ledger.settled.windows
    return window.end


def hour(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H").replace(tzinfo=timezone.utc)


def states_table() -> list[tuple[dict[str, Any], str]]:
    cells = [row for row in rows(section(PAGE, "The state"))[1:] if row[1].startswith("`{") and "..." not in row[1]]
    return [(json.loads(codes(row[1])[0]), codes(row[2])[0]) for row in cells]


def test_configuration_section_has_all_old_and_new_fields() -> None:
    text = section(PAGE, "The configuration")
    new = text.split("New, all optional: ", 1)[1].split(". ", 1)[0]

    assert {codes(row[0])[0] for row in rows(text)[1:]} == OF_0_X
    assert codes(new) == [name for name in SPEC["properties"] if name not in OF_0_X]


def test_defaults_in_the_configuration_table_are_ours() -> None:
    least = {"api_key": "a", "secret_key": "b", "start_date": "2021-01-25T00:00:00Z"}

    config = parse_config(least)
    old = parse_config({**least, "request_time_range": 24, "active_users_group_by_country": False, "unknown": 1})

    assert (config.window_hours, config.active_users_group_by_country) == (4, True)
    assert config.region.value == "Standard Server"
    assert (old.window_hours, old.active_users_group_by_country) == (24, False)


def test_table_of_states_has_every_form() -> None:
    assert len(states_table()) == 7


@pytest.mark.parametrize(("state", "start"), states_table())
def test_state_of_0_x_continues_at_the_documented_hour(state: dict[str, Any], start: str) -> None:
    if start == "start_date":
        read = ledger_from_state(state, export_delay_hours=3)
        assert (read.ledger.settled.windows, bool(read.warnings)) == ((), "event_time" in state)
    else:
        assert restart_of(state) == hour(start)


def test_states_from_airbytes_editor_are_read_from_a_file(tmp_path: Path) -> None:
    shown = [json.loads(block.text) for block in blocks(PAGE, "json")]
    lists = [value for value in shown if isinstance(value, list)]
    bodies = [value["connectionState"] for value in shown if "connectionState" in value]
    lists += [body["streamState"] for body in bodies]

    for value in lists:
        (tmp_path / "state.json").write_text(json.dumps(value), encoding="utf-8")
        read = SourceAmplitude.read_state(str(tmp_path / "state.json"))
        assert [each.stream.stream_descriptor.name for each in read if each.stream] == [
            each["streamDescriptor"]["name"] for each in value
        ]
        assert restart_of(value[0]["streamState"]) == hour("2026-03-04T03")
    assert len(lists) == 3
    assert [body["stateType"] for body in bodies] == ["stream"]


def test_api_body_names_one_connection_twice() -> None:
    (body,) = (value for block in blocks(PAGE, "json") if "connectionState" in (value := json.loads(block.text)))

    assert body["connectionId"] == body["connectionState"]["connectionId"]


def test_documented_differences_equal_the_measured_ones() -> None:
    tables = section(PAGE, "What differs in the records")
    named = [codes(row[0])[0] for row in rows(tables) if codes(row[0]) and codes(row[0])[0].isupper()]

    ours = [kind.name for kinds in (Difference, RowDifference) for kind in kinds if kind.name != "UNKNOWN"]

    assert named == ours


def test_documented_columns_equal_the_measured_ones() -> None:
    tables = section(PAGE, "What differs in the records").split("| stream | columns |")[1]

    documented = {codes(row[0])[0]: codes(row[1]) for row in rows(tables)}

    expected = {"events": NEW_IN_OUR_SCHEMA, **NEW_IN_OUR_SCHEMAS}
    assert documented == {stream: sorted(columns) for stream, columns in expected.items() if columns}


def test_state_for_going_back_is_the_same_hour_and_advances() -> None:
    table = section(PAGE, "Going back").split("| this connector saved | write |")[1]
    pairs = [(codes(row[0])[0], json.loads(codes(row[1])[0])["server_upload_time"]) for row in rows(table)]

    for saved, written in pairs:
        ours = re.search(r"\d{8}T\d{2}", saved)
        assert ours
        assert datetime.strptime(ours[0], "%Y%m%dT%H").strftime("%Y-%m-%d %H:%M:%S.%f") == written  # noqa: DTZ007 - forms are compared
        assert max(written, f"{written[:10]} 23:00:00.000000") != written
        assert max(ours[0], f"{written[:4]}-12-31 23:59:59.999999") == ours[0]
    assert len(pairs) == 2


@pytest.fixture
def airbyte() -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    """A server that returns a state: its address, and its requests as path, token and body."""
    asked: list[tuple[str, str, Any]] = []

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers["Authorization"], body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"stateType": "stream", "streamState": [{"kept": True}]}).encode())

        def log_message(self, *_: object) -> None:
            """Do not log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl or jq is not installed")
def test_calls_of_airbytes_api_send_the_shown_bodies(
    airbyte: tuple[str, list[tuple[str, str, Any]]], tmp_path: Path
) -> None:
    url, asked = airbyte
    calls = [block.text for block in blocks(PAGE, "sh") if "$AIRBYTE_URL" in block.text]
    (body,) = (block.text for block in blocks(PAGE, "json") if "connectionState" in block.text)
    (tmp_path / "new-connection.json").write_text(body, encoding="utf-8")

    environ = {**os.environ, "AIRBYTE_URL": url, "TOKEN": "some-token", "no_proxy": "*"}
    subprocess.run(["bash", "-c", "set -e\n" + "\n".join(calls)], cwd=tmp_path, env=environ, check=True)

    old = {"connectionId": "11111111-1111-1111-1111-111111111111"}
    assert asked == [
        ("/api/v1/state/get", "Bearer some-token", old),
        ("/api/v1/state/create_or_update_safe", "Bearer some-token", json.loads(body)),
    ]
    assert json.loads((tmp_path / "old-state.json").read_text(encoding="utf-8")) == [{"kept": True}]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with the parts of the repository that the example needs."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "source-amplitude"):
        program = shutil.which(name, path=str(Path(sys.executable).parent))
        assert program, name
        script = (
            f'#!/bin/sh\nexec "{program}" "$@"\n'  # not a link, since Python finds packages relative to its own path
        )
        (tmp_path / ".venv" / "bin" / name).write_text(script, encoding="utf-8")
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    (tmp_path / "integration_tests").symlink_to(PROJECT / "integration_tests")
    return tmp_path


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def example_script() -> str:
    """Return the example as a script, which writes its two files after the first block."""
    text = section(PAGE, "A worked example")
    first, *others = (block.text for block in blocks(text, "sh"))
    config, state, _ = (block.text for block in blocks(text, "json"))
    files = f"cat > config.yaml <<'END'\n{config}END\ncat > old-state.json <<'END'\n{state}END\n"
    script = "\n".join(["set -e", first, files, *others])
    assert script.count("8042") == 2
    return script.replace("8042", str(free_port()))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_example_has_the_shown_output_and_state(repository: Path) -> None:
    text = section(PAGE, "A worked example")
    process = subprocess.Popen(
        ["bash", "-c", example_script()],
        cwd=repository,
        env={**os.environ, "TMPDIR": str(repository), "no_proxy": "*"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, complaints = process.communicate(timeout=EXAMPLE_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    saved = json.loads((repository / "migration" / "new-state.json").read_text(encoding="utf-8"))
    (_, _, shown) = (json.loads(block.text) for block in blocks(text, "json"))
    assert (process.returncode, complaints) == (0, "")
    assert printed == "".join(block.text for block in blocks(text, "text"))
    assert saved["state"]["stream"]["stream_state"] == shown
