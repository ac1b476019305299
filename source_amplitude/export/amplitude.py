"""One project at Amplitude, the bounds to work within, which hours are published, and a sync's first request."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from source_amplitude.api import (
    AmplitudeClient,
    Host,
    RetryBudget,
    RetryPolicy,
    Timeouts,
    base_url,
    check_credentials,
    retrying,
)
from source_amplitude.errors import NotPublishedError
from source_amplitude.export.clock_skew import TwoClocks
from source_amplitude.windows import HOUR, floor_hour, floor_unit

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.clock import Clock
    from source_amplitude.config import Config
    from source_amplitude.windows import HourWindow

MAX_EXPORT_HOURS = 365 * 24
"""The longest span of one request: 365 days (documented, Export API)."""


@dataclass(frozen=True)
class Limits:
    """Waiting, retrying, disk: everything about an export that is no user's business.

    Attributes:
        retry: For one archive: request, body and verification together.
        retry_budget_seconds: Waiting time that all retries of a stream share.
        archive_attempts: How often an archive is downloaded whose member breaks while it is read.
        same_failures_to_stop: So many windows in a row that fail alike end the stream.
        disk_bytes: Most bytes of archives on disk, but for the archive being read; a quarter of the free space
            if that is less.
        heartbeat_seconds: How long nothing may leave before the unchanged state is due again.
        processes_after_bytes: So much JSON is encoded in one process before others are started: a sync that is over
            in half a second has no use for them.
        clock_skew_seconds: A larger difference between our clock and Amplitude's is worth a warning.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    retry_budget_seconds: float = 1800
    archive_attempts: int = 3
    same_failures_to_stop: int = 3
    disk_bytes: int = 2_000_000_000
    heartbeat_seconds: float = 300
    processes_after_bytes: int = 32 * 1024**2
    clock_skew_seconds: float = 300


def newest_end(now: datetime, export_delay_hours: int) -> datetime:
    """Return the end of the newest hour that Amplitude has published at ``now``."""
    return floor_hour(now) - HOUR * (export_delay_hours - 1)


@dataclass(frozen=True)
class Amplitude:
    """One project at Amplitude with all that a run needs to work with it; handed on whole.

    Attributes:
        client: The region that the configuration names.
        other_region: The same keys at the other region, asked only when they are refused.
    """

    client: AmplitudeClient
    other_region: AmplitudeClient
    config: Config
    limits: Limits
    clock: Clock

    @classmethod
    def of(cls, config: Config, limits: Limits, clock: Clock, api_url: str | None) -> Amplitude:
        """Return Amplitude as configured, or a local one at ``api_url``; raise an InvalidConfigError if unusable."""
        here, other = (
            AmplitudeClient(
                base_url=base_url(region, api_url),
                region=region,
                keys=config.keys,
                timeouts=limits.timeouts,
                data_url=base_url(region, api_url, Host.DATA),
            )
            for region in (config.region, config.region.other)
        )
        return cls(here, other, config, limits, clock)

    def close(self) -> None:
        self.client.close()
        self.other_region.close()

    def connect(self) -> None:
        """Send the first request: it proves the keys and brings Amplitude's clock, which the plan depends on.

        Raises:
            AmplitudeError: The keys are refused, or Amplitude cannot be reached.
        """
        limits, clock, client = self.limits, self.clock, self.client
        client.forget_server_date()
        retrying(
            lambda: check_credentials(client, self.other_region),
            policy=replace(limits.retry, total_seconds=min(limits.retry.total_seconds, limits.heartbeat_seconds)),
            budget=RetryBudget(limits.retry_budget_seconds),
            clock=clock,
        )
        self.clocks.warn_about_skew(limits.clock_skew_seconds)

    @property
    def clocks(self) -> TwoClocks:
        """This machine's time and Amplitude's, now."""
        return TwoClocks(self.clock.now(), self.client.server_date)

    def newest_end(self) -> datetime:
        """Return the end of the newest published hour, by the earlier clock: no hour is asked for too early."""
        return newest_end(self.clocks.conservative_now(), self.config.export_delay_hours)

    def span_end(self, end: datetime | None) -> datetime:
        """Return the end of the newest hour to ask for: the newest published one, or ``end`` if that is earlier."""
        newest = self.newest_end()
        return floor_unit(min(newest, end or newest))


def not_published_error(
    hours: HourWindow, export_delay_hours: int, *, next_step: str | None = None
) -> NotPublishedError:
    """Return the error for ``hours`` that were asked for by name and that are too young."""
    ready = hours.end + HOUR * (export_delay_hours - 1)
    return NotPublishedError(
        f"Amplitude has not published {hours} yet; it will have by {ready:%Y-%m-%d %H:%M} UTC.", next_step=next_step
    )
