"""Streams that are one list: asked for once and emitted whole."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from source_amplitude.airbyte.streams.rest_stream import RestStream
from source_amplitude.api import Call, Host
from source_amplitude.api.quotas import Quota
from source_amplitude.errors import NotFoundError, NotInPlanError, RequestRejectedError
from source_amplitude.rows import annotation, annotation_category, items
from source_amplitude.rows.shapes import unknown_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from source_amplitude.airbyte.streams.rest_stream import RestContext
    from source_amplitude.api.rest import Rest

Row = dict[str, Any]


@dataclass(frozen=True)
class ListOf:
    """Where a list comes from.

    Attributes:
        name: The stream's.
        primary_key: The stream's.
        call: The request.
        key: Where the answer has the array; None if the body is one.
        older: Asked instead where ``call`` is answered with 404.
        to_row: Makes a row of an item.
    """

    name: str
    primary_key: str | list[str]
    call: Call
    key: str | None = "data"
    older: Call | None = None
    to_row: Callable[[Row], Row] = field(default=lambda item: item)


class ListStream(RestStream):
    """See `ListOf`."""

    def __init__(self, context: RestContext, of: ListOf) -> None:
        super().__init__(context)
        self.name = of.name
        self._of = of

    @property
    def primary_key(self) -> str | list[str]:
        """See `ListOf`."""
        return self._of.primary_key

    def rows(self, rest: Rest, part: Mapping[str, Any]) -> Iterator[Row]:  # noqa: ARG002 - there is one part
        """See `RestStream.rows`."""
        yield from [self._of.to_row(item) for item in items(self._answer(rest), self._of.key)]

    def _answer(self, rest: Rest) -> object:
        try:
            return rest.json(self._of.call)
        except NotFoundError:
            if self._of.older is None:
                raise
            return rest.json(self._of.older)


class TaxonomyStream(ListStream):
    """A list that only plans with the taxonomy API have; without it the answer is 403, 404 or 400 (documented)."""

    def rows(self, rest: Rest, part: Mapping[str, Any]) -> Iterator[Row]:
        """See `RestStream.rows`.

        Raises:
            NotInPlanError: In Amplitude's words.
        """
        with _named_as_plan():
            yield from super().rows(rest, part)


@contextmanager
def _named_as_plan() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, RequestRejectedError) as error:
        raise NotInPlanError(error.what) from error


LISTS = (
    ListOf("cohorts", "id", Call("/api/3/cohorts", "list of cohorts", quota=Quota.DASHBOARD), "cohorts"),
    ListOf("events_list", "id", Call("/api/2/events/list", "list of events", quota=Quota.DASHBOARD)),
    ListOf(
        "annotations",
        "id",
        Call("/api/3/annotations", "list of annotations"),
        older=Call("/api/2/annotations", "list of annotations (API v2)"),
        to_row=annotation,
    ),
    ListOf(
        "annotation_categories",
        "id",
        Call("/api/3/annotation-categories", "list of annotation categories"),
        to_row=annotation_category,
    ),
    ListOf("lookup_tables", "name", Call("/api/3/lookup_table", "list of lookup tables", host=Host.DATA), None),
)

_EVERYTHING = (("showDeleted", "true"),)

TAXONOMY_LISTS = (
    ListOf("event_categories", "id", Call("/api/2/taxonomy/category", "event categories", quota=Quota.TAXONOMY)),
    ListOf(
        "event_types", "event_type", Call("/api/2/taxonomy/event", "event types", _EVERYTHING, quota=Quota.TAXONOMY)
    ),
    ListOf(
        "user_properties",
        "user_property",
        Call("/api/2/taxonomy/user-property", "user properties", _EVERYTHING, quota=Quota.TAXONOMY),
    ),
    ListOf(
        "group_properties",
        ["group_type", "group_property"],
        Call("/api/2/taxonomy/group-property", "group properties", quota=Quota.TAXONOMY),
    ),
)

_EVENT_PROPERTIES = Call("/api/2/taxonomy/event-property", "event properties", quota=Quota.TAXONOMY)


class EventPropertiesStream(TaxonomyStream):
    """Properties that all events share, then those of each event type; one request for each."""

    def __init__(self, context: RestContext) -> None:
        super().__init__(context, ListOf("event_properties", ["event_type", "event_property"], _EVENT_PROPERTIES))

    def rows(self, rest: Rest, part: Mapping[str, Any]) -> Iterator[Row]:
        """See `RestStream.rows`; the first list was seen to hold properties of single events as well."""
        seen: set[tuple[object, object]] = set()
        for row in self._all(rest, part):
            keyed = {**row, "event_type": row.get("event_type") or ""}
            key = (keyed["event_type"], keyed.get("event_property"))
            if key not in seen:
                seen.add(key)
                yield keyed

    def _all(self, rest: Rest, part: Mapping[str, Any]) -> Iterator[Row]:
        yield from super().rows(rest, part)
        event_types = Call("/api/2/taxonomy/event", "event types", quota=Quota.TAXONOMY)
        with _named_as_plan():
            events = items(rest.json(event_types), "data")
        for event in events:
            name = event.get("event_type")
            if not isinstance(name, str):
                raise unknown_shape("an event type", "an object with event_type", event)
            call = Call(_EVENT_PROPERTIES.path, "event properties", (("event_type", name),), quota=Quota.TAXONOMY)
            for row in self._of_event(rest, call):
                yield {"event_type": name, **{key: value for key, value in row.items() if value is not None}}

    def _of_event(self, rest: Rest, call: Call) -> Iterable[Row]:
        try:
            return items(rest.json(call), "data")
        except (NotFoundError, RequestRejectedError) as error:
            if isinstance(error, RequestRejectedError) and "not found" not in error.what.lower():
                raise
            return ()  # deleted since the event types were listed
