"""Time of day and sleeping behind one interface, so that tests control both."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading

_MAX_STEP_SECONDS = 1.0


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
