"""The commands of README.md, run in order, with the project installed in `env`."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator, generate_hours
from unit_tests.documents.blocks import PROJECT, blocks, page, section
from unit_tests.documents.shell import EVENTS, commands, shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

README = (PROJECT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 140


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


@pytest.fixture
def yesterday() -> Iterator[Emulator]:
    """An Amplitude of today, with events of yesterday."""
    with Emulator() as emulator:
        start = emulator.clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        generate_hours(emulator.store, seed=1, start=start, end=start + timedelta(hours=20), total_events=EVENTS)
        yield emulator


def test_yesterdays_events_by_type_take_four_commands(yesterday: Emulator, folder: Path) -> None:
    title = "Yesterday's events in DuckDB"
    (block,) = blocks(section(README, title), "sh")
    printed = shell(commands(README, title), folder, yesterday)

    most_frequent = Counter(str(event["event_type"]) for event in yesterday.store.events())
    header, *rows = csv.reader(printed.splitlines()[1:])
    assert len([line for line in block.text.splitlines() if not line.startswith(" ")]) == 4
    assert header == ["event_type", "events"]
    assert {name: int(count) for name, count in rows} == dict(most_frequent)
    assert [int(count) for _, count in rows] == sorted(most_frequent.values(), reverse=True)


def test_daily_commands_land_and_draw_all_hours(recent: Emulator, folder: Path) -> None:
    shell("env/bin/source-amplitude config > config.yaml", folder, recent)
    destination = folder / "landed"

    script = commands(README, "Every day").replace("s3://your-bucket/amplitude", str(destination))
    printed = shell(script, folder, recent)

    events = sum(json.loads(path.read_text("utf-8"))["events"] for path in destination.glob("_manifest/*/*.json"))
    assert events == EVENTS
    assert printed.splitlines()[-1] == "report.html"
    assert f"{EVENTS}" in (folder / "report.html").read_text(encoding="utf-8")


def test_read_command_is_the_one_of_the_command_line_page() -> None:
    _, read = (block.text for block in blocks(section(README, "Every day"), "sh"))

    lines = page("command-line.md").splitlines()
    assert [line for line in read.splitlines() if line not in lines] == []
