from __future__ import annotations

import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from source_amplitude.export import SyncStats
from source_amplitude.terminal.command_line import TypedCommand
from source_amplitude.terminal.console import ConsoleReporter, ReadCommand
from unit_tests.terminal.screen import printed_lines, terminal

if TYPE_CHECKING:
    from source_amplitude.terminal.console import Terminal

READ = ("read", "--config", "config.yaml", "--catalog", "my catalog.json")
COMMAND = ReadCommand(TypedCommand(arguments=(*READ, "--state-file=state.json")), has_state_file=True)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def screen() -> Terminal:
    return terminal()


@pytest.fixture
def reporter(screen: Terminal) -> ConsoleReporter:
    return ConsoleReporter(screen, threading.Event())


def plain_lines(screen: Terminal) -> list[str]:
    """Return the printed lines without colours."""
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in printed_lines(screen)]


def test_the_result_of_an_export_has_two_lines(screen: Terminal, reporter: ConsoleReporter) -> None:
    reporter.end("events", SyncStats(records=40_800, hours_done=68, content_bytes=72_000_000, seconds=2.5))

    assert plain_lines(screen) == [
        "events: 40,800 events, 72.0 MB of JSON (0.0 MB downloaded), 2.5 s (16,320/s)",
        "        hours: 68 done, 0 empty, 0 open, 0 failed",
    ]


def test_each_stream_is_reported_once(screen: Terminal, reporter: ConsoleReporter) -> None:
    reporter.begin_stream("cohorts")
    for _ in range(1200):
        reporter.count("cohorts")
    reporter.end_stream("cohorts", is_complete=True)
    reporter.begin_stream("events")
    reporter.end("events", SyncStats(records=5, hours_done=1, archive_bytes=9, content_bytes=9, seconds=1.0))
    reporter.end_stream("events", is_complete=True)
    reporter.begin_stream("taxonomy")
    reporter.end_stream("taxonomy", is_complete=False)
    reporter.print_error("It is not in the plan.", "taxonomy")
    reporter.end_read(COMMAND, has_state=False)

    assert plain_lines(screen) == [
        "cohorts: 1,200 records",
        "events: 5 events, 0.0 MB of JSON (0.0 MB downloaded), 1.0 s (5/s)",
        "        hours: 1 done, 0 empty, 0 open, 0 failed",
        "taxonomy failed: It is not in the plan.",
        "1 of 3 streams failed: taxonomy",
    ]


@pytest.mark.parametrize(
    ("output", "shown"),
    [("", ""), ("out.jsonl", " >> out.jsonl"), ("my out", " >> 'my out'"), ("./-x", " >> ./-x")],
)
def test_the_next_command_is_quoted_and_appends(
    screen: Terminal, reporter: ConsoleReporter, output: str, shown: str
) -> None:
    reporter.end_read(replace(COMMAND, output=output), has_state=True)

    assert plain_lines(screen) == [
        "Next run:",
        f"  source-amplitude read --config config.yaml --catalog 'my catalog.json' --state-file=state.json{shown}",
    ]


@pytest.mark.parametrize(("output", "shown"), [("out.jsonl", "out.jsonl"), ("my out", "'my out'")])
@pytest.mark.parametrize("state", [(), ("--state", "state.json"), ("--state=state.json",)])
def test_without_a_state_file_the_hint_extracts_states(
    screen: Terminal, reporter: ConsoleReporter, output: str, shown: str, state: tuple[str, ...]
) -> None:
    typed = TypedCommand(("python", "main.py"), (*READ[:3], *state, *READ[3:], "-d"))
    reporter.end_read(ReadCommand(typed, has_state_file=False, output=output), has_state=True)

    assert plain_lines(screen) == [
        "Next run:",
        f"""  grep -a '^{{"type":"STATE"' {shown} > state.json""",
        f"  python main.py read --config config.yaml --catalog 'my catalog.json' -d --state-file state.json >> {shown}",
    ]


def test_the_hint_names_no_file_if_stdout_is_a_pipe(screen: Terminal, reporter: ConsoleReporter) -> None:
    reporter.end_read(ReadCommand(TypedCommand(arguments=READ), has_state_file=False), has_state=True)

    assert plain_lines(screen) == [
        "Next run: pass the STATE lines of the output with --state. With --state-file state.json, read keeps them."
    ]


def test_the_hint_writes_states_to_a_new_file(screen: Terminal, reporter: ConsoleReporter) -> None:
    for name in ("state.json", "state-2.json"):
        Path(name).write_text("of another sync")
    reporter.end_read(ReadCommand(TypedCommand(arguments=READ), has_state_file=False, output="out"), has_state=True)

    assert plain_lines(screen)[1:] == [
        """  grep -a '^{"type":"STATE"' out > state-3.json""",
        "  source-amplitude read --config config.yaml --catalog 'my catalog.json' --state-file state-3.json >> out",
    ]


def test_the_hint_skips_states_of_full_refreshes(screen: Terminal, reporter: ConsoleReporter) -> None:
    typed, refreshed = TypedCommand(arguments=READ), frozenset({"events_list", "cohorts"})
    reporter.end_read(ReadCommand(typed, has_state_file=False, output="out", refreshed=refreshed), has_state=True)

    assert plain_lines(screen)[1] == (
        """  grep -a '^{"type":"STATE"' out | grep -av -e '"stream_descriptor":{"name":"cohorts"'"""
        """ -e '"stream_descriptor":{"name":"events_list"' > state.json"""
    )


def test_a_stopped_stream_has_not_failed(screen: Terminal) -> None:
    stop = threading.Event()
    reporter = ConsoleReporter(screen, stop)
    reporter.begin_stream("events")
    stop.set()

    reporter.end_stream("events", is_complete=False)
    reporter.print_error("Stopped.", "events")
    reporter.end_read(COMMAND, has_state=True)

    assert printed_lines(screen)[:2] == ["events: Stopped.", "To continue:"]


def test_a_check_prints_one_line(screen: Terminal, reporter: ConsoleReporter) -> None:
    reporter.end_check("")
    reporter.end_check("Refused.")

    assert printed_lines(screen) == ["Amplitude accepts the API keys.", "\x1b[31mRefused.\x1b[0m"]
