"""Frequent user errors: wrong keys, wrong region, invalid values, an unknown stream."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from unit_tests.end_to_end.connector import COMMAND, Run
from unit_tests.help_links import without_help_link

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector

AWKWARD_KEY = "k%y+/&=é\"'\\$(x) 'two words' .*"
AWKWARD_SECRET = "s€cret/+%41 [a-z]{2}#?"


def test_check_succeeds_without_downloading_events(half_a_day: Emulator, connector: Connector) -> None:
    run = connector.check()

    assert (run.exit_code, run.connection) == (0, {"status": "SUCCEEDED"})
    assert [(seen.path, seen.status) for seen in half_a_day.requests] == [("/us/api/2/export", 404)]


def test_check_rejects_wrong_keys_in_both_regions(emulator: Emulator, connector: Connector) -> None:
    run = connector.check(secret_key="not-the-secret-0123456789")

    assert run.exit_code == 1
    assert run.connection == {
        "status": "FAILED",
        "message": "Amplitude rejected the API keys (Standard Server, HTTP 403: Invalid API/Secret Key combination). "
        "The EU Residency Server rejects them too. "
        "Check that api_key and secret_key are from the same project (Amplitude: Settings > Projects), and that "
        "data_region names the region where the project is stored. Details: docs/errors.md#api-keys-rejected",
    }
    assert [seen.path for seen in emulator.requests] == ["/us/api/2/export", "/eu/api/2/export"]
    assert_no_secret(run, emulator.project.api_key, "not-the-secret-0123456789")


def test_check_names_the_right_region(emulator: Emulator, connector: Connector) -> None:
    run = connector.check(data_region="EU Residency Server")

    assert run.exit_code == 1
    assert run.connection["message"] == (
        "Amplitude rejected the API keys (EU Residency Server, HTTP 403: Invalid API Key). "
        "The Standard Server accepts them. Set data_region to 'Standard Server'. "
        "Details: docs/errors.md#api-keys-rejected"
    )
    assert_no_secret(run, emulator.project.api_key, emulator.project.secret_key)


def test_check_reports_an_outage(emulator: Emulator, connector: Connector) -> None:
    emulator.faults.add("server_error", status=503)

    run = connector.check()

    assert run.exit_code == 1
    assert [error["failure_type"] for error in run.errors] == ["transient_error"]
    assert "Amplitude server error for the API key check (HTTP 503" in run.error_texts[0]
    assert f"AMPLITUDE_API_URL is set to {emulator.url}" in run.error_texts[0]


def test_a_read_with_rejected_keys_fails_at_once(emulator: Emulator, connector: Connector) -> None:
    run = connector.read(secret_key="not-the-secret-0123456789")

    assert run.exit_code == 1
    assert run.statuses == ["STARTED", "INCOMPLETE"]
    assert run.errors[0]["failure_type"] == "config_error"
    assert run.error_texts[0].startswith("Amplitude rejected the API keys (Standard Server, HTTP 403")
    assert "The EU Residency Server rejects them too." in run.error_texts[0]
    assert len(emulator.requests) == 2
    assert_no_secret(run, emulator.project.api_key, "not-the-secret-0123456789")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"data_region": "eu"}, "data_region: 'eu' is not one of 'Standard Server', ", id="region"),
        pytest.param({"start_date": "yesterday"}, "start_date: 'yesterday' is not a UTC time", id="date"),
        pytest.param({"start_date": ""}, "start_date: '' is not a UTC time", id="empty date"),
        pytest.param({"end_date": "2026-03-03T00:00:00Z"}, "end_date: '2026-03-03T00:00:00Z' is not after", id="end"),
        pytest.param(
            {"request_time_range": 0}, "request_time_range: 0 is not a whole number from 1 to 8760", id="hours"
        ),
        pytest.param({"api_key": ""}, "api_key is empty", id="empty key"),
        pytest.param({"secret_key": None}, "secret_key is missing", id="no secret"),
        pytest.param({"num_workers": 6}, "num_workers: 6 is not a whole number from 1 to 5", id="workers"),
        pytest.param({"malformed_lines": "drop"}, "malformed_lines: 'drop' is not one of", id="policy"),
        pytest.param({"accepted_gaps": ["monday"]}, "accepted_gaps: 'monday' is not an hour", id="gap"),
        pytest.param({"recheck_hours": "6"}, "recheck_hours: '6' is not a list", id="ages"),
        pytest.param({"active_users_group_by_country": "yes"}, "'yes' is neither true nor false", id="flag"),
    ],
)
def test_an_invalid_value_is_reported_with_its_field(
    emulator: Emulator, connector: Connector, changes: dict[str, Any], problem: str
) -> None:
    run = connector.check(**changes)

    assert run.exit_code == 1
    assert run.connection["status"] == "FAILED"
    assert problem in run.connection["message"]
    assert emulator.requests == []


def test_every_command_reports_all_invalid_values(emulator: Emulator, connector: Connector) -> None:
    changes: dict[str, Any] = {"data_region": "mars", "start_date": "soon", "request_time_range": "4", "secret_key": ""}

    runs = [connector.check(**changes), connector.discover(**changes), connector.read(**changes)]

    texts = [runs[0].connection["message"], runs[1].error_texts[-1], runs[2].error_texts[-1]]
    assert len(set(texts)) == 1
    assert [run.exit_code for run in runs] == [1, 1, 1]
    assert texts[0].startswith("The configuration has 4 problems: ")
    assert [name in texts[0] for name in changes] == [True] * 4
    assert emulator.requests == []


def test_an_unknown_stream_fails_and_the_others_are_read(half_a_day: Emulator, connector: Connector) -> None:
    run = connector.read(streams=("nonsense", "events"))

    assert run.exit_code == 1
    assert run.error_texts[0].startswith("The catalog contains the unknown stream 'nonsense'. Known streams: events, ")
    assert without_help_link(run.error_texts[0]).endswith("The other streams are not affected.")
    assert run.statuses == ["STARTED", "INCOMPLETE", "STARTED", "RUNNING", "COMPLETE"]
    assert len(run.records) == len(half_a_day.store.lines())


def test_a_future_start_date_reads_nothing(half_a_day: Emulator, connector: Connector) -> None:
    early = connector.read(start_date="2126-05-01T00:00:00Z")
    later = connector.read(early.states[-1])

    assert (early.exit_code, early.records) == (0, [])
    assert any("Nothing to read" in warning for warning in early.warnings)
    assert len(later.records) == len(half_a_day.store.lines())


def test_awkward_keys_never_appear_in_the_output(emulator: Emulator, connector: Connector) -> None:
    keys: dict[str, Any] = {"api_key": AWKWARD_KEY, "secret_key": AWKWARD_SECRET}
    emulator.clock.advance(timedelta(hours=1))

    runs = [connector.check(**keys), connector.read(**keys), connector.discover(**keys)]
    runs += [connector.check(**keys, data_region=AWKWARD_SECRET), connector.read(**keys, start_date=AWKWARD_KEY)]

    for run in runs:
        assert_no_secret(run, AWKWARD_KEY, AWKWARD_SECRET)


def assert_no_secret(run: Run, api_key: str, secret_key: str) -> None:
    """Check that no form of either key is in the output."""
    output = (run.stdout + run.stderr).decode()
    for text in (api_key, secret_key, f"{api_key}:{secret_key}"):
        token = base64.b64encode(text.encode()).decode().rstrip("=")
        forms = [text, quote(text), quote(text, safe=""), quote_plus(text), token, json.dumps(text)[1:-1]]
        assert [form for form in forms if form in output] == []


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("missing.json", None, "cannot be read (No such file or directory)"),
        ("broken.json", '{"a"', "is not valid JSON"),
        ("list.json", '["a-key-0123456789"]', "does not contain a JSON object"),
    ],
)
def test_an_invalid_configuration_file_is_reported(
    connector: Connector, tmp_path: Path, name: str, content: str | None, problem: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")

    run = connector.run("check", "--config", str(path))

    assert (run.exit_code, len(run.errors)) == (1, 1)
    assert f"--config: {path} {problem}" in run.error_texts[0]
    assert run.errors[0]["failure_type"] == "config_error"


@pytest.mark.parametrize("content", [["a-key-0123456789"], {}, {"streams": [{"stream": {}, "sync_mode": "x"}]}])
def test_an_invalid_catalog_is_reported_without_its_content(connector: Connector, content: object) -> None:
    config, catalog = connector.file("config.json", connector.config()), connector.file("list.json", content)

    run = connector.run("read", "--config", config, "--catalog", catalog)

    assert run.exit_code == 1
    assert f"--catalog: {catalog} is not a configured catalog" in run.error_texts[0]
    assert b"a-key-0123456789" not in run.stdout


def test_a_resumed_full_refresh_logs_a_warning_first(half_a_day: Emulator, connector: Connector) -> None:
    whole = connector.read(mode="full_refresh")
    incremental = connector.read(whole.states[0])
    resumed = connector.read(whole.states[0], mode="full_refresh")

    resumes = (
        "The full refresh of events continues from a saved state and does not emit earlier records again. "
        "Clear the stream's state to read everything."
    )
    logs = [each["log"] for each in resumed.of_type("LOG") if "MemoryMonitor" not in each["log"]["message"]]
    assert logs[0] == {"level": "WARN", "message": resumes}
    assert (resumes in whole.warnings, resumes in incremental.warnings) == (False, False)
    assert len(whole.records) == len(half_a_day.store.lines())


def test_files_may_be_pipes(half_a_day: Emulator, connector: Connector) -> None:
    arguments = connector.reading({"server_upload_time": "20260304T08"})
    usual = connector.run(*arguments)
    script = """exec "$0" "$1" read --config <(cat "$3") --catalog <(cat "$5") --state <(cat "$7")"""

    done = subprocess.run(
        ["bash", "-c", script, sys.executable, str(COMMAND), *arguments[1:]],
        env=connector.environ,
        capture_output=True,
        check=True,
    )

    piped = Run(done.returncode, done.stdout, done.stderr)
    assert (piped.records, piped.states[-1]) == (usual.records, usual.states[-1])
    assert 0 < len(piped.records) < len(half_a_day.store.lines())


@pytest.mark.parametrize("command", ["check", "discover"])
def test_the_configuration_may_come_from_stdin(connector: Connector, command: str) -> None:
    done = subprocess.run(
        [sys.executable, str(COMMAND), command, "--config", "/dev/stdin"],
        input=json.dumps(connector.config()).encode(),
        env=connector.environ,
        capture_output=True,
        check=True,
    )

    kinds = [message["type"] for message in Run(done.returncode, done.stdout, done.stderr).messages]
    assert kinds[-1] == {"check": "CONNECTION_STATUS", "discover": "CATALOG"}[command]


def test_stdin_for_two_options_is_refused(connector: Connector) -> None:
    done = subprocess.run(
        [sys.executable, str(COMMAND), "read", "--config", "/dev/stdin", "--catalog", "/dev/stdin"],
        input=b"{}",
        env=connector.environ,
        capture_output=True,
        check=False,
    )

    [error] = Run(done.returncode, done.stdout, done.stderr).error_texts
    problem = "--catalog: /dev/stdin is the same pipe as that of --config, and a pipe can be read only once"
    assert (done.returncode, problem in error) == (1, True)


def test_a_state_of_other_streams_logs_a_warning(half_a_day: Emulator, connector: Connector) -> None:
    arguments = connector.reading()
    state = connector.file("state.json", {"active_users": {"date": "2026-03-03"}})

    run = connector.run(*arguments, "--state", state)

    assert "The state contains active_users, but the catalog selects events. Nothing is resumed." in run.warnings
    assert len(run.records) == len(half_a_day.store.lines())


def test_a_failed_read_reports_its_error_once(emulator: Emulator, connector: Connector) -> None:
    emulator.faults.add("forbidden")

    run = connector.read()

    errors = [m for m in run.of_type("TRACE") if m["trace"]["type"] == "ERROR"]
    assert len(errors) == 1
    assert "Traceback" not in run.logs


def test_a_closed_pipe_ends_the_read_silently(half_a_day: Emulator, connector: Connector) -> None:
    command = [sys.executable, str(COMMAND), *connector.reading()]

    with subprocess.Popen(command, env=connector.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        stderr = process.stderr.read()

    assert (process.returncode, stderr) == (141, b"")
    assert half_a_day.store.lines()
