"""Faults on the REST routes; ``test_faults`` in the parent folder tests exports."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from unit_tests.emulator.amplitude_client import AmplitudeClient, envelope

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

USERS = "/us/api/2/users?start=20260301&end=20260303"


def test_bad_request_can_have_the_observed_body(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add(
        "bad_request",
        path="/api/2/users",
        message="Invalid chart definition",
        details="Invalid user property country",
        type="invalid",
    )
    response = client.get(USERS)

    assert response.status == 400
    assert response.json == envelope(400, "Invalid user property country", "Invalid chart definition", "invalid")
    assert client.get("/us/api/3/cohorts").status == 200


@pytest.mark.parametrize("path", [USERS, "/us/api/2/taxonomy/event", "/us/api/3/cohorts", "/us/api/2/deletions/users"])
def test_refusals_have_the_envelope(emulator: Emulator, client: AmplitudeClient, path: str) -> None:
    emulator.faults.add("too_many_requests", times=1, details="Slow down", retry_after_seconds=3)
    emulator.faults.add("forbidden", times=1, details="No")
    limited, forbidden = client.get(path), client.get(path)

    assert (limited.status, limited.json, limited.headers["Retry-After"]) == (429, envelope(429, "Slow down"), "3")
    assert (forbidden.status, forbidden.json) == (403, envelope(403, "No"))


def test_lookup_tables_refuse_in_their_own_form(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("bad_request", path="/data-us", details="No", status=413)

    assert client.get("/data-us/api/3/lookup_table").json == {
        "statusCode": 413,
        "message": "No",
        "errorCode": None,
        "extraParams": {},
    }


def test_html_page_instead_of_json(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("html_page", times=1)
    response = client.get(USERS)

    assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"Service unavailable" in response.body


@pytest.mark.parametrize("body", [{"data": {"surprise": None}}, [], None, "text"])
def test_any_json_can_be_returned(emulator: Emulator, client: AmplitudeClient, body: object) -> None:
    client.control("POST", "faults", {"name": "json", "path": "/api/2/users", "body": body, "status": 201})
    response = client.get(USERS)

    assert (response.status, response.json) == (201, body)
    assert [seen.status for seen in emulator.requests] == [201]


@pytest.mark.parametrize("name", ["cut_body", "slow_drip", "wrong_clock", "prepare"])
def test_delivery_faults_apply_to_rest_routes(emulator: Emulator, client: AmplitudeClient, name: str) -> None:
    settings = {"slow_drip": {"bytes_per_second": 20_000}, "prepare": {"seconds": 0}}
    whole = client.get("/us/api/3/annotations").body
    emulator.faults.add(name, times=1, hour=None, path=None, **settings.get(name, {}))
    try:
        body = client.get("/us/api/3/annotations").body
    except http.client.IncompleteRead as error:
        body = error.partial

    assert (body == whole) is (name != "cut_body")


def test_faults_apply_to_the_storage(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("server_error", path="/_storage/", status=503)

    assert client.request("GET", "/_storage/any").status == 503
