"""The emulator's time: the only module here that may ask the system for it.

Everything that depends on the hour (publishing, upload times, the ``Date`` header) asks this
clock, so that a test can let a day pass between two requests.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone


class EmulatorClock:
    """A clock that is either running or set to an instant. Safe to use from any thread.

    Without a start it is the system's clock. A start makes it stand still there, unless
    ``running`` asks it to go on from there at normal speed.
    """

    def __init__(self, start: datetime | None = None, *, running: bool | None = None) -> None:
        self._lock = threading.Lock()
        self._base = require_utc(start) if start is not None else datetime.now(timezone.utc)
        stands_still = start is not None and not running
        self._running_since: float | None = None if stands_still else time.monotonic()
        self._skipped_seconds = 0.0

    def now(self) -> datetime:
        """Return the emulated time, aware and in UTC."""
        with self._lock:
            return self._read()

    def set(self, now: datetime, *, running: bool = False) -> None:
        """Jump to an instant, forwards or backwards, and stand still there unless ``running``."""
        base = require_utc(now)
        with self._lock:
            self._note_jump(base - self._read())
            self._base = base
            self._running_since = time.monotonic() if running else None

    def advance(self, by: timedelta) -> datetime:
        """Move on by a timedelta and return the new time. A running clock keeps running."""
        with self._lock:
            self._note_jump(by)
            self._base += by
            return self._read()

    def elapsed_seconds(self) -> float:
        """Return the seconds since some fixed moment, which only grow: what rates and expiry count by.

        Real time counts even while the clock stands still, or a budget that is spent would never refill
        and a client that waits for it never end. Whatever the clock is set or moved forward counts too.
        """
        with self._lock:
            return time.monotonic() + self._skipped_seconds

    @property
    def is_running(self) -> bool:
        """Whether time passes by itself."""
        with self._lock:
            return self._running_since is not None

    def _note_jump(self, by: timedelta) -> None:
        self._skipped_seconds += max(0.0, by.total_seconds())

    def _read(self) -> datetime:
        if self._running_since is None:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._running_since)


def require_utc(moment: datetime) -> datetime:
    """Return the same instant in UTC.

    Raises:
        ValueError: The datetime is naive, so that the instant it means is unknown.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; pass an aware datetime.")
    return moment.astimezone(timezone.utc)


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant such as ``2026-03-04T12:00:00Z``; without a zone it is UTC."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else require_utc(moment)


def format_instant(moment: datetime) -> str:
    """Write an instant as ISO 8601 with ``Z``, with microseconds only where there are some."""
    return require_utc(moment).isoformat().replace("+00:00", "Z")
