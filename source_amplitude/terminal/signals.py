"""Ending on SIGTERM and Ctrl-C when the work at hand is done."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from source_amplitude.exit_codes import EXIT_SIGNALLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@contextmanager
def ends_on_signals(stop: threading.Event, end: Callable[[int], NoReturn] = sys.exit) -> Iterator[list[int]]:
    """Set ``stop`` at the first SIGTERM or Ctrl-C and note the signal; a second one ends the process at once.

    Args:
        end: Ends the process with an exit code; ``os._exit`` where threads may wait that Python would wait for.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received  # Python delivers signals to the main thread only
        return

    def note(number: int, _frame: FrameType | None) -> None:
        if received:
            end(EXIT_SIGNALLED + number)
        received.append(number)
        stop.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
