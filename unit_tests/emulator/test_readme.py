"""The README of the emulator agrees with its code."""

from __future__ import annotations

import doctest
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import amplitude_emulator
from amplitude_emulator import Emulator, server
from amplitude_emulator.__main__ import make_parser
from amplitude_emulator.control_api import CONTROL_ROUTES
from amplitude_emulator.faults import FAULT_KINDS

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

    assert routes == {f"{method} {path}" for method, path, _ in CONTROL_ROUTES}


def test_options_table_has_every_option() -> None:
    first_columns = re.findall(r"^\| `-([^|]*)\|", section("Start"), re.MULTILINE)
    documented = {word.split()[0] for column in first_columns for word in code_words(f"`-{column}")}
    options = {option for action in make_parser()._actions for option in action.option_strings}  # noqa: SLF001 - argparse lists them nowhere else

    assert documented == options - {"-h", "--help"}


def test_python_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {"Emulator": Emulator, "datetime": datetime, "timedelta": timedelta, "timezone": timezone}

    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 - our own README


def test_examples_in_docstrings_run() -> None:
    assert doctest.testmod(server) == (0, 1)


def test_public_names_are_sorted() -> None:
    assert amplitude_emulator.__all__ == sorted(amplitude_emulator.__all__)


def test_modules_stay_below_the_cap() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in FOLDER.glob("*.py")}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE_LINES} == {}
