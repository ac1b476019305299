"""The README of the emulator matches its code."""

from __future__ import annotations

import doctest
import json
import re
from dataclasses import fields, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import amplitude_emulator
from amplitude_emulator import server
from amplitude_emulator.__main__ import make_parser
from amplitude_emulator.content_control_api import CONTENT_CONTROL_ROUTES
from amplitude_emulator.control_api import CONTROL_ROUTES
from amplitude_emulator.faults import FAULT_KINDS
from amplitude_emulator.rest.access import REST_ROUTES
from amplitude_emulator.rest.catalog import Catalog
from amplitude_emulator.rest.lookup_tables_api import LOOKUP_TABLE_ROUTES
from amplitude_emulator.rest.settings import ProjectSettings

FOLDER = Path(amplitude_emulator.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")
LONGEST_MODULE_LINES = 400


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def code_words(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_faults_table_has_every_fault_with_its_settings() -> None:
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", section("Faults"), re.MULTILINE)

    assert {name: code_words(settings) for name, settings in rows} == {
        name: list(kind.settings) for name, kind in FAULT_KINDS.items()
    }


def test_control_table_has_every_route() -> None:
    first_columns = re.findall(r"^\|([^|]*)\|", section("Control routes"), re.MULTILINE)
    routes = {word for column in first_columns for word in code_words(column)}

    assert routes == {f"{method} {path}" for method, path, _ in (*CONTROL_ROUTES, *CONTENT_CONTROL_ROUTES)}


def test_imitation_tables_have_every_rest_route() -> None:
    words = set(code_words(section("What it emulates")))
    routes = {f"GET {route.path}" for route in (*REST_ROUTES, *LOOKUP_TABLE_ROUTES)}

    assert routes - words == set()


def test_settings_table_has_every_setting_and_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([^|]*)` \|", section("Settings and lists of a project"), re.MULTILINE)
    default = ProjectSettings()
    expected = {known.name: getattr(default, known.name) for known in fields(default)}

    assert dict(rows) == {
        name: str(value) if isinstance(value, date) else json.dumps(value) for name, value in expected.items()
    }


def test_lists_of_the_catalog_are_named() -> None:
    words = code_words(section("Settings and lists of a project"))

    assert {known.name for known in fields(Catalog)} - set(words) == set()


def test_options_table_has_every_option() -> None:
    first_columns = re.findall(r"^\| `-([^|]*)\|", section("Start"), re.MULTILINE)
    documented = {word.split()[0] for column in first_columns for word in code_words(f"`-{column}")}
    options = {option for action in make_parser()._actions for option in action.option_strings}  # noqa: SLF001 - argparse lists them nowhere else

    assert documented == options - {"-h", "--help"}


def test_python_examples_run() -> None:
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {name: getattr(amplitude_emulator, name) for name in amplitude_emulator.__all__}
    names |= {"datetime": datetime, "replace": replace, "timedelta": timedelta, "timezone": timezone}

    for example in examples:
        exec(compile(example, "README.md", "exec"), names)  # noqa: S102 - our own README
    assert len(examples) == 2


def test_examples_in_docstrings_run() -> None:
    assert doctest.testmod(server) == (0, 1)


def test_public_names_are_sorted() -> None:
    assert amplitude_emulator.__all__ == sorted(amplitude_emulator.__all__)


def test_modules_stay_below_the_cap() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in FOLDER.rglob("*.py")}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE_LINES} == {}
