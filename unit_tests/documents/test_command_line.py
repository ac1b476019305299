"""docs/command-line.md: its commands run in their order, after the project is installed in ``env``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from unit_tests.documents.blocks import PROJECT, blocks, page, section
from unit_tests.documents.shell import EVENTS, commands, shell

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator

PAGE = page("command-line.md")


@pytest.mark.parametrize("title", ["With your own project", "Choosing streams"])
def test_every_command_of_the_section_is_run_here(title: str) -> None:
    assert len(blocks(section(PAGE, title), "sh")) == 1


def records_in(path: Path) -> int:
    return sum(json.loads(line)["type"] == "RECORD" for line in path.read_bytes().splitlines())


def test_second_run_of_the_commands_reads_only_what_is_new(recent: Emulator, folder: Path) -> None:
    script = commands(PAGE, "With your own project")

    shell(script, folder, recent)
    first = records_in(folder / "messages.jsonl")
    shell(script, folder, recent)

    assert (first, records_in(folder / "messages.jsonl")) == (EVENTS, EVENTS)


def test_streams_are_chosen_by_name_and_by_catalog(recent: Emulator, folder: Path) -> None:
    shell("env/bin/source-amplitude config > config.yaml", folder, recent)

    shell(commands(PAGE, "Choosing streams"), folder, recent)

    known = json.loads((PROJECT / "unit_tests/golden/catalog.json").read_text(encoding="utf-8"))["catalog"]["streams"]
    assert records_in(folder / "cohorts.jsonl") > 0
    assert names_in(folder / "catalog.json") == [each["name"] for each in known]
    assert names_in(folder / "two.json") == ["events", "cohorts"]


def names_in(path: Path) -> list[str]:
    return [each["stream"]["name"] for each in json.loads(path.read_text(encoding="utf-8"))["streams"]]
