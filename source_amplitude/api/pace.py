"""Bounds on slow responses: a time for the first byte, a least rate after it, and a deadline where one is set.

Only the time in which the connector waits for data counts. A pause before the next read, such as a full disk budget or
a slow store, does not.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Iterator

_current = threading.local()


@dataclass(frozen=True)
class PaceLimits:
    """The bounds of a response.

    Attributes:
        receive_seconds: The longest pause within the response.
        first_byte_seconds: The longest wait for the headers and the first part of the body together.
        slow_seconds: The period over which the rate of the body is measured.
        least_bytes_per_second: The lowest rate over one such period.
        error_body_seconds: The longest wait for the body of an error.
        total_seconds: The longest wait for the whole response; None without a deadline.
    """

    receive_seconds: float = 600
    first_byte_seconds: float = 600
    slow_seconds: float = 300
    least_bytes_per_second: int = 1024
    error_body_seconds: float = 60
    total_seconds: float | None = None


class Pace:
    """The time and the bytes of one response, measured by the transport while it waits for data.

    Args:
        what: The requested data, for messages.
        host: The host that responds.
    """

    def __init__(self, limits: PaceLimits, what: str, host: str) -> None:
        self._limits = limits
        self._what = what
        self._host = host
        self._waited_seconds = 0.0
        self._deadline_seconds = limits.total_seconds
        self._first_seconds: float | None = limits.first_byte_seconds
        self._period_seconds = 0.0
        self._period_bytes = 0

    def begin_body(self) -> None:
        """Measure the rate from here on; the first part of the body has arrived."""
        self._first_seconds = None
        self._period_seconds, self._period_bytes = 0.0, 0

    def begin_error_body(self) -> None:
        """Set the deadline for the body of an error, from here on."""
        self.begin_body()
        end_seconds = self._waited_seconds + self._limits.error_body_seconds
        self._deadline_seconds = min(end_seconds, self._deadline_seconds or end_seconds)

    def remaining_seconds(self) -> float:
        """Return the longest time that the next receive may take."""
        bounds = [self._deadline_seconds, self._first_seconds]
        left = [bound - self._waited_seconds for bound in bounds if bound is not None]
        if self._first_seconds is None:
            left.append(self._limits.slow_seconds - self._period_seconds)
        return min(left)

    def received(self, size: int, seconds: float) -> None:
        """Count ``size`` bytes that took ``seconds``; raise a NetworkError if a bound is exceeded."""
        self._waited_seconds += seconds
        self._period_seconds += seconds
        self._period_bytes += size
        if self._first_seconds is not None and self._waited_seconds >= self._first_seconds:
            self._fail(f"did not start to send {self._what} within {self._first_seconds:g} seconds")
        if self._deadline_seconds is not None and self._waited_seconds >= self._deadline_seconds:
            self._fail(f"did not finish {self._what} within {self._deadline_seconds:g} seconds")
        if self._first_seconds is None and self._period_seconds >= self._limits.slow_seconds:
            if self._period_bytes < self._limits.least_bytes_per_second * self._limits.slow_seconds:
                sent = f"{self._period_bytes:,} bytes of {self._what} within {self._limits.slow_seconds:g} seconds"
                self._fail(f"sent only {sent}")
            self._period_seconds, self._period_bytes = 0.0, 0

    def _fail(self, failure: str) -> None:
        raise NetworkError(f"{self._host} {failure}.")


@contextmanager
def paced(pace: Pace) -> Iterator[Pace]:
    """Measure the responses that this thread receives in the block."""
    before = current_pace()
    _current.pace = pace
    try:
        yield pace
    finally:
        _current.pace = before


def current_pace() -> Pace | None:
    """Return the pace of this thread's response; None outside `paced`."""
    return getattr(_current, "pace", None)
