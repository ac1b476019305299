"""The time of day and waiting, behind one seam, so that tests own both."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading

_LONGEST_NAP_SECONDS = 1.0


class Clock(Protocol):
    """What the connector asks of time; `SystemClock` is the real one."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""

    def monotonic_seconds(self) -> float:
        """Return seconds from an arbitrary start that never go backwards."""

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
    """Wait in short naps and return whether the time has passed; False as soon as ``stop`` is set."""
    while seconds > 0 and not stop.is_set():
        nap = min(seconds, _LONGEST_NAP_SECONDS)
        clock.sleep(nap)
        seconds -= nap
    return not stop.is_set()
