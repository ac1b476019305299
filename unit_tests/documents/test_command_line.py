"""docs/command-line.md: its commands run in their order, after the project is installed in ``env``."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from unit_tests.documents.blocks import PROJECT, blocks, page, section
from unit_tests.documents.shell import EVENTS, commands, shell

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator

PAGE = page("command-line.md")


@pytest.mark.parametrize("title", ["With your own project", "A catalog of all streams"])
def test_every_command_of_the_section_is_run_here(title: str) -> None:
    assert len(blocks(section(PAGE, title), "sh")) == 1


def start_yesterday(folder: Path, emulator: Emulator) -> None:
    """Change ``start_date`` in the configuration, as the page asks for."""
    path = folder / "config.yaml"
    yesterday = emulator.clock.now() - timedelta(days=1)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("2021-01-25T00:00:00Z", f"{yesterday:%Y-%m-%dT%H:00:00Z}"), encoding="utf-8")


def records_in(path: Path) -> int:
    return sum(json.loads(line)["type"] == "RECORD" for line in path.read_bytes().splitlines())


def test_second_run_of_the_commands_reads_only_what_is_new(recent: Emulator, folder: Path) -> None:
    config, rest = commands(PAGE, "With your own project").split("config.yaml\n", 1)

    shell(config + "config.yaml\n", folder, recent)
    start_yesterday(folder, recent)
    shell(rest, folder, recent)
    first = records_in(folder / "messages.jsonl")
    shell(rest, folder, recent)

    assert (first, records_in(folder / "messages.jsonl")) == (EVENTS, EVENTS)


@pytest.mark.skipif(shutil.which("jq") is None, reason="the page's command needs jq")
def test_the_catalog_command_selects_every_stream(recent: Emulator, folder: Path) -> None:
    shell("env/bin/source-amplitude config > config.yaml", folder, recent)

    shell(commands(PAGE, "A catalog of all streams"), folder, recent)

    streams = json.loads((folder / "catalog.json").read_text(encoding="utf-8"))["streams"]
    known = json.loads((PROJECT / "unit_tests/golden/catalog.json").read_text(encoding="utf-8"))["catalog"]["streams"]
    assert [each["stream"]["name"] for each in streams] == [each["name"] for each in known]
    assert {each["sync_mode"] for each in streams} == {"full_refresh", "incremental"}
