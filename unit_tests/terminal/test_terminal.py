from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from source_amplitude.export import SyncStats
from source_amplitude.terminal.console import ConsoleReporter, Terminal
from unit_tests.terminal.screen import Screen, printed_lines, terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
USUAL = {"TERM": "xterm-256color"}


@pytest.fixture(autouse=True)
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of a colour terminal, which rich reads."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize(
    ("environ", "can_draw"),
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
    ("can_draw", "stdout_is_terminal", "data_on_stdout", "is_drawn"),
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
    screen = terminal(can_draw=can_draw, stdout_is_terminal=stdout_is_terminal)
    reporter = ConsoleReporter(screen, threading.Event(), data_on_stdout=data_on_stdout)

    reporter.begin("events", SyncStats)
    reporter.close()

    assert bool(printed_lines(screen)) is is_drawn


def test_errors_are_red_and_markup_is_not_interpreted() -> None:
    screen = terminal()

    screen.print("[red]x[/] :smile: 5 /path", is_bad=True)
    screen.print("[bold]y[/bold]")

    assert printed_lines(screen) == ["\x1b[31m[red]x[/] :smile: 5 /path\x1b[0m", "[bold]y[/bold]"]


def test_control_characters_are_escaped() -> None:
    screen = terminal()

    screen.print("a\x1b[2Jb\x07c\rd\x9be\u202ef\n  next")

    assert printed_lines(screen) == ["a\\x1b[2Jb\\x07c\\rd\\x9be\\u202ef", "  next"]


def test_long_lines_are_not_wrapped() -> None:
    screen = terminal()

    screen.print("word " * 100)

    assert printed_lines(screen) == ["word " * 100]


def test_nothing_is_printed_without_a_terminal() -> None:
    screen = terminal(stderr_is_terminal=False)

    screen.print("x", is_bad=True)

    assert printed_lines(screen) == []


def test_rich_is_not_imported_without_a_terminal() -> None:
    program = """
import io, sys, threading
from source_amplitude.terminal.console import ConsoleReporter, ReadCommand, Terminal
from source_amplitude.terminal.command_line import TypedCommand
terminal = Terminal.of({})
reporter = ConsoleReporter(terminal, threading.Event())
reporter.begin_stream("a"); reporter.print_error("b", "a"); reporter.end_stream("a", is_complete=True)
reporter.end_read(ReadCommand(TypedCommand(), False), has_state=True); reporter.end_check(""); reporter.close()
terminal.print("x")
print(sorted(name for name in sys.modules if name.split(".")[0] == "rich"))
"""

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)

    assert (done.stdout, done.stderr) == (b"[]\n", b"")
