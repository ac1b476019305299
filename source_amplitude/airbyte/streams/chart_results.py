"""What saved charts show, row by row."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from source_amplitude.airbyte.streams.rest_stream import RestStream
from source_amplitude.api import Call
from source_amplitude.api.quotas import Quota
from source_amplitude.errors import NotFoundError
from source_amplitude.rows import chart_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from source_amplitude.airbyte.streams.rest_stream import RestContext
    from source_amplitude.api.rest import Rest

_logger = logging.getLogger("airbyte")

_COST = 100
"""A guess: a chart's cost depends on its days and segments, which only Amplitude knows."""


class ChartResults(RestStream):
    """The rows of each chart in ``chart_ids``."""

    name = "chart_results"
    primary_key = ["chart_id", "row"]  # noqa: RUF012 - the CDK's form

    def __init__(self, context: RestContext) -> None:
        super().__init__(context)
        self._not_found: list[str] = []

    def stream_slices(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 - the CDK's signature
        """Yield ``{"chart_id"}`` for each chart that is configured."""
        if not self._config.chart_ids:
            _logger.info("%s: chart_ids is empty, so there is nothing to read.", self.name)
        for chart_id in self._config.chart_ids:
            yield {"chart_id": chart_id}
        yield {}  # the end, when the others have been read

    def rows(self, rest: Rest, part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """See `RestStream.rows`."""
        if not part:
            if self._not_found:
                raise NotFoundError(f"chart_ids names what the project does not have: {'; '.join(self._not_found)}")
            return
        chart_id = str(part["chart_id"])
        path = f"/api/3/chart/{quote(chart_id, safe='')}/csv"
        call = Call(path, f"chart {chart_id}", quota=Quota.DASHBOARD, cost=_COST)
        try:
            yield from chart_rows(rest.json(call), chart_id)
        except NotFoundError as error:
            self._not_found.append(error.what)
