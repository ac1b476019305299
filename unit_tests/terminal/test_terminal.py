from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from source_amplitude.export import SyncStats
from source_amplitude.terminal.console import ConsoleReporter, Terminal
from unit_tests.terminal.screen import Screen, said_to, terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
USUAL = {"TERM": "xterm-256color"}


@pytest.fixture(autouse=True)
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich looks at the environment of the process."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize(
    ("environ", "may_draw"),
    [
        (USUAL, True),
        ({}, True),
        (USUAL | {"NO_PROGRESS": ""}, True),
        (USUAL | {"NO_PROGRESS": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "unknown"}, False),
    ],
)
def test_progress_is_drawn_if_the_terminal_supports_it(
    monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str], can_draw: object
) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())

    found = Terminal.of(environ)

    assert (found.stderr_is_terminal, found.can_draw) == (True, can_draw)


@pytest.mark.parametrize(
    ("may_draw", "reads_stdout", "data_on_stdout", "is_drawn"),
    [
        (True, False, False, True),
        (True, True, False, True),
        (True, False, True, True),
        (True, True, True, False),
        (False, False, False, False),
    ],
)
def test_progress_is_not_drawn_over_data(
    *, can_draw: bool, stdout_is_terminal: bool, data_on_stdout: bool, is_drawn: bool
) -> None:
    listener = terminal(can_draw=can_draw, stdout_is_terminal=stdout_is_terminal)
    reporter = ConsoleReporter(listener, threading.Event(), data_on_stdout=data_on_stdout)

    reporter.begin("events", SyncStats)
    reporter.close()

    assert bool(said_to(listener)) is is_drawn


def test_errors_are_red_and_markup_is_not_interpreted() -> None:
    listener = terminal()

    listener.print("[red]x[/] :smile: 5 /path", is_bad=True)
    listener.print("[bold]y[/bold]")

    assert said_to(listener) == ["\x1b[31m[red]x[/] :smile: 5 /path\x1b[0m", "[bold]y[/bold]"]


def test_control_characters_are_replaced() -> None:
    listener = terminal()

    listener.print("a\x1b[2Jb\x07c\rd\x9be\u202ef\n  next")

    assert said_to(listener) == ["a\ufffd[2Jb\ufffdc\ufffdd\ufffde\ufffdf", "  next"]


def test_long_lines_are_not_wrapped() -> None:
    listener = terminal()

    listener.print("word " * 100)

    assert said_to(listener) == ["word " * 100]


def test_nothing_is_printed_without_a_terminal() -> None:
    listener = terminal(stderr_is_terminal=False)

    listener.print("x", is_bad=True)

    assert said_to(listener) == []


def test_rich_is_not_imported_without_a_terminal() -> None:
    program = """
import io, sys, threading
from source_amplitude.terminal.console import Narrator, Person, ReadCommand
from source_amplitude.terminal.command_line import TypedCommand
person = Person.of({})
narrator = Narrator(person, threading.Event())
narrator.begin_stream("a"); narrator.complain("b", "a"); narrator.end_stream("a", is_complete=True)
narrator.end_read(ReadCommand(TypedCommand(), False), goes_on=True); narrator.end_check(""); narrator.close()
person.say("x")
print(sorted(name for name in sys.modules if name.split(".")[0] == "rich"))
"""

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)

    assert (done.stdout, done.stderr) == (b"[]\n", b"")
