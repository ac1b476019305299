from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator.rest.access import REST_ROUTES
from amplitude_emulator.rest.lookup_tables_api import LOOKUP_TABLE_ROUTES
from unit_tests.emulator.amplitude_client import AmplitudeClient, basic, envelope

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

DAYS = "start=20260301&end=20260303"
LOOKUP_KEYS: dict[str, object] = {"errorCode": None, "extraParams": {}}


@pytest.mark.parametrize("path", [f"/us{route.path}" for route in REST_ROUTES] + ["/us/api/2/nothing"])
def test_keys_are_checked_before_anything_else(emulator: Emulator, client: AmplitudeClient, path: str) -> None:
    wrong_secret = client.request("GET", path, headers=basic(emulator.project.api_key, "wrong"))
    no_keys = client.request("GET", path)
    other_region = client.get(path, emulator.projects[1])

    assert (wrong_secret.status, wrong_secret.json) == (403, envelope(403, "Invalid API/Secret Key combination"))
    assert (no_keys.status, no_keys.json) == (403, envelope(403, "Invalid API Key"))
    assert (other_region.status, other_region.json) == (403, envelope(403, "Invalid API Key"))


@pytest.mark.parametrize("path", [route.path for route in LOOKUP_TABLE_ROUTES] + ["/api/3/nothing"])
def test_lookup_tables_have_their_own_error_bodies(client: AmplitudeClient, path: str) -> None:
    response = client.request("GET", f"/data-us{path}")

    assert (response.status, response.json) == (403, {"statusCode": 403, "message": "Invalid API Key", **LOOKUP_KEYS})


def test_unknown_paths_are_404_with_valid_keys(client: AmplitudeClient) -> None:
    response, other_host = client.get("/us/api/2/nothing"), client.get("/data-us/api/2/users")

    assert (response.status, response.json) == (404, envelope(404, "Not Found"))
    assert (other_host.status, other_host.json) == (404, {"statusCode": 404, "message": "Not Found", **LOOKUP_KEYS})


def test_routes_exist_in_both_regions(emulator: Emulator, client: AmplitudeClient) -> None:
    response = client.get("/eu/api/3/cohorts", emulator.projects[1])

    assert response.status == 200
    assert response.headers["Date"] == "Wed, 04 Mar 2026 12:00:00 GMT"
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"


@pytest.mark.parametrize(
    ("part", "path", "name"),
    [
        ("dashboards", f"/us/api/2/users?{DAYS}", "Dashboards"),
        ("cohorts", "/us/api/3/cohorts", "Cohorts"),
        ("annotations", "/us/api/3/annotations", "Annotations"),
        ("taxonomy", "/us/api/2/taxonomy/event", "Taxonomy"),
        ("deletions", "/us/api/2/deletions/users", "Deletions"),
    ],
)
def test_missing_part_of_the_plan_is_403(
    emulator: Emulator, client: AmplitudeClient, part: str, path: str, name: str
) -> None:
    client.control("PUT", "settings", {"missing_in_plan": [part]})
    response = client.get(path)

    assert (response.status, response.json) == (403, envelope(403, f"{name} is not included in your current plan"))
    assert emulator.content.costs.bookings == []


@pytest.mark.parametrize(("refusal", "status"), [("not_found", 404), ("invalid", 400)])
def test_missing_taxonomy_can_have_its_own_body(client: AmplitudeClient, refusal: str, status: int) -> None:
    client.control("PUT", "settings", {"missing_in_plan": ["taxonomy"], "plan_refusal": refusal})
    response = client.get("/us/api/2/taxonomy/event")

    assert (response.status, response.json) == (status, {"success": False, "errors": [{"message": "Not found"}]})


def test_projects_have_their_own_settings(emulator: Emulator, client: AmplitudeClient) -> None:
    other = emulator.projects[1]
    content = emulator.content_of(other)
    content.settings = replace(content.settings, missing_in_plan=("cohorts",))

    assert client.get("/us/api/3/cohorts").status == 200
    assert client.get("/eu/api/3/cohorts", other).status == 403


def test_reset_restores_settings_lists_and_cohorts(emulator: Emulator) -> None:
    content = emulator.content
    before = (content.settings, content.catalog, content.cohorts.all())
    content.settings = replace(content.settings, time_zone="Asia/Tokyo")
    content.catalog = replace(content.catalog, charts=())
    content.cohorts.replace_all([])
    emulator.reset()

    assert (content.settings, content.catalog, content.cohorts.all()) == before
