from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.terminal.command_line import TypedCommand, program_of

PROJECT = Path(__file__).parents[2]
PYTHON = "/opt/env/bin/python"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The console script of an environment."""
    path = tmp_path / "env" / "bin" / "source-amplitude"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_script_on_the_path_is_called_by_its_name(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(script.parent))

    assert program_of([str(script), "read"], [PYTHON, str(script), "read"]) == ("source-amplitude",)


def test_a_script_outside_the_path_is_called_as_typed(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.chdir(script.parents[2])
    typed = "env/bin/source-amplitude"

    assert program_of([typed, "read"], [PYTHON, typed, "read"]) == (typed,)


def test_another_script_on_the_path_is_not_suggested(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other" / "source-amplitude"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))

    assert program_of([str(script), "read"], [PYTHON, str(script), "read"]) == (str(script),)


@pytest.mark.parametrize(
    ("argv", "orig_argv", "program"),
    [
        (["main.py", "read"], ["python", "main.py", "read"], ("python", "main.py")),
        (["main.py"], ["python", "-u", "main.py"], ("python", "-u", "main.py")),
        (
            ["/x/__main__.py", "read"],
            ["python3", "-m", "source_amplitude", "read"],
            ("python3", "-m", "source_amplitude"),
        ),
        (["-c", "read"], ["python", "-c", "import x", "read"], ("source-amplitude",)),
        (["", "read"], ["embedded"], ("source-amplitude",)),
    ],
)
def test_a_python_program_is_called_with_its_interpreter(
    argv: list[str], orig_argv: list[str], program: tuple[str, ...]
) -> None:
    assert program_of(argv, orig_argv) == program


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_a_shell_splits_the_text_into_the_same_words(words: list[str]) -> None:
    assert shlex.split(str(TypedCommand(("python", "main.py"), tuple(words)))) == ["python", "main.py", *words]


def test_a_process_substitution_is_not_shown_as_a_file() -> None:
    typed = TypedCommand(arguments=("read", "--config", "/dev/fd/63", "--catalog", "/proc/self/fd/11"))

    assert str(typed) == "source-amplitude read --config <(...) --catalog <(...)"


def test_an_option_is_removed_in_each_form() -> None:
    typed = TypedCommand(arguments=("read", "--state", "a", "--state=b", "--state-file", "c", "--state"))

    assert typed.without("--state").arguments == ("read", "--state-file", "c")


def test_the_process_knows_how_it_was_started(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from source_amplitude.terminal.command_line import TypedCommand; print(TypedCommand.of_process())"
    )

    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(program), "read", "a b"],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{sys.executable} -W ignore {program} read 'a b'\n"
