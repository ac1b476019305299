"""Stop gracefully on SIGTERM and Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from source_amplitude.terminal.exit_codes import EXIT_SIGNALLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextmanager
def stops_on_signals(stop: threading.Event, end: Callable[[int], NoReturn] = os._exit) -> Iterator[list[int]]:
    """Set ``stop`` and record the signal at the first SIGTERM or Ctrl-C; exit immediately at the second one.

    Args:
        stop: Checked by the running command.
        end: Exits with a code; not ``sys.exit``, after which Python may wait for threads, or for a reader of stdout.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received  # Python delivers signals to the main thread only
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        if received:
            end(EXIT_SIGNALLED + number)
        received.append(number)
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
