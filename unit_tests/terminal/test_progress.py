from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from source_amplitude.export import SyncStats
from source_amplitude.terminal.console import ConsoleReporter
from source_amplitude.terminal.progress import ProgressLine
from unit_tests.conftest import NOON
from unit_tests.terminal.screen import Screen, terminal

if TYPE_CHECKING:
    from datetime import datetime


def console(width: int = 100) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None, legacy_windows=False)


def drawn(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def stats(*, hours: int, of_hours: int, events: int, content_bytes: int) -> SyncStats:
    return SyncStats(hours_done=hours, hours_wanted=of_hours, records=events, content_bytes=content_bytes)


def once(done: SyncStats, *, width: int = 100, is_stopped: bool = False) -> str:
    """Return the text drawn for ``done``."""
    on, stop = console(width), threading.Event()
    if is_stopped:
        stop.set()
    line = ProgressLine(on, "events", lambda: done, stop)
    line.start()
    line.stop()
    return drawn(on)


def test_the_line_shows_hours_events_and_megabytes() -> None:
    text = once(stats(hours=40, of_hours=1_091, events=24_000, content_bytes=43_400_000))

    assert "40/1,091 hours  24,000 events  " in text
    assert "/s  43 MB" in text
    assert " left" in text


def test_the_line_shows_connecting_at_first() -> None:
    text = once(stats(hours=0, of_hours=0, events=0, content_bytes=0))

    assert "connecting  0 events  0/s  0 MB" in text
    assert "left" not in text


@pytest.mark.parametrize(
    ("hours", "ends_at", "shown"),
    [
        (0, NOON, "rate limited until 12:00:00 UTC"),
        (91, NOON, "40/91 hours rate limited until 12:00:00 UTC"),
        (91, None, "40/91 hours rate limited\n"),
    ],
)
def test_the_line_shows_a_wait_for_a_rate_limit(hours: int, ends_at: datetime | None, shown: str) -> None:
    done = stats(hours=40, of_hours=hours, events=24_000, content_bytes=43_400_000)

    with done.waits.during(6, ends_at):
        text = once(done, width=80)

    assert shown in "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def test_after_ctrl_c_the_line_explains_a_second_one() -> None:
    done = stats(hours=40, of_hours=1_091, events=24_000, content_bytes=43_400_000)

    assert "40/1,091 hours stopping... Ctrl-C again to quit now" in once(done, width=80, is_stopped=True)


@pytest.mark.parametrize("width", [1, 10, 20, 40, 80, 79, 200])
def test_it_is_one_line_at_any_width(width: int) -> None:
    text = once(stats(hours=123_456, of_hours=654_321, events=987_654_321, content_bytes=10**12), width=width)

    assert text.count("\x1b[1A") <= 1  # the cursor only returns over the empty line below


def test_large_sizes_are_gigabytes_and_fit_in_80_columns() -> None:
    text = once(stats(hours=1_234, of_hours=8_760, events=0, content_bytes=24_691_000_000), width=80)

    assert "1,234/8,760 hours  0 events  0/s  24.7 GB" in text


def test_the_cursor_is_never_hidden() -> None:
    on = console()
    line = ProgressLine(on, "events", SyncStats, threading.Event())

    line.start()
    while_drawing = drawn(on)
    line.stop()

    assert while_drawing.rindex("\x1b[?25h") > while_drawing.rindex("\x1b[?25l")
    assert drawn(on).rindex("\x1b[?25h") > drawn(on).rindex("\x1b[?25l")


def test_the_line_is_removed_and_close_is_idempotent() -> None:
    screen = terminal(can_draw=True)
    reporter = ConsoleReporter(screen, threading.Event())
    reporter.begin("events", SyncStats)

    reporter.close()
    assert isinstance(screen.stderr, Screen)
    ended = screen.stderr.getvalue()
    reporter.close()

    assert ended.endswith("\x1b[2K")
    assert screen.stderr.getvalue() == ended
