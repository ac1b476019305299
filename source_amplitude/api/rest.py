"""Requests of one stream: each waits for its quota, is sent, decoded, and sent again where that may help."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from source_amplitude.api.retry import RetryBudget, RetryPolicy, retrying
from source_amplitude.clock import sleep_unless
from source_amplitude.errors import CredentialsRejectedError, NotInPlanError, RateLimitedError, StoppedError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import datetime

    from source_amplitude.api.answers import Fetched
    from source_amplitude.api.client import AmplitudeClient, ByteSink
    from source_amplitude.api.credentials import KeysProof
    from source_amplitude.api.endpoints import Call
    from source_amplitude.api.quotas import Quotas
    from source_amplitude.clock import Clock

T = TypeVar("T")

_LIMIT_SECONDS = 60.0
"""Eight attempts a minute apart outlast the limit of five minutes, which others of the project may have used up."""


class Rest:
    """Amplitude for one stream.

    Args:
        client: Sends one request at a time.
        proof: Whether the keys are good, asked for before the first request.
        quotas: What all streams have spent.
        policy: Bounds of one request's attempts.
        budget_seconds: Waiting time that all retries share.
        clock: Where the time and the waiting come from.
        stop: Ends waits.
    """

    def __init__(
        self,
        client: AmplitudeClient,
        proof: KeysProof,
        quotas: Quotas,
        *,
        policy: RetryPolicy,
        budget_seconds: float,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._proof = proof
        self._quotas = quotas
        self._policy = policy
        self._budget = RetryBudget(budget_seconds)
        self._clock = clock
        self._stop = stop

    def json(self, call: Call) -> object:
        """Return the decoded answer to ``call``.

        Raises:
            AmplitudeError: By status and words, after retries; see `answers.rest_error`.
        """
        return self.retrying(lambda: self.fetch(call).json(call.what))

    def fetch(self, call: Call, sink: ByteSink | None = None) -> Fetched:
        """Wait for the quota and send ``call`` once; see `AmplitudeClient.fetch`."""
        self.raise_if_stopped()
        self._proof.require()
        if call.quota is not None:
            self._quotas.spend(call.quota, call.cost, call.what)
        try:
            return self._client.fetch(call, sink)
        except CredentialsRejectedError as error:
            if self._proof.holds:
                raise NotInPlanError(error.what) from error
            raise
        except RateLimitedError as error:
            if error.retry_after_seconds is None:
                error.retry_after_seconds = min(_LIMIT_SECONDS, self._policy.longest_wait_seconds)
            raise

    def present(self) -> datetime:
        """Return the earlier of our clock and Amplitude's, which the first request asks for.

        Raises:
            CredentialsRejectedError: Amplitude refuses the keys.
        """
        self._proof.require()
        ours, theirs = self._clock.now(), self._client.server_date
        return ours if theirs is None else min(ours, theirs)

    def fetch_storage(self, url: str, what: str, sink: ByteSink) -> None:
        """Download a pre-signed address once; see `AmplitudeClient.fetch_storage`."""
        self.raise_if_stopped()
        self._client.fetch_storage(url, what, sink)

    def retrying(self, action: Callable[[], T]) -> T:
        """Return what ``action`` returns, called again after every error that may pass."""
        return retrying(action, policy=self._policy, budget=self._budget, clock=_Napping(self))

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            StoppedError: The sync was asked to end meanwhile.
        """
        sleep_unless(self._stop, self._clock, seconds)
        self.raise_if_stopped()

    def raise_if_stopped(self) -> None:
        """Raise StoppedError once the sync was asked to end."""
        if self._stop.is_set():
            raise StoppedError

    @property
    def clock(self) -> Clock:
        """Where the time comes from."""
        return self._clock


class _Napping:
    """The clock for retries, whose sleep ends when the sync is asked to end."""

    def __init__(self, rest: Rest) -> None:
        self.now = rest.clock.now
        self.monotonic_seconds = rest.clock.monotonic_seconds
        self.sleep = rest.wait
