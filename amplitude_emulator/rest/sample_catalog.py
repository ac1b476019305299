"""The initial content of a project, so that every list has rows.

Names and dates are fixed; ids are derived from the seed and the project, so that projects differ.
"""

from __future__ import annotations

import csv
import io
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from amplitude_emulator.derived_ids import derive_amplitude_id, derive_number, derive_text
from amplitude_emulator.rest.catalog import Catalog, Item
from amplitude_emulator.rest.cohorts import Cohort, CohortMember
from amplitude_emulator.sample_templates import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

CATEGORIES = ("Shopping", "Navigation")
CATEGORY_OF = {"Order Completed": "Shopping", "[Amplitude] Page Viewed": "Navigation"}
HIDDEN_EVENT, DELETED_EVENT = "Debug Ping", "Old Checkout"
TABLE_ROWS = (("sku", "name", "color"), ("A-1", "Trekking, 28 inches", "red"), ("B-2", 'Bell "Ping"', ""))
CREATED_AT = int(datetime(2026, 1, 12, 9, tzinfo=timezone.utc).timestamp())
SYNC: Item = {
    "target": "amazon-s3-cohort",
    "frequency": "daily",
    "last_successful": "2026-03-01T06:10:00+00:00",
    "last_failure": None,
    "params": {"bucket": "example-bucket"},
}


def make_sample_catalog(seed: int, project_id: int) -> Catalog:
    """Return the lists of a new project."""
    origin = (seed, project_id)
    return Catalog(
        events=tuple(_listed_event(origin, name) for name in (*EVENTS, HIDDEN_EVENT)),
        charts=(_chart(origin),),
        annotations=tuple(_annotations(origin)),
        annotation_categories=({"id": 1, "name": "Uncategorized"}, {"id": 1247, "name": "Marketing"}),
        event_categories=tuple({"id": _number(origin, "category", name), "name": name} for name in CATEGORIES),
        event_types=tuple(_event_type(name) for name in (*EVENTS, DELETED_EVENT)),
        event_properties=tuple(_event_properties()),
        user_properties=(
            _property("user_property", "gp:plan", type="enum", enum_values="free,premium,pro"),
            _property("user_property", "country", description="From the IP address"),
            _property("user_property", "gp:old_plan", deleted=True),
        ),
        group_properties=(_group_property("company", "grp:seats"), _group_property("team", "grp:region")),
        lookup_tables=(_lookup_table(project_id),),
        deletions=tuple(_deletions(origin)),
    )


def make_sample_cohorts(seed: int, project_id: int) -> list[Cohort]:
    """Return three cohorts; the last one was never computed."""
    members = tuple(_member((seed, project_id), number) for number in range(12))
    buyers, mobile, future = (_cohort_id((seed, project_id), name) for name in ("buyers", "mobile", "future"))
    return [
        Cohort(buyers, "Weekly buyers", members, syncs=(SYNC,)),
        Cohort(mobile, "Mobile users", members[::3], overrides={"description": "Opened the app, on a phone"}),
        Cohort(future, "Churn, next quarter", last_computed=None, created_at=None),
    ]


def _number(origin: tuple[int, int], *parts: object) -> int:
    return 400_000 + derive_number(500_000, *origin, *parts)


def _cohort_id(origin: tuple[int, int], name: str) -> str:
    return derive_text(*origin, "cohort", name)[:7]


def _member(origin: tuple[int, int], number: int) -> CohortMember:
    """Return a user; the first ones have values that CSV must quote, and some have no user id."""
    user_id = None if number % 5 == 4 else f"user-{number}"  # noqa: PLR2004 - every fifth one
    awkward = {0: 'say "hi", twice', 1: "two\nlines", 2: "Århus 🚴", 3: ""}
    properties: dict[str, object] = {
        "plan": ("free", "premium", "pro")[number % 3],
        "city": awkward.get(number, "Aarhus"),
        "age": 20 + number,
        "newsletter": number % 2 == 0,
        "interests": ["cycling", "coffee"] if number else None,
    }
    return CohortMember(derive_amplitude_id(*origin, "member", number), user_id, properties)


def _listed_event(origin: tuple[int, int], name: str) -> Item:
    return {
        "autohidden": False,
        "id": 895_000_000 + _number(origin, "event", name),
        "value": name,
        "display": name,
        "hidden": name == HIDDEN_EVENT,
        "deleted": False,
        "flow_hidden": False,
        "timeline_hidden": False,
        "non_active": False,
        "in_waitroom": False,
        "waitroom_approved": None,
        "name": name,
        "totals": derive_number(5_000, *origin, "totals", name),
        "totals_delta": derive_number(200, *origin, "delta", name) - 100,
    }


def _chart(origin: tuple[int, int]) -> Item:
    return {
        "id": derive_text(*origin, "chart")[:8],
        "name": "Buyers by country",
        "description": "Made by the emulator",
        "metric": "Uniques",
        "event": "Order Completed",
        "segments": ["All Users", "Denmark, Sweden"],
        "days": 30,
    }


def _annotations(origin: tuple[int, int]) -> Iterable[Item]:
    first = 900_000 + _number(origin, "annotation") % 90_000
    yield {
        "id": first,
        "start": "2026-02-03T00:00:00+00:00",
        "label": "Summer campaign",
        "details": 'With "quotes", and\nlines',
        "category_id": 1247,
        "end": "2026-02-10T00:00:00+00:00",
        "chart_id": None,
    }
    yield {
        "id": first + 1,
        "start": "2026-02-20T12:00:00+00:00",
        "label": "Release 3.5",
        "details": None,
        "category_id": 1,
        "end": None,
        "chart_id": None,
    }
    yield {
        "id": first + 2,
        "start": "2026-03-01T09:00:00+00:00",
        "label": "検索 moved",
        "details": "",
        "category_id": 1,
        "end": None,
        "chart_id": str(_chart(origin)["id"]),
    }


def _event_type(name: str) -> Item:
    category = CATEGORY_OF.get(name)
    return {
        "event_type": name,
        "description": f"Sent by the sample: {name}",
        "display_name": None,
        "category": None if category is None else {"name": category},
        "deleted": True if name == DELETED_EVENT else None,
        "tags": ["checkout"] if category == "Shopping" else [],
        "is_active": name != DELETED_EVENT,
        "owner": None,
        "is_hidden_from_dropdowns": False,
        "is_hidden_from_persona_results": False,
        "is_hidden_from_pathfinder": False,
        "is_hidden_from_timeline": False,
    }


def _event_properties() -> Iterable[Item]:
    shared = {"event_type": None, "is_required": False}
    yield {**_property("event_property", "note"), **shared}
    for event_type in ("Button Clicked", "Order Completed"):
        for name in EVENTS[event_type]:
            own = {"event_type": event_type, "is_required": name == "color"}
            yield {**_property("event_property", name), **own}


def _property(key: str, name: str, **changes: object) -> dict[str, object]:
    """Return the keys of a property; only user properties have ``deleted`` (reference 5.1)."""
    own: dict[str, object] = {"deleted": False} if key == "user_property" else {}
    return {
        key: name,
        "description": "",
        "type": "any",
        "enum_values": None,
        "regex": None,
        "is_array_type": False,
        "is_hidden": False,
        "classifications": [],
        **own,
        **changes,
    }


def _group_property(group_type: str, name: str) -> Item:
    return {"group_type": group_type, **_property("group_property", name)}


def _lookup_table(project_id: int) -> Item:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(TABLE_ROWS)
    header = TABLE_ROWS[0]
    return {
        "appId": project_id,
        "name": "products",
        "columnHeaders": list(header),
        "createdAt": CREATED_AT,
        "lastModifiedAt": CREATED_AT + 86_400,
        "createdBy": "ana@example.com",
        "lastModifiedBy": "ana@example.com",
        "isDeleted": False,
        "isConfigured": True,
        "keyColumnHeader": header[0],
        "keyProperty": {"type": "event", "value": "sku", "groupType": None},
        "fileName": "products.csv",
        "rowCount": len(TABLE_ROWS) - 1,
        "sizeBytes": len(text.getvalue().encode()),
        "csv": text.getvalue(),
    }


def _deletions(origin: tuple[int, int]) -> Iterable[Item]:
    for day, status in (("2026-01-15", "done"), ("2026-02-20", "submitted"), ("2026-03-02", "staging")):
        job = {
            "day": day,
            "status": status,
            "amplitude_ids": [
                {
                    "amplitude_id": derive_amplitude_id(*origin, "deleted", day),
                    "requested_on_day": day,
                    "requester": "privacy@example.com",
                }
            ],
            "app": str(origin[1]),
        }
        yield {**job, "active_scrub_done_date": "2026-02-01"} if status == "done" else job
