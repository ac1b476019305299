"""Tables that are one list, read by one request."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from source_amplitude.api import Host, Request
from source_amplitude.api.quotas import Quota
from source_amplitude.errors import NotFoundError, NotInPlanError, RequestRejectedError
from source_amplitude.rows.shapes import Row, annotation, annotation_category, items, unknown_shape
from source_amplitude.tables.table import Part, Reading, State, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from source_amplitude.tables.rest_session import RestSession

_EVENT_TYPES = "/api/2/taxonomy/event"


class ListReading(Reading):
    """Reads a list; its only part is empty."""

    table: ListTable

    def _rows(self, part: Part) -> Iterator[Row]:  # noqa: ARG002
        yield from [self.table.to_row(item) for item in items(self._body(), self.table.key)]

    def _body(self) -> object:
        try:
            return self.rest.json(self.table.request)
        except NotFoundError:
            if self.table.older is None:
                raise
            return self.rest.json(self.table.older)


class TaxonomyReading(ListReading):
    """A list that needs a plan with the taxonomy API; other plans get 403, 404 or 400 (documented)."""

    def _rows(self, part: Part) -> Iterator[Row]:
        with _as_not_in_plan():
            yield from super()._rows(part)


class EventPropertiesReading(TaxonomyReading):
    """Shared event properties, then the properties of each event type, with one request per event type."""

    def _rows(self, part: Part) -> Iterator[Row]:
        """Yield each property once: the first list may also contain properties of single event types (observed)."""
        seen: set[tuple[object, object]] = set()
        for row in self._all(part):
            keyed = {**row, "event_type": row.get("event_type") or ""}
            key = (keyed["event_type"], keyed.get("event_property"))
            if key not in seen:
                seen.add(key)
                yield keyed

    def _all(self, part: Part) -> Iterator[Row]:
        yield from super()._rows(part)
        event_types = Request(_EVENT_TYPES, "event types", quota=Quota.TAXONOMY)
        with _as_not_in_plan():
            events = items(self.rest.json(event_types), "data")
        for event in events:
            name = event.get("event_type")
            if not isinstance(name, str):
                raise unknown_shape("an event type", "an object with event_type", event)
            request = replace(self.table.request, query=(("event_type", name),))
            for row in self._of_event(request):
                yield {"event_type": name, **{key: value for key, value in row.items() if value is not None}}

    def _of_event(self, request: Request) -> Iterable[Row]:
        try:
            return items(self.rest.json(request), "data")
        except (NotFoundError, RequestRejectedError) as error:
            if isinstance(error, RequestRejectedError) and "not found" not in error.what.lower():
                raise
            return ()  # deleted since the event types were listed


@contextmanager
def _as_not_in_plan() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, RequestRejectedError) as error:
        raise NotInPlanError(error.what) from error


@dataclass(frozen=True)
class ListTable(Table):
    """A table of one list.

    Attributes:
        request: The request for the list.
        key: The key of the array in the response; None if the body itself is the array.
        older: The request to send instead if the response is 404.
        to_row: Converts an object of the list to a row.
    """

    request: Request
    key: str | None = "data"
    _: KW_ONLY
    older: Request | None = None
    to_row: Callable[[Row], Row] = dict
    reading: Callable[[ListTable, RestSession, State], Reading] = ListReading


_of_dashboards = partial(Request, quota=Quota.DASHBOARD)
_of_taxonomy = partial(Request, quota=Quota.TAXONOMY)
_TaxonomyTable = partial(ListTable, reading=TaxonomyReading)
_EVERYTHING = (("showDeleted", "true"),)

LISTS = (
    ListTable("cohorts", ("id",), _of_dashboards("/api/3/cohorts", "list of cohorts"), "cohorts"),
    ListTable("events_list", ("id",), _of_dashboards("/api/2/events/list", "list of events")),
    ListTable(
        "annotations",
        ("id",),
        Request("/api/3/annotations", "list of annotations"),
        older=Request("/api/2/annotations", "list of annotations (API v2)"),
        to_row=annotation,
    ),
    ListTable(
        "annotation_categories",
        ("id",),
        Request("/api/3/annotation-categories", "list of annotation categories"),
        to_row=annotation_category,
    ),
    ListTable(
        "lookup_tables", ("name",), Request("/api/3/lookup_table", "list of lookup tables", host=Host.DATA), None
    ),
)

TAXONOMY = (
    _TaxonomyTable("event_categories", ("id",), _of_taxonomy("/api/2/taxonomy/category", "event categories")),
    _TaxonomyTable("event_types", ("event_type",), _of_taxonomy(_EVENT_TYPES, "event types", _EVERYTHING)),
    _TaxonomyTable(
        "user_properties",
        ("user_property",),
        _of_taxonomy("/api/2/taxonomy/user-property", "user properties", _EVERYTHING),
    ),
    _TaxonomyTable(
        "group_properties",
        ("group_type", "group_property"),
        _of_taxonomy("/api/2/taxonomy/group-property", "group properties"),
    ),
    _TaxonomyTable(
        "event_properties",
        ("event_type", "event_property"),
        _of_taxonomy("/api/2/taxonomy/event-property", "event properties"),
        reading=EventPropertiesReading,
    ),
)
