"""Tables of dashboard figures by date; days are read after they end, and the newest days are read again."""

from __future__ import annotations

import logging
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime, time, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from source_amplitude.api import Request
from source_amplitude.api.quotas import Quota
from source_amplitude.config.fields import shown
from source_amplitude.errors import InvalidStateError, UnknownShapeError
from source_amplitude.rows.dashboards import Matrix, by_bin, composition, revenue_rows
from source_amplitude.rows.days import ONE_DAY, DaySpan, Interval, last_ended_day, parse_day, plan_days
from source_amplitude.tables.table import Part, Reading, State, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from source_amplitude.config import Config
    from source_amplitude.rows.shapes import Row
    from source_amplitude.tables.rest_session import RestSession

_logger = logging.getLogger("airbyte")

_MOST_COST = 450
"""The maximum cost of a request: two requests fit into five minutes, with room for the project's other users."""

_MOST_DAYS = 360
"""The maximum days of a request: responses with dates without a year must not contain a date twice."""

_COUNTRY_COST = 5

_FIRST_YEAR = 1970  # no state has an earlier date

_TRUNCATED = ("prunedResult", "hitChunkGroupByLimit", "timedOutRealtimeData", "realtimeDataMissing")
"""Flags in the response (observed, amplitude-api.md 3.2) for incomplete data."""


@dataclass(frozen=True)
class Query:
    """A request for dashboard figures, without its days.

    Attributes:
        parameters: The query parameters.
        rows: Converts the decoded response to rows, or its `Matrix` if it has series.
        cost_per_day: The cost by amplitude-api.md 3.1.
        has_series: Whether the response has series by date, which may be truncated.
    """

    parameters: tuple[tuple[str, str], ...]
    rows: Callable[[Any, DaySpan], Iterable[Row]]
    cost_per_day: int = 1
    has_series: bool = True


class DashboardReading(Reading):
    """Each part is a span of days; the state is the newest date that was read, as in upstream."""

    table: Dashboard

    def __init__(self, table: Dashboard, rest: RestSession, state: State) -> None:
        super().__init__(table, rest, state)
        self._cut: str | None = None

    def _parts(self, *, again: bool) -> Iterator[Part]:
        newest = ended = last_ended_day(self.rest.conservative_now(), self.config.project_time_zone)
        if self.config.end is not None:
            newest = min(newest, (self.config.end - ONE_DAY).date())
        self.rest.amplitude.clocks.require_current_date(
            self.config.start, _certainly_read_until(self.state.get("date"))
        )
        first = self._first_day(ended, again=again)
        for span in plan_days(first, newest, self.table.interval, self.table.days_per_request(self.config)):
            yield {"first": str(span.first), "last": str(span.last)}

    def _rows(self, part: Part) -> Iterator[Row]:
        span = DaySpan(date.fromisoformat(part["first"]), date.fromisoformat(part["last"]))
        for query in self.table.queries(self.config):
            body = self.rest.json(self._request(query, span))
            self._warn_if_flagged(body, span)
            cut = None
            if query.has_series:
                body = matrix = Matrix.of(body)
                cut = matrix.first_cut_day(span if self.table.interval is Interval.DAY else ())
            if cut is not None:
                self._cut = min(cut, self._cut or cut)
            for row in query.rows(body, span):
                if str(self._require_requested(row, span)) < (cut or "9"):
                    yield row
        self._move_on(span)

    def _move_on(self, span: DaySpan) -> None:
        """Set the state to the end of ``span``, or to the day before the first truncated day."""
        if self._cut is None:
            self.state = {"date": max(str(span.last), str(self.state.get("date") or ""))}
            return
        start = self.config.start.date()
        last = max(start, date.fromisoformat(self._cut)) - ONE_DAY
        _logger.warning(
            "%s: Amplitude's figures from %s on are incomplete; the next sync reads them again.", self.name, self._cut
        )
        self.state = {"date": str(last)} if last >= start else {}

    def _require_requested(self, row: Row, span: DaySpan) -> date:
        """Return a row's day; raise an UnknownShapeError if it does not begin a requested interval."""
        day = parse_day(row["date"])
        if day is None or not span.first <= day <= span.last or self.table.interval.start_of(day) != day:
            raise UnknownShapeError(
                f"Amplitude's response for {self.name} of {span} has a value for {row['date']}; expected the first day "
                f"of a requested {self.table.interval.name.lower()}."
            )
        return day

    def _warn_if_flagged(self, body: object, span: DaySpan) -> None:
        found = [name for name in _TRUNCATED if isinstance(body, dict) and body.get(name) is True]
        if found:
            _logger.warning(
                "%s of %s: Amplitude flagged the response as incomplete: %s.", self.name, span, ", ".join(found)
            )

    def _first_day(self, ended: date, *, again: bool) -> date:
        """Return the first day to read: the day after the state's, or with ``again`` the start of the lookback."""
        start = self.config.start.date()
        saved = self.state.get("date")
        if not saved:
            if self.state:
                _logger.warning("%s: the saved state has no date; everything is read from %s on.", self.name, start)
            return start
        day = parse_day(saved)
        if day is None or day.year < _FIRST_YEAR:
            raise InvalidStateError(f"The saved state of {self.name} has the date {shown(saved)}.")
        if day > ended + ONE_DAY:
            text = "%s: the saved state has the date %s, which has not ended yet; it is set back to %s."
            _logger.warning(text, self.name, day, ended)
            day = ended
            self.state = {"date": str(ended)}
        lookback_days = max(self.config.dashboard_lookback_days, self.table.matures_days)
        return max(start, day - (lookback_days - 1) * ONE_DAY if again else day + ONE_DAY)

    def _request(self, query: Query, span: DaySpan) -> Request:
        days = (("start", f"{span.first:%Y%m%d}"), ("end", f"{span.last:%Y%m%d}"))
        return Request(
            self.table.path,
            f"{self.name} of {span}",
            days + query.parameters,
            quota=Quota.DASHBOARD,
            cost=query.cost_per_day * span.days,
        )


@dataclass(frozen=True)
class Dashboard(Table):
    """A table of figures by date.

    Attributes:
        path: The path of the API.
        queries: Returns the requests for a configuration, in order.
        interval: The interval that one date stands for.
        day_by_day: Whether each day needs its own request, because a response aggregates its days.
        matures_days: How many days a date's figures keep growing; the minimum lookback.
    """

    primary_key: tuple[str, ...] = field(default=("date",), kw_only=True)
    path: str
    queries: Callable[[Config], tuple[Query, ...]]
    interval: Interval = Interval.DAY
    _: KW_ONLY
    reading: Callable[[Dashboard, RestSession, State], Reading] = DashboardReading
    cursor_field: str | None = "date"
    day_by_day: bool = False
    matures_days: int = 0

    def days_per_request(self, config: Config) -> int:
        affordable = min(_MOST_COST // query.cost_per_day for query in self.queries(config))
        return 1 if self.day_by_day else min(affordable, _MOST_DAYS)


def _users(which: str, interval: Interval) -> Callable[[Config], tuple[Query, ...]]:
    parameters = (("m", which), ("i", str(interval.value)))

    def queries(config: Config) -> tuple[Query, ...]:
        if config.active_users_group_by_country:
            return (Query((*parameters, ("g", "country")), _by_label, _COUNTRY_COST),)
        return (Query(parameters, _by_label),)

    return queries


def _by_label(matrix: Matrix, _span: DaySpan) -> Iterable[Row]:
    return matrix.by_label()


def _sessions(
    rows: Callable[[Any, DaySpan], Iterable[Row]], *, has_series: bool = True
) -> Callable[[Config], tuple[Query, ...]]:
    return lambda _: (Query((), rows, 4, has_series=has_series),)


def _session_lengths(matrix: Matrix, _span: DaySpan) -> Iterator[Row]:
    """Yield rows whose date is a date-time, as in upstream's schema."""
    for row in matrix.one_value("length"):
        yield {**row, "date": f"{row['date']}T00:00:00+00:00"}


def _compositions(config: Config) -> tuple[Query, ...]:
    return tuple(
        Query((("p", name),), partial(composition, name=name), has_series=False)
        for name in config.composition_properties
    )


DASHBOARDS = (
    Dashboard("active_users", "/api/2/users", _users("active", Interval.DAY)),
    Dashboard("new_users", "/api/2/users", _users("new", Interval.DAY)),
    Dashboard("weekly_active_users", "/api/2/users", _users("active", Interval.WEEK), Interval.WEEK),
    Dashboard("monthly_active_users", "/api/2/users", _users("active", Interval.MONTH), Interval.MONTH),
    Dashboard("average_session_length", "/api/2/sessions/average", _sessions(_session_lengths)),
    Dashboard(
        "average_sessions_per_user",
        "/api/2/sessions/peruser",
        _sessions(lambda matrix, _: matrix.one_value("sessions")),
    ),
    Dashboard(
        "session_length_distribution", "/api/2/sessions/length", _sessions(by_bin, has_series=False), day_by_day=True
    ),
    Dashboard(
        "user_composition",
        "/api/2/composition",
        _compositions,
        day_by_day=True,
        primary_key=("date", "property"),
        needs="composition_properties",
    ),
    Dashboard(
        "revenue_ltv",
        "/api/2/revenue/ltv",
        lambda _: (Query((("m", "0"), ("i", "1")), revenue_rows, has_series=False),),
        matures_days=180,
    ),
)


def _certainly_read_until(saved: object) -> datetime | None:
    """Return the time in UTC up to which a saved date proves that data was read; None without a date.

    It is one day before the date: 0.x also saved days that had not ended in the project's time zone.
    """
    day = parse_day(saved)
    return None if day is None or day.year < _FIRST_YEAR else datetime.combine(day - ONE_DAY, time(), timezone.utc)
