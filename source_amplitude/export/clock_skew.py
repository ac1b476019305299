"""The difference between the local clock and Amplitude's, and the choice between them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.errors import StaleDateError
from source_amplitude.windows import HOUR

if TYPE_CHECKING:
    from datetime import datetime

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class TwoClocks:
    """The current time by both clocks, aware UTC.

    Attributes:
        ours: The local clock.
        theirs: The Date header of Amplitude's latest response; None before the first response.
    """

    ours: datetime
    theirs: datetime | None

    def conservative_now(self) -> datetime:
        """Return the earlier time: a fast local clock must not skip hours that are not published yet."""
        return self.ours if self.theirs is None else min(self.ours, self.theirs)

    def latest_now(self) -> datetime:
        """Return the later time: a slow local clock must not make read hours look like future hours."""
        return self.ours if self.theirs is None else max(self.ours, self.theirs)

    def warn_about_skew(self, tolerated_seconds: float) -> None:
        skew_seconds = 0.0 if self.theirs is None else (self.ours - self.theirs).total_seconds()
        if abs(skew_seconds) > tolerated_seconds:
            _logger.warning(
                "This machine's clock is %.0f seconds %s Amplitude's. The earlier time decides which hours are "
                "published.",
                abs(skew_seconds),
                "ahead of" if skew_seconds > 0 else "behind",
            )

    def require_current_date(self, start: datetime | None, newest_read: datetime | None) -> None:
        """Raise a StaleDateError if Amplitude's clock would make a sync succeed without reading any hour.

        This is so if it is more than an hour behind the local clock, and before ``start`` or ``newest_read``.
        """
        if self.theirs is None or self.ours - self.theirs <= HOUR:
            return
        for name, moment in (("start_date", start), ("the newest hour already read", newest_read)):
            # A time after both clocks is a future date, not a clock problem.
            if moment is not None and self.theirs < moment <= self.ours:
                raise StaleDateError(
                    f"Amplitude's response is dated {self.theirs:%Y-%m-%d %H:%M} UTC, before {name} "
                    f"({moment:%Y-%m-%d %H:%M} UTC). This machine's clock shows {self.ours:%Y-%m-%d %H:%M} UTC.",
                    tried="Nothing was read.",
                )
