"""Whose data Amplitude deletes, and when, so that a copy can follow."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from source_amplitude.airbyte.streams.rest_stream import RestStream
from source_amplitude.api import Call
from source_amplitude.api.quotas import Quota
from source_amplitude.errors import RequestRejectedError
from source_amplitude.rows import deletions
from source_amplitude.rows.days import ONE_DAY, Interval, last_ended_day, plan_days

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from source_amplitude.api.rest import Rest

_logger = logging.getLogger("airbyte")

_MOST_DAYS = 180
"""Of one request: six months (documented, User Privacy API)."""

_AHEAD = timedelta(days=32)
"""Jobs run within 30 days (documented). Whether days to come may be asked for is not established."""


class DeletionJobs(RestStream):
    """One row for each user of each deletion job."""

    name = "deletion_jobs"
    primary_key = ["day", "amplitude_id"]  # noqa: RUF012 - the CDK's form

    def stream_slices(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 - the CDK's signature
        """Yield the spans to ask for, as ``{"first", "last"}``."""
        today = last_ended_day(self.present(), self._config.project_time_zone) + ONE_DAY
        for span in plan_days(self._config.start.date(), today, Interval.DAY, _MOST_DAYS):
            yield {"first": str(span.first), "last": str(span.last)}
        yield {"first": str(today + ONE_DAY), "last": str(today + _AHEAD), "is_future": True}

    def rows(self, rest: Rest, part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """See `RestStream.rows`."""
        if not part:
            return
        call = Call(
            "/api/2/deletions/users",
            f"deletion jobs of {part['first']} to {part['last']}",
            (("start_day", str(part["first"])), ("end_day", str(part["last"]))),
            quota=Quota.DELETIONS,
        )
        try:
            yield from deletions(rest.json(call))
        except RequestRejectedError as error:
            if not part.get("is_future"):
                raise
            _logger.warning("%s Jobs of days to come are left to a later sync.", error.what)
