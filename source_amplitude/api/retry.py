"""Retries, bounded in attempts, in time for one action, and in waiting time for a whole stream."""

from __future__ import annotations

import logging
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import tenacity

from source_amplitude.errors import RateLimitedError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from source_amplitude.api.rate_limits import RateLimitWaits
    from source_amplitude.clock import Clock

T = TypeVar("T")

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class RetryPolicy:
    """The bounds of one action's retries.

    Attributes:
        attempts: The number of calls, including the first.
        first_wait_seconds: The wait before the second attempt; doubles after each, with jitter of the same size.
        longest_wait_seconds: The longest wait between two attempts, unless Retry-After is longer.
        total_seconds: The last attempt starts at most this long after the first; a longer Retry-After ends the action.
    """

    attempts: int = 8
    first_wait_seconds: float = 1
    longest_wait_seconds: float = 60
    total_seconds: float = 900


class RetryBudget:
    """Waiting time in seconds that all retries of a stream share; thread-safe."""

    def __init__(self, seconds: float = 1800) -> None:
        self._left_seconds = seconds
        self._lock = threading.Lock()

    @property
    def is_spent(self) -> bool:
        with self._lock:
            return self._left_seconds <= 0

    def spend(self, seconds: float) -> None:
        with self._lock:
            self._left_seconds -= seconds


def log_retry(error: RetryableError, seconds: float, about: object = "") -> None:
    """Log the reason for a retry and the wait; ``about`` names the request if the error does not."""
    _logger.warning("%s Next try in %.0f s%s.", error.what, seconds, f" ({about})" if about else "")


def retrying(
    action: Callable[[], T],
    *,
    policy: RetryPolicy,
    budget: RetryBudget,
    clock: Clock,
    on_retry: Callable[[RetryableError, float], None] = log_retry,
    sleep: Callable[[float], None] | None = None,
    waits: RateLimitWaits | None = None,
) -> T:
    """Return what ``action`` returns, calling it again after every `RetryableError` within the bounds.

    Args:
        action: An idempotent call.
        budget: The waiting time shared with other actions; each wait is subtracted.
        on_retry: Called before each wait with the error and the wait in seconds.
        sleep: Replaces the clock's sleep; may raise an exception to end the action.
        waits: Reports waits after a `RateLimitedError`.

    Raises:
        AmplitudeError: The error of the last call; ``tried`` of a retryable one states the number of attempts.
    """
    started = clock.monotonic_seconds()
    latest: BaseException | None = None

    def pause(seconds: float) -> None:
        with _reported(latest, seconds, waits, clock):
            (sleep or clock.sleep)(seconds)

    def before_sleep(call: tenacity.RetryCallState) -> None:
        nonlocal latest
        error = latest = call.outcome.exception() if call.outcome else None
        seconds = call.next_action.sleep if call.next_action else 0.0
        budget.spend(seconds)
        if isinstance(error, RetryableError):
            on_retry(error, seconds)

    def is_over(call: tenacity.RetryCallState) -> bool:
        late = clock.monotonic_seconds() - started + call.upcoming_sleep > policy.total_seconds
        return late or budget.is_spent

    retry = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(RetryableError),
        stop=lambda call: call.attempt_number >= policy.attempts or is_over(call),
        wait=_RetryAfterOr(policy),
        sleep=pause,
        before_sleep=before_sleep,
        reraise=True,
    )
    try:
        return retry(action)
    except RetryableError as error:
        attempts = retry.statistics.get("attempt_number", 1)
        seconds = clock.monotonic_seconds() - started
        if attempts > 1:
            error.tried = f"Tried {attempts} times in {seconds:.0f} s."
        raise


def _reported(
    error: BaseException | None, seconds: float, waits: RateLimitWaits | None, clock: Clock
) -> AbstractContextManager[None]:
    """Return the context of a wait of ``seconds`` after ``error``, which reports it if it is for a rate limit."""
    if waits is None or not isinstance(error, RateLimitedError):
        return nullcontext()
    reset_seconds = error.retry_after_seconds if error.is_end_known else None
    return waits.during(seconds, None if reset_seconds is None else clock.now() + timedelta(seconds=reset_seconds))


class _RetryAfterOr(tenacity.wait.wait_base):
    """Waits that double, with jitter; a longer Retry-After takes precedence."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._longest_seconds = policy.longest_wait_seconds
        self._backoff = tenacity.wait_random_exponential(
            multiplier=policy.first_wait_seconds, max=policy.longest_wait_seconds
        ) + tenacity.wait_fixed(policy.first_wait_seconds / 2)

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        seconds = min(float(self._backoff(retry_state)), self._longest_seconds)
        error = retry_state.outcome.exception() if retry_state.outcome else None
        if isinstance(error, RateLimitedError) and error.retry_after_seconds is not None:
            seconds = max(seconds, error.retry_after_seconds)
        return seconds
