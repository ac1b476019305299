"""A session with Amplitude's REST APIs: requests wait for their quota and are retried."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from source_amplitude.api import RetryBudget, retrying
from source_amplitude.clock import result_unless, sleep_unless
from source_amplitude.errors import CredentialsRejectedError, NotInPlanError, RateLimitedError, StoppedError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import datetime

    from source_amplitude.api import CredentialCheck, Request, Response
    from source_amplitude.api.client import ByteSink
    from source_amplitude.api.quotas import Quotas
    from source_amplitude.export import Amplitude

T = TypeVar("T")

_LIMIT_SECONDS = 60.0
"""The wait after a 429 without Retry-After: eight attempts outlast the five minutes of a rate limit."""


class RestSession:
    """The session of one table.

    Args:
        amplitude: The project's clients, configuration, limits and clocks; the retry budget is per table.
        check: The check of the keys before the first request, shared by all tables of a run.
        quotas: The quotas, shared by all tables of a run.
        stop: Set to stop the session.
    """

    def __init__(self, amplitude: Amplitude, check: CredentialCheck, quotas: Quotas, stop: threading.Event) -> None:
        self.amplitude = amplitude
        self._check = check
        self._quotas = quotas
        self._stop = stop
        self._budget = RetryBudget(amplitude.limits.retry_budget_seconds)

    def json(self, request: Request) -> object:
        """Return the decoded response to ``request``, with retries; `rest_error` has the errors."""
        return self.retrying(lambda: self.fetch(request).json(request.what))

    def fetch(self, request: Request, sink: ByteSink | None = None) -> Response:
        """Wait for the quota and send ``request`` once; see `AmplitudeClient.fetch`."""
        self.raise_if_stopped()
        result_unless(self._stop, self._check.require)
        if request.quota is not None:
            self._quotas.spend(request.quota, request.cost, request.what)
        try:
            return result_unless(self._stop, lambda: self.amplitude.client.fetch(request, sink))
        except CredentialsRejectedError as error:
            if self._check.has_passed:
                raise NotInPlanError(error.what) from error
            raise
        except RateLimitedError as error:
            if error.retry_after_seconds is None:
                error.retry_after_seconds = min(_LIMIT_SECONDS, self.amplitude.limits.retry.longest_wait_seconds)
            raise

    def conservative_now(self) -> datetime:
        """Return the earlier of the local time and Amplitude's; the check of the keys fetches Amplitude's time."""
        result_unless(self._stop, self._check.require)
        return self.amplitude.clocks.conservative_now()

    def fetch_storage(self, url: str, what: str, sink: ByteSink) -> None:
        """Download a pre-signed URL once; see `AmplitudeClient.fetch_storage`."""
        self.raise_if_stopped()
        result_unless(self._stop, lambda: self.amplitude.client.fetch_storage(url, what, sink))

    def retrying(self, action: Callable[[], T]) -> T:
        """Call ``action`` and return its result; retry it after a RetryableError."""
        return retrying(
            action,
            policy=self.amplitude.limits.retry,
            budget=self._budget,
            clock=self.amplitude.clock,
            sleep=self.wait,
            waits=self.amplitude.waits,
        )

    def wait(self, seconds: float) -> None:
        sleep_unless(self._stop, self.amplitude.clock, seconds)
        self.raise_if_stopped()

    def raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise StoppedError
