from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Cohort, CohortMember

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.emulator.amplitude_client import AmplitudeClient


def test_settings_can_be_read_and_changed(emulator: Emulator, client: AmplitudeClient) -> None:
    before = client.control("GET", "settings").tree
    changes = {"time_zone": "Asia/Tokyo", "missing_in_plan": ["taxonomy"], "first_day": "2026-01-01"}
    after = client.control("PUT", "settings", changes).tree

    assert (before["time_zone"], before["missing_in_plan"], before["first_day"]) == ("UTC", [], "2020-01-01")
    assert after == {**before, **changes}
    assert emulator.content.settings.missing_in_plan == ("taxonomy",)


def test_settings_of_another_project(emulator: Emulator, client: AmplitudeClient) -> None:
    client.control("PUT", "settings?project_id=300400", {"has_limits": False})

    assert emulator.content.settings.has_limits
    assert not emulator.content_of(emulator.projects[1]).settings.has_limits


def test_lists_can_be_read_and_replaced(emulator: Emulator, client: AmplitudeClient) -> None:
    before = client.control("GET", "catalog").tree
    tables = [{"name": "odd", "surprise": True, "csv": "a\n1\n"}]
    after = client.control("PUT", "catalog", {"lookup_tables": tables, "charts": []}).tree

    assert before["annotations"] == list(emulator.content.catalog.annotations)
    assert after == {**before, "lookup_tables": tables, "charts": []}
    assert client.get("/data-us/api/3/lookup_table").json == [{"name": "odd", "surprise": True}]


def test_costs_can_be_read_and_refilled(client: AmplitudeClient) -> None:
    client.get("/us/api/2/users?start=20260301&end=20260303")
    client.get("/us/api/2/taxonomy/event")
    booked = client.control("GET", "costs").tree
    cleared = client.control("DELETE", "costs").tree

    assert booked == {
        "spent": {
            "5_minutes": 3,
            "hour": 3,
            "taxonomy_hour": 1,
            "cohort_requests_10_minutes": 0,
            "cohort_requests_month": 0,
        },
        "bookings": [
            {"path": "/us/api/2/users", "cost": 3, "at": "2026-03-04T12:00:00Z"},
            {"path": "/us/api/2/taxonomy/event", "cost": 1, "at": "2026-03-04T12:00:00Z"},
        ],
    }
    assert cleared == {"spent": dict.fromkeys(booked["spent"], 0), "bookings": []}


def test_cohort_can_be_put_recomputed_and_removed(emulator: Emulator, client: AmplitudeClient) -> None:
    members = [{"amplitude_id": 5, "user_id": "a", "properties": {"plan": "pro"}}, {"amplitude_id": 6}]
    body = {"name": "New", "members": members, "last_computed": None, "overrides": {"type": "x"}}
    put = client.control("PUT", "cohorts/abc1234", body).tree
    stored = emulator.content.cohorts.get("abc1234")
    again = client.control("POST", "cohorts/abc1234/recompute").tree
    fewer = client.control("POST", "cohorts/abc1234/recompute", {"members": members[1:]}).tree
    listed = client.control("GET", "cohorts").json
    rest = client.control("DELETE", "cohorts/abc1234").json

    assert stored == Cohort(
        "abc1234",
        "New",
        (CohortMember(5, "a", {"plan": "pro"}), CohortMember(6)),
        last_computed=None,
        overrides={"type": "x"},
    )
    assert (put["size"], put["type"], put["members"][1]["user_id"]) == (None, "x", None)
    assert (again["size"], again["lastComputed"]) == (2, 1772625600)
    assert fewer["size"] == 1
    assert isinstance(listed, list)
    assert (len(listed), listed[3]) == (4, fewer)
    assert rest == listed[:3]


def test_times_of_a_cohort_can_be_set(emulator: Emulator, client: AmplitudeClient) -> None:
    client.control("PUT", "cohorts/abc", {"last_computed": "2026-03-04T11:00:00Z", "is_published": False})

    assert emulator.content.cohorts.get("abc") == Cohort(
        "abc", "abc", last_computed=datetime(2026, 3, 4, 11, tzinfo=timezone.utc), is_published=False
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "settings", {"no_such": 1}, 400),
        ("PUT", "settings", {"time_zone": "Mars/Base"}, 404),
        ("PUT", "settings", {"plan_refusal": "maybe"}, 400),
        ("PUT", "settings", {"missing_in_plan": ["everything"]}, 400),
        ("PUT", "catalog", {"no_such": []}, 400),
        ("PUT", "catalog", {"charts": [1]}, 400),
        ("PUT", "cohorts/a", {"no_such": 1}, 400),
        ("PUT", "cohorts/a", {"members": {}}, 400),
        ("POST", "cohorts/nothing/recompute", None, 404),
        ("DELETE", "cohorts/nothing", None, 404),
    ],
)
def test_invalid_requests_get_an_error_message(
    client: AmplitudeClient, method: str, path: str, body: object, status: int
) -> None:
    response = client.control(method, path, body)

    assert response.status == status
    assert response.tree["error"]
