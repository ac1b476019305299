"""Time of day, sleeping, and waits that end once the user asks to stop; tests control the time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Protocol, TypeVar

from source_amplitude.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_MAX_STEP_SECONDS = 1.0
_POLL_SECONDS = 0.1
_CALL = "call that may be left"


class Clock(Protocol):
    """The clock that the connector reads and sleeps by. `SystemClock` is the real one."""

    def now(self) -> datetime:
        """Return the current time as an aware UTC datetime."""

    def monotonic_seconds(self) -> float:
        """Return seconds since an arbitrary start. They never decrease."""

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def monotonic_seconds(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def sleep_unless(stop: threading.Event, clock: Clock, seconds: float) -> bool:
    """Sleep for ``seconds`` in short steps. Return False as soon as ``stop`` is set, True at the end."""
    while seconds > 0 and not stop.is_set():
        step_seconds = min(seconds, _MAX_STEP_SECONDS)
        clock.sleep(step_seconds)
        seconds -= step_seconds
    return not stop.is_set()


def result_unless(stop: threading.Event, call: Callable[[], T], *, seconds_to_end: float = 0) -> T:
    """Return the result of ``call``, or leave it once ``stop`` is set: it waits for another program.

    The call runs in a daemon thread, since a socket or a library in another language cannot be interrupted, and would
    keep Python from handling signals in the main thread.

    Args:
        stop: Ends the wait.
        call: May continue after this function has raised an exception; its result is then ignored.
        seconds_to_end: How long the call may continue after ``stop`` is set.

    Raises:
        StoppedError: ``stop`` was set and the call did not end in time.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            future.set_exception(error)

    threading.Thread(target=run, name=_CALL, daemon=True).start()
    left_seconds = seconds_to_end
    while not future.done():
        if stop.is_set():
            if left_seconds <= 0:
                raise StoppedError
            left_seconds -= _POLL_SECONDS
        wait([future], _POLL_SECONDS)
    return future.result()


def has_left_calls() -> bool:
    """Return whether calls that were left are still running; an exiting Python can crash while they return."""
    return any(thread.name == _CALL for thread in threading.enumerate())
