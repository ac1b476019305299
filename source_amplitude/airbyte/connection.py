"""Open Amplitude for a configuration, and check its keys. Does not import the CDK."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from source_amplitude.clock import SystemClock
from source_amplitude.errors import AmplitudeError, ForeignResponseError, RetryableError, UnreachableError
from source_amplitude.export import Amplitude, Limits
from source_amplitude.export.outlook import Outlook, outlook

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from source_amplitude.clock import Clock
    from source_amplitude.config import Config

_logger = logging.getLogger("airbyte")

_CHECK_SECONDS = 60  # a user waits for the result of check; a sync may wait longer


@dataclass(frozen=True)
class Connection:
    """How to reach Amplitude.

    Attributes:
        api_url: The value of AMPLITUDE_API_URL; None for Amplitude itself.
    """

    limits: Limits
    clock: Clock
    api_url: str | None

    @classmethod
    def of(
        cls, limits: Limits | None = None, clock: Clock | None = None, environ: Mapping[str, str] = os.environ
    ) -> Connection:
        return cls(limits or Limits(), clock or SystemClock(), environ.get("AMPLITUDE_API_URL"))

    def open(self, config: Config) -> Amplitude:
        """Return Amplitude for ``config``; raise an InvalidConfigError if AMPLITUDE_API_URL is invalid."""
        return Amplitude.of(config, self.limits, self.clock, self.api_url)

    def check(self, config: Config, stop: threading.Event) -> None:
        """Raise an AmplitudeError if Amplitude does not accept the keys, or ``stop`` was set; download no data."""
        timeouts = self.limits.timeouts
        timeouts = replace(timeouts, read_seconds=min(_CHECK_SECONDS, timeouts.read_seconds))
        amplitude = replace(self, limits=replace(self.limits, timeouts=timeouts)).open(config)
        try:
            amplitude.check_credentials(stop)
        except AmplitudeError as error:
            if isinstance(error, RetryableError | UnreachableError) and not isinstance(error, ForeignResponseError):
                error.advice = self._advice()
            raise

    def log_outlook(self, config: Config) -> Outlook:
        """Log which hours a first read will read, and return this."""
        found = outlook(config, self.clock.now())
        (_logger.warning if found.is_warning else _logger.info)("%s", found.text)
        return found

    def _advice(self) -> str:
        if self.api_url:
            return f"AMPLITUDE_API_URL is set to {self.api_url}. Check that a local Amplitude runs there."
        return "Try again in a few minutes. If it still fails, check the machine's network and proxy settings."
