"""Which hours Amplitude has published by now, and the request that a sync begins with."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from source_amplitude.api import AmplitudeClient, RetryBudget, base_url, present, prove_keys, retrying
from source_amplitude.errors import NotPublishedError, StaleDateError
from source_amplitude.windows import HOUR, floor_hour, floor_unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from source_amplitude.clock import Clock
    from source_amplitude.config import Config
    from source_amplitude.export.settings import ExportSettings
    from source_amplitude.windows import HourWindow

_logger = logging.getLogger("airbyte")

_STALE = HOUR


def newest_end(now: datetime, export_delay_hours: int) -> datetime:
    """Return the end of the newest hour that Amplitude has published at ``now``."""
    return floor_hour(now) - HOUR * (export_delay_hours - 1)


@dataclass(frozen=True)
class Publication:
    """The present, by the clocks of both sides.

    Attributes:
        client: Amplitude, where the configuration says the project is.
        other_region: The same keys at the other region, asked only when they are refused.
        config: The user's configuration.
        settings: Bounds of waiting and retrying.
        clock: Our own time.
    """

    client: AmplitudeClient
    other_region: AmplitudeClient
    config: Config
    settings: ExportSettings
    clock: Clock

    @classmethod
    def of(cls, config: Config, settings: ExportSettings, clock: Clock, api_url: str | None) -> Publication:
        """Return Amplitude as the configuration describes it, or a local one at ``api_url`` (`endpoints.base_url`).

        Raises:
            InvalidConfigError: ``api_url`` cannot be used.
        """
        here, other = (
            AmplitudeClient(
                base_url=base_url(region, api_url), region=region, keys=config.keys, timeouts=settings.timeouts
            )
            for region in (config.region, config.region.other)
        )
        return cls(here, other, config, settings, clock)

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()
        self.other_region.close()

    def ask_for_the_time(self) -> None:
        """Send the first request: it proves the keys and brings Amplitude's clock, which the plan depends on.

        Raises:
            AmplitudeError: The keys are refused, or Amplitude cannot be reached.
        """
        settings, clock, client = self.settings, self.clock, self.client
        client.forget_server_date()
        retrying(
            lambda: prove_keys(client, self.other_region),
            policy=replace(settings.retry, total_seconds=min(settings.retry.total_seconds, settings.heartbeat_seconds)),
            budget=RetryBudget(settings.retry_budget_seconds),
            clock=clock,
            on_retry=lambda error, seconds: _logger.warning("%s Next try in %.0f seconds.", error.what, seconds),
        )
        skew_seconds = 0.0 if client.server_date is None else (clock.now() - client.server_date).total_seconds()
        if abs(skew_seconds) > settings.clock_skew_seconds:
            _logger.warning(
                "This machine's clock is %.0f seconds %s Amplitude's; the earlier of the two decides which hours are "
                "published.",
                abs(skew_seconds),
                "ahead of" if skew_seconds > 0 else "behind",
            )

    def require_current_date(self, start: datetime | None, newest_read: datetime | None) -> None:
        """Return unless Amplitude's clock is so late that a run would read nothing, successfully.

        Args:
            start: The configured start, if it matters.
            newest_read: The newest hour or day that was read before, if any.

        Raises:
            StaleDateError: The latest answer is dated more than an hour before our clock, and before one of these.
        """
        require_current_date(
            self.clock.now(),
            self.client.server_date,
            {"start_date": start, "the newest hour already read": newest_read},
        )

    def newest_end(self) -> datetime:
        """Return the end of the newest published hour, by the earlier clock: no hour is asked for too early."""
        return newest_end(present(self.clock, self.client), self.config.export_delay_hours)

    def span_end(self, end: datetime | None) -> datetime:
        """Return the end of the newest hour to ask for: the newest published one, or ``end`` if that is earlier."""
        newest = self.newest_end()
        return floor_unit(min(newest, end or newest))

    def latest(self) -> datetime:
        """Return the later of the two clocks: a clock of ours that is slow must not make hours come twice."""
        ours = self.clock.now()
        return max(ours, self.client.server_date or ours)


def require_current_date(ours: datetime, theirs: datetime | None, later_moments: Mapping[str, datetime | None]) -> None:
    """Return unless ``theirs`` is more than an hour before ``ours`` and before one of the named moments.

    Moments after ``ours`` do not count: by both clocks they are in the future.

    Raises:
        StaleDateError: It is.
    """
    if theirs is None or ours - theirs <= _STALE:
        return
    for name, moment in later_moments.items():
        if moment is not None and theirs < moment <= ours:
            raise StaleDateError(
                f"Amplitude's answer is dated {theirs:%Y-%m-%d %H:%M} UTC, before {name} "
                f"({moment:%Y-%m-%d %H:%M} UTC), and this machine's clock says {ours:%Y-%m-%d %H:%M} UTC.",
                tried="Nothing was read.",
            )


def not_published_error(
    hours: HourWindow, export_delay_hours: int, *, next_step: str | None = None
) -> NotPublishedError:
    """Return the error for ``hours`` that somebody asked for by name and that are too young."""
    ready = hours.end + HOUR * (export_delay_hours - 1)
    return NotPublishedError(
        f"Amplitude has not published {hours} yet; it will have by {ready:%Y-%m-%d %H:%M} UTC.", next_step=next_step
    )
