"""The commands of README.md, run in order, with the project installed in `env`."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from unit_tests.documents.blocks import PROJECT, blocks, page, section
from unit_tests.documents.shell import EVENTS, commands, shell

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator

README = (PROJECT / "README.md").read_text(encoding="utf-8")
MOST_LINES = 140


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_yesterdays_events_become_a_table(recent: Emulator, folder: Path) -> None:
    printed = shell(commands(README, "Yesterday's events in a table"), folder, recent)

    most_frequent = Counter(str(event["event_type"]) for event in recent.store.events()).most_common(3)
    assert [name in printed and str(count) in printed for name, count in most_frequent] == [True] * 3


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

    assert read in page("command-line.md")
