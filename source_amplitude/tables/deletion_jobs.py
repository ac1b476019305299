"""The users whose data Amplitude deletes, so that copies can be cleaned up: one row per user of a deletion job."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from source_amplitude.api import Request
from source_amplitude.api.quotas import Quota
from source_amplitude.errors import RequestRejectedError
from source_amplitude.rows.days import ONE_DAY, Interval, last_ended_day, plan_days
from source_amplitude.rows.shapes import deletions
from source_amplitude.tables.table import Part, Reading, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.rows.shapes import Row

_logger = logging.getLogger("airbyte")

_MOST_DAYS = 180
"""The maximum days of a request: six months (documented, User Privacy API)."""

_AHEAD = timedelta(days=32)
"""Jobs run within 30 days (documented). It is unknown whether future days may be requested."""


class DeletionsReading(Reading):
    """Each part is a span of days; the last span is in the future."""

    def _parts(self, *, again: bool) -> Iterator[Part]:  # noqa: ARG002 - there is no state
        today = last_ended_day(self.rest.conservative_now(), self.config.project_time_zone) + ONE_DAY
        for span in plan_days(self.config.start.date(), today, Interval.DAY, _MOST_DAYS):
            yield {"first": str(span.first), "last": str(span.last)}
        yield {"first": str(today + ONE_DAY), "last": str(today + _AHEAD), "is_future": True}

    def _rows(self, part: Part) -> Iterator[Row]:
        request = Request(
            "/api/2/deletions/users",
            f"deletion jobs of {part['first']} to {part['last']}",
            (("start_day", str(part["first"])), ("end_day", str(part["last"]))),
            quota=Quota.DELETIONS,
        )
        try:
            yield from deletions(self.rest.json(request))
        except RequestRejectedError as error:
            if not part.get("is_future"):
                raise
            _logger.warning("%s Jobs of future days are left to a later sync.", error.what)


DELETION_JOBS = Table("deletion_jobs", ("day", "amplitude_id"), reading=DeletionsReading)
