"""A clock that tests set: it stands still until it is told otherwise, and sleeping moves it on at once."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


class FakeClock:
    """Implements `source_amplitude.clock.Clock`.

    Attributes:
        sleeps: The seconds of every sleep so far, in order.
    """

    def __init__(self, now: datetime = datetime(2024, 3, 1, 12, tzinfo=timezone.utc)) -> None:
        self._now = now
        self._monotonic_seconds = 1000.0
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic_seconds(self) -> float:
        return self._monotonic_seconds

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic_seconds += seconds

    def set(self, now: datetime) -> None:
        """Jump to a time of day; the monotonic clock does not notice."""
        self._now = now
