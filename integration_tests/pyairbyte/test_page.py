"""The programs and the traps of docs/pyairbyte.md."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration_tests.environments import PROJECT
from integration_tests.pyairbyte.conftest import FIRST, NOON
from integration_tests.pyairbyte.environment import ENVIRONMENT

if TYPE_CHECKING:
    from integration_tests.pyairbyte.sandbox import ProgramResult, Sandbox

pytestmark = pytest.mark.pyairbyte

PAGE = (PROJECT / "docs" / "pyairbyte.md").read_text("utf-8")
HOUR = timedelta(hours=1)
END = NOON - 2 * HOUR


def program(heading: str) -> str:
    """Return the Python code below a heading."""
    section = re.split(r"^## ", PAGE.split(f"\n## {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    (found,) = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return str(found)


def run_program(sandbox: Sandbox, text: str, *arguments: str) -> ProgramResult:
    path = sandbox.folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return sandbox.run(str(path), *arguments)


def last_line(result: ProgramResult) -> str:
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()[-1]


def uuids(sandbox: Sandbox) -> list[str]:
    return sorted(str(event["uuid"]) for event in sandbox.emulator.store.events(FIRST, END))


def test_page_installs_the_tested_version() -> None:
    assert f"pip install '{ENVIRONMENT.requirement}'" in PAGE


def test_sync_loads_all_events_then_new_ones(sandbox: Sandbox) -> None:
    first, after = len(uuids(sandbox)), len(sandbox.emulator.store.events(FIRST, END + 3 * HOUR))

    lines = [last_line(run_program(sandbox, program("Every new event")))]
    sandbox.emulator.clock.advance(3 * HOUR)
    lines.append(last_line(run_program(sandbox, program("Every new event"))))

    assert lines == [f"{first} new, {first} altogether", f"{after - first} new, {after} altogether"]


def test_backfill_continues_after_a_failure(sandbox: Sandbox) -> None:
    text = program("Years of events: window by window")
    hours = text.replace("timedelta(days=1)", "timedelta(hours=12)")
    sandbox.emulator.faults.add("bad_request", hour=FIRST + 20 * HOUR, details="Invalid something")

    failed = run_program(sandbox, hours, "2026-03-04T10")
    kept = len(sandbox.rows())
    sandbox.emulator.faults.clear()
    retried = run_program(sandbox, hours, "2026-03-04T10")

    assert text != hours
    assert failed.exit_code == 1
    assert kept == len(sandbox.emulator.store.events(FIRST, FIRST + 12 * HOUR))
    assert "until 2026-03-03 12:00:00 0" in retried.stdout.splitlines()
    assert sorted(row["uuid"] for row in sandbox.rows()) == uuids(sandbox)


def test_get_records_needs_a_variable(sandbox: Sandbox) -> None:
    stored = program("Without a database")
    direct = stored.replace("for event in events:", 'for event in source.get_records("events"):')

    stored_result, direct_result = run_program(sandbox, stored), run_program(sandbox, direct)

    found = [json.loads(line) for line in stored_result.stdout.splitlines() if re.fullmatch(r'"[0-9a-f-]{36}"', line)]
    assert sorted(found) == uuids(sandbox)
    assert (stored == direct, direct_result.exit_code) == (False, 0)
    assert re.findall(r'^"', direct_result.stdout, re.MULTILINE) == []


def test_mismatched_value_needs_a_text_column(sandbox: Sandbox) -> None:
    (event, *_) = sandbox.emulator.store.events(FIRST + 5 * HOUR)
    odd = {**event, "uuid": "odd", "client_upload_time": "", "paying": "(none)"}
    sandbox.emulator.store.add_member(FIRST + 5 * HOUR, [odd])

    strict = run_program(sandbox, program("Every new event"))
    of_strict = sandbox.rows()
    sandbox.database.unlink()
    loosened = run_program(sandbox, program("When a value does not fit"))

    assert strict.exit_code == 1
    assert "Error when executing SQL" in strict.stderr
    assert of_strict == []
    assert last_line(loosened) == f"{len(uuids(sandbox))} new, {len(uuids(sandbox))} altogether"
    (row,) = [row for row in sandbox.rows() if row["uuid"] == "odd"]
    assert (row["client_upload_time"], row["paying"]) == (None, "(none)")


def test_full_refresh_removes_deleted_rows(sandbox: Sandbox) -> None:
    (advice,) = re.findall(r"`(source\.read\(cache, force_full_refresh[^`]*)`", PAGE)
    text = program("Every new event").replace('["events"]', '["annotations"]')
    replacing = re.sub(r"source\.read\(.*", advice.replace("cache", 'ab.DuckDBCache(db_path="amplitude.duckdb")'), text)
    content = sandbox.emulator.content

    last_line(run_program(sandbox, text))
    content.catalog = type(content.catalog)(annotations=content.catalog.annotations[1:])
    last_line(run_program(sandbox, text))
    merged = len(sandbox.rows("annotations"))
    last_line(run_program(sandbox, replacing))

    left = len(content.catalog.annotations)
    assert (merged, len(sandbox.rows("annotations"))) == (left + 1, left)


def test_log_file_of_the_exception_has_the_reason(sandbox: Sandbox) -> None:
    sandbox.emulator.faults.add("bad_request", hour=FIRST + 20 * HOUR, details="Invalid something")

    failed = run_program(sandbox, program("Every new event"))

    (named,) = set(re.findall(r"Log file: (\S+\.log)", failed.stderr))
    log = Path(named).read_text("utf-8")
    assert "(HTTP 400: Invalid something)" in log
    assert "Run the sync again: it requests only the missing hours." in log
