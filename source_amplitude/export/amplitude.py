"""One Amplitude project: its clients, limits, clocks and published hours."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from source_amplitude.api import (
    AmplitudeClient,
    Host,
    RateLimitWaits,
    RetryBudget,
    RetryPolicy,
    Timeouts,
    base_url,
    check_credentials,
    retrying,
)
from source_amplitude.clock import result_unless, sleep_unless
from source_amplitude.errors import NotPublishedError, StoppedError
from source_amplitude.export.clock_skew import TwoClocks
from source_amplitude.windows import HOUR, floor_hour, floor_unit

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.clock import Clock
    from source_amplitude.config import Config
    from source_amplitude.windows import HourWindow

MAX_EXPORT_HOURS = 365 * 24
"""The maximum span of one request: 365 days (documented, Export API)."""


@dataclass(frozen=True)
class Limits:
    """Internal limits of an export; users cannot configure them.

    Attributes:
        retry: The retry policy of one archive: request, body and verification together.
        retry_budget_seconds: Total waiting time for all retries of a stream.
        archive_attempts: How often to download an archive whose member fails while it is read.
        same_failures_to_stop: Number of consecutive windows with the same kind of error that stops the stream.
        disk_bytes: Maximum size of all archives on disk, except the one that is being read. At most a quarter of the
            free space is used.
        heartbeat_seconds: Maximum time without output before the unchanged state is emitted again.
        processes_after_bytes: Bytes of JSON to encode in the main process before worker processes are started. A sync
            of half a second does not need them.
        clock_skew_seconds: Tolerated difference between the local clock and Amplitude's; more causes a warning.
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
    """Return the end of the newest hour that is published at ``now``."""
    return floor_hour(now) - HOUR * (export_delay_hours - 1)


@dataclass(frozen=True)
class Amplitude:
    """One Amplitude project with its clients, configuration, limits and clock.

    Attributes:
        client: The client for the configured region.
        other_region: The client for the other region, used only if the configured region refuses the keys.
        waits: The waits for rate limits and quotas that are under way.
    """

    client: AmplitudeClient
    other_region: AmplitudeClient
    config: Config
    limits: Limits
    clock: Clock
    waits: RateLimitWaits = field(default_factory=RateLimitWaits)

    @classmethod
    def of(cls, config: Config, limits: Limits, clock: Clock, api_url: str | None) -> Amplitude:
        """Return Amplitude for ``config``, at ``api_url`` if it is set; raise an InvalidConfigError if invalid."""
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

    def connect(self, stop: Event | None = None) -> None:
        """Send the first request, which verifies the credentials and reads Amplitude's clock for the plan.

        Args:
            stop: Ends the request and the waits between retries once it is set.

        Raises:
            AmplitudeError: The credentials are rejected, or Amplitude cannot be reached.
            StoppedError: ``stop`` was set.
        """
        limits, clock, client = self.limits, self.clock, self.client
        stop = stop or Event()

        def wait(seconds: float) -> None:
            if not sleep_unless(stop, clock, seconds):
                raise StoppedError

        client.forget_server_date()
        retrying(
            partial(self.check_credentials, stop),
            policy=replace(limits.retry, total_seconds=min(limits.retry.total_seconds, limits.heartbeat_seconds)),
            budget=RetryBudget(limits.retry_budget_seconds),
            clock=clock,
            sleep=wait,
            waits=self.waits,
        )
        self.clocks.warn_about_skew(limits.clock_skew_seconds)

    def check_credentials(self, stop: Event) -> None:
        """Send one request that verifies the credentials; raise a StoppedError once ``stop`` is set."""
        result_unless(stop, partial(check_credentials, self.client, self.other_region))

    @property
    def clocks(self) -> TwoClocks:
        """The current time by the local clock and by Amplitude's."""
        return TwoClocks(self.clock.now(), self.client.server_date)

    def newest_end(self) -> datetime:
        """Return the end of the newest published hour, by the earlier of the two clocks."""
        return newest_end(self.clocks.conservative_now(), self.config.export_delay_hours)

    def span_end(self, end: datetime | None) -> datetime:
        """Return the end of the newest hour to request: of the newest published hour, or ``end`` if it is earlier."""
        newest = self.newest_end()
        return floor_unit(min(newest, end or newest))


def not_published_error(
    hours: HourWindow, export_delay_hours: int, *, next_step: str | None = None
) -> NotPublishedError:
    """Return the error for requested ``hours`` that are not published yet."""
    ready = hours.end + HOUR * (export_delay_hours - 1)
    return NotPublishedError(
        f"Amplitude has not published {hours} yet. Not available before {ready:%Y-%m-%d %H:%M} UTC.",
        next_step=next_step,
    )
