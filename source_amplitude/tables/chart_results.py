"""The table of saved charts' results."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from source_amplitude.api import Request
from source_amplitude.api.quotas import Quota
from source_amplitude.errors import NotFoundError
from source_amplitude.rows.csv_files import chart_rows
from source_amplitude.tables.table import Part, Reading, State, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.rows.shapes import Row
    from source_amplitude.tables.rest_session import RestSession

_COST = 100
"""An estimate: a chart's cost depends on its days and segments, which only Amplitude knows."""


class ChartsReading(Reading):
    """Each part is a chart; the last part is empty and reports missing charts."""

    def __init__(self, table: Table, rest: RestSession, state: State) -> None:
        super().__init__(table, rest, state)
        self._not_found: list[str] = []

    def _parts(self, *, again: bool) -> Iterator[Part]:  # noqa: ARG002 - there is no state
        for chart_id in self.config.chart_ids:
            yield {"chart_id": chart_id}
        yield {}

    def _rows(self, part: Part) -> Iterator[Row]:
        if not part:
            if self._not_found:
                raise NotFoundError(
                    f"chart_ids has charts that the project does not have: {'; '.join(self._not_found)}"
                )
            return
        chart_id = str(part["chart_id"])
        path = f"/api/3/chart/{quote(chart_id, safe='')}/csv"
        request = Request(path, f"chart {chart_id}", quota=Quota.DASHBOARD, cost=_COST)
        try:
            yield from chart_rows(self.rest.json(request), chart_id)
        except NotFoundError as error:
            self._not_found.append(error.what)


CHART_RESULTS = Table("chart_results", ("chart_id", "row"), reading=ChartsReading, needs="chart_ids")
