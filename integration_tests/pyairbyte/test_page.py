"""docs/pyairbyte.md: its programs run as they stand there, and its table says what was measured."""

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
    from integration_tests.pyairbyte.desk import Desk, Ended

pytestmark = pytest.mark.pyairbyte

PAGE = (PROJECT / "docs" / "pyairbyte.md").read_text("utf-8")
HOUR = timedelta(hours=1)
END = NOON - 2 * HOUR


def program(heading: str) -> str:
    """Return the Python below a heading."""
    section = re.split(r"^## ", PAGE.split(f"\n## {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    (found,) = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return str(found)


def start(desk: Desk, text: str, *arguments: str) -> Ended:
    path = desk.folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return desk.run(str(path), *arguments)


def last_line(ended: Ended) -> str:
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout.splitlines()[-1]


def uuids(desk: Desk) -> list[str]:
    return sorted(str(event["uuid"]) for event in desk.emulator.store.events(FIRST, END))


def test_page_installs_the_tested_version() -> None:
    assert f"pip install '{ENVIRONMENT.requirement}'" in PAGE


def test_sync_loads_all_events_then_new_ones(desk: Desk) -> None:
    first, after = len(uuids(desk)), len(desk.emulator.store.events(FIRST, END + 3 * HOUR))

    lines = [last_line(start(desk, program("Every new event")))]
    desk.emulator.clock.advance(3 * HOUR)
    lines.append(last_line(start(desk, program("Every new event"))))

    assert lines == [f"{first} new, {first} altogether", f"{after - first} new, {after} altogether"]


def test_backfill_continues_after_a_failure(desk: Desk) -> None:
    text = program("Years of events: window by window")
    hours = text.replace("timedelta(days=1)", "timedelta(hours=12)")
    desk.emulator.faults.add("bad_request", hour=FIRST + 20 * HOUR, details="Invalid something")

    failed = start(desk, hours, "2026-03-04T10")
    kept = len(desk.rows())
    desk.emulator.faults.clear()
    mended = start(desk, hours, "2026-03-04T10")

    assert text != hours
    assert failed.exit_code == 1
    assert kept == len(desk.emulator.store.events(FIRST, FIRST + 12 * HOUR))
    assert "until 2026-03-03 12:00:00 0" in mended.stdout.splitlines()
    assert sorted(row["uuid"] for row in desk.rows()) == uuids(desk)


def test_get_records_needs_a_variable(desk: Desk) -> None:
    held = program("Without a database")
    loose = held.replace("for event in events:", 'for event in source.get_records("events"):')

    of_held, of_loose = start(desk, held), start(desk, loose)

    found = [json.loads(line) for line in of_held.stdout.splitlines() if re.fullmatch(r'"[0-9a-f-]{36}"', line)]
    assert sorted(found) == uuids(desk)
    assert (held == loose, of_loose.exit_code) == (False, 0)
    assert re.findall(r'^"', of_loose.stdout, re.MULTILINE) == []


def test_mismatched_value_needs_a_text_column(desk: Desk) -> None:
    (event, *_) = desk.emulator.store.events(FIRST + 5 * HOUR)
    odd = {**event, "uuid": "odd", "client_upload_time": "", "paying": "(none)"}
    desk.emulator.store.add_member(FIRST + 5 * HOUR, [odd])

    strict = start(desk, program("Every new event"))
    of_strict = desk.rows()
    desk.database.unlink()
    loosened = start(desk, program("When a value does not fit"))

    assert strict.exit_code == 1
    assert "Error when executing SQL" in strict.stderr
    assert of_strict == []
    assert last_line(loosened) == f"{len(uuids(desk))} new, {len(uuids(desk))} altogether"
    (row,) = [row for row in desk.rows() if row["uuid"] == "odd"]
    assert (row["client_upload_time"], row["paying"]) == (None, "(none)")


def test_full_refresh_removes_deleted_rows(desk: Desk) -> None:
    (advice,) = re.findall(r"`(source\.read\(cache, force_full_refresh[^`]*)`", PAGE)
    text = program("Every new event").replace('["events"]', '["annotations"]')
    replacing = re.sub(r"source\.read\(.*", advice.replace("cache", 'ab.DuckDBCache(db_path="amplitude.duckdb")'), text)
    content = desk.emulator.content

    last_line(start(desk, text))
    content.catalog = type(content.catalog)(annotations=content.catalog.annotations[1:])
    last_line(start(desk, text))
    merged = len(desk.rows("annotations"))
    last_line(start(desk, replacing))

    left = len(content.catalog.annotations)
    assert (merged, len(desk.rows("annotations"))) == (left + 1, left)


def test_log_file_of_the_exception_has_the_reason(desk: Desk) -> None:
    desk.emulator.faults.add("bad_request", hour=FIRST + 20 * HOUR, details="Invalid something")

    failed = start(desk, program("Every new event"))

    (named,) = set(re.findall(r"Log file: (\S+\.log)", failed.stderr))
    said = Path(named).read_text("utf-8")
    assert "with HTTP 400: Invalid something" in said
    assert "Run the sync again: it asks only for what is missing." in said
