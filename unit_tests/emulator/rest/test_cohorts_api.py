from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from amplitude_emulator import Cohort, CohortMember
from unit_tests.emulator.amplitude_client import AmplitudeClient, Response, basic, envelope

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from amplitude_emulator.rest.settings import FilePacking

MEMBERS = (
    CohortMember(1263130950579, "user-1", {"plan": "pro", "city": 'say "hi", twice', "vip": True}),
    CohortMember(1263130950580, None, {"tags": ["a", "ü"], "city": "two\nlines"}),
)


@pytest.fixture(autouse=True)
def cohort(emulator: Emulator) -> Cohort:
    return emulator.content.cohorts.put(Cohort("k3x9ab2", "Two users", MEMBERS))


def request_id(client: AmplitudeClient, query: str = "") -> str:
    return str(client.get(f"/us/api/5/cohorts/request/k3x9ab2{query}").tree["request_id"])


def download(client: AmplitudeClient, query: str = "") -> Response:
    """Return the response of step 3, after the poll that completes the download."""
    number = request_id(client, query)
    while client.get(f"/us/api/5/cohorts/request-status/{number}").status == 202:
        pass
    return client.get(f"/us/api/5/cohorts/request/{number}/file")


def fetch(client: AmplitudeClient, location: str, **headers: str) -> Response:
    parts = urlsplit(location)
    return client.request("GET", f"{parts.path}?{parts.query}", headers=headers)


# List


def test_list_has_every_key_of_a_cohort(client: AmplitudeClient) -> None:
    listed = client.get("/us/api/3/cohorts").tree["cohorts"]

    assert listed[-1] == {
        "appId": 100200,
        "archived": False,
        "definition": {
            "version": 3,
            "countGroup": {"name": "User", "is_computed": False},
            "cohortType": "UNIQUES",
            "andClauses": [],
            "orClauses": [],
            "referenceFrameTimeParams": {},
        },
        "description": None,
        "finished": True,
        "id": "k3x9ab2",
        "name": "Two users",
        "owners": ["ana@example.com"],
        "viewers": [],
        "published": True,
        "size": 2,
        "type": "redshift",
        "lastMod": 1768210200,
        "createdAt": 1768208400,
        "lastComputed": 1772344800,
        "hidden": False,
        "metadata": None,
        "view_count": None,
        "popularity": None,
        "last_viewed": None,
        "chart_id": None,
        "edit_id": None,
        "is_predictive": False,
        "is_official_content": False,
        "location_id": None,
        "shortcut_ids": [],
        "per_app_metadata": None,
        "cohort_definition_type": None,
        "cohort_output_type": "UNIQUES",
        "is_generated_content": False,
    }


def test_sample_has_three_cohorts_and_one_was_never_computed(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.cohorts.remove("k3x9ab2")
    listed = client.get("/us/api/3/cohorts").tree["cohorts"]

    assert [(item["size"], item["lastComputed"], item["finished"]) for item in listed] == [
        (12, 1772344800, True),
        (4, 1772344800, True),
        (None, None, False),
    ]


def test_list_shows_syncs_on_request(client: AmplitudeClient) -> None:
    with_syncs = client.get("/us/api/3/cohorts?includeSyncInfo=true").tree["cohorts"]
    without = client.get("/us/api/3/cohorts?includeSyncInfo=false").tree["cohorts"]

    assert with_syncs[0]["syncMetadata"][0]["last_successful"] == "2026-03-01T06:10:00+00:00"
    assert with_syncs[-1]["syncMetadata"] == []
    assert "syncMetadata" not in without[0]


def test_list_omits_unpublished_and_applies_overrides(
    emulator: Emulator, client: AmplitudeClient, cohort: Cohort
) -> None:
    emulator.content.cohorts.replace_all(
        [replace(cohort, is_published=False), replace(cohort, cohort_id="b", overrides={"type": "new", "x": 1})]
    )
    (listed,) = client.get("/us/api/3/cohorts").tree["cohorts"]

    assert (listed["id"], listed["type"], listed["x"]) == ("b", "new", 1)


def test_recompute_changes_only_last_computed(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.cohorts.recompute("k3x9ab2", MEMBERS[:1])
    listed = client.get("/us/api/3/cohorts").tree["cohorts"][-1]

    assert (listed["size"], listed["lastMod"], listed["lastComputed"]) == (1, 1768210200, 1772625600)


# Download


def test_download_takes_three_steps(client: AmplitudeClient) -> None:
    first = client.get("/us/api/5/cohorts/request/k3x9ab2")
    ids = {"request_id": first.tree["request_id"], "cohort_id": "k3x9ab2"}
    status_path = f"/us/api/5/cohorts/request-status/{ids['request_id']}"
    file_path = f"/us/api/5/cohorts/request/{ids['request_id']}/file"
    too_early = client.get(file_path)
    polls = [client.get(status_path) for _ in range(3)]
    file = client.get(file_path)

    assert (first.status, first.json) == (202, ids)
    assert (too_early.status, too_early.json) == (400, envelope(400, "The cohort is not ready"))
    assert [(poll.status, poll.json) for poll in polls] == [
        (202, {**ids, "async_status": "JOB INPROGRESS"}),
        (200, {**ids, "async_status": "JOB COMPLETED"}),
        (200, {**ids, "async_status": "JOB COMPLETED"}),
    ]
    assert (file.status, file.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert file.body == b"amplitude_id,user_id\n1263130950579,user-1\n1263130950580,\n"


def test_number_of_polls_in_progress_can_be_set(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, cohort_pending_polls=3)
    path = f"/us/api/5/cohorts/request-status/{request_id(client)}"

    assert [client.get(path).status for _ in range(4)] == [202, 202, 202, 200]


def test_properties_are_columns_with_csv_quoting(client: AmplitudeClient) -> None:
    file = download(client, "?props=1").body

    assert (
        file
        == (
            "amplitude_id,user_id,city,plan,tags,vip\n"
            '1263130950579,user-1,"say ""hi"", twice",pro,,true\n'
            '1263130950580,,"two\nlines",,"[""a"", ""ü""]",\n'
        ).encode()
    )
    assert next(csv.DictReader(io.StringIO(file.decode())))["city"] == 'say "hi", twice'


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("?props=0&propKeys=plan", []),
        ("?props=1&propKeys=plan&propKeys=gp:vip", ["gp:plan", "gp:vip"]),
        ("?props=1&propKeys=nothing", ["gp:nothing"]),
    ],
)
def test_properties_can_be_chosen_and_prefixed(
    emulator: Emulator, client: AmplitudeClient, query: str, columns: list[str]
) -> None:
    emulator.content.settings = replace(emulator.content.settings, cohort_property_prefix="gp:")
    header = download(client, query).body.split(b"\n")[0].decode()

    assert header.split(",") == ["amplitude_id", "user_id", *columns]


def test_file_has_the_members_at_the_time_of_the_request(emulator: Emulator, client: AmplitudeClient) -> None:
    number = request_id(client)
    emulator.content.cohorts.recompute("k3x9ab2", ())
    client.get(f"/us/api/5/cohorts/request-status/{number}")

    assert client.get(f"/us/api/5/cohorts/request/{number}/file").body.count(b"\n") == 3


@pytest.mark.parametrize(
    ("packing", "headers"),
    [
        ("gzip", {"Content-Type": "application/gzip"}),
        ("content_encoding", {"Content-Type": "text/csv; charset=utf-8", "Content-Encoding": "gzip"}),
    ],
)
@pytest.mark.parametrize("inline_bytes", [1000, -1])
def test_file_can_be_gzip(
    emulator: Emulator, client: AmplitudeClient, packing: FilePacking, headers: dict[str, str], inline_bytes: int
) -> None:
    settings = emulator.content.settings
    emulator.content.settings = replace(settings, cohort_packing=packing, cohort_inline_bytes=inline_bytes)
    response = download(client)
    if response.status == 302:
        response = fetch(client, response.headers["Location"])

    assert gzip.decompress(response.body).startswith(b"amplitude_id,user_id\n")
    assert response.headers.items() >= headers.items()


def test_large_file_is_on_another_host_without_keys(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, cohort_inline_bytes=10)
    response = download(client)
    location = response.headers["Location"]
    keys = basic(emulator.project.api_key, emulator.project.secret_key)

    assert (response.status, response.body) == (302, b"")
    assert location.startswith(emulator.url.replace("127.0.0.1", "localhost") + "/_storage/")
    assert fetch(client, location).body.startswith(b"amplitude_id,user_id\n")
    assert fetch(client, location, **keys).status == 400
    assert fetch(client, location.replace("/_storage/", "/_storage/x")).status == 404


def test_storage_link_expires_after_a_minute(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, cohort_inline_bytes=10)
    number = request_id(client)
    client.get(f"/us/api/5/cohorts/request-status/{number}")
    path = f"/us/api/5/cohorts/request/{number}/file"
    location = client.get(path).headers["Location"]
    emulator.clock.advance(timedelta(minutes=1))
    expired = fetch(client, location)

    assert (expired.status, expired.headers["Content-Type"]) == (403, "application/xml; charset=utf-8")
    assert b"Request has expired" in expired.body
    assert fetch(client, client.get(path).headers["Location"]).status == 200


def test_api_link_expires_after_seven_days(emulator: Emulator, client: AmplitudeClient) -> None:
    number = request_id(client)
    client.get(f"/us/api/5/cohorts/request-status/{number}")
    path = f"/us/api/5/cohorts/request/{number}/file"
    emulator.clock.advance(timedelta(days=6, hours=23))
    before = client.get(path)
    emulator.clock.advance(timedelta(hours=1))
    after = client.get(path)

    assert before.status == 200
    assert (after.status, after.json) == (404, envelope(404, "Request not found"))


@pytest.mark.parametrize(
    ("path", "details"),
    [
        ("request/nothing", "Cohort not found"),
        ("request-status/nothing", "Request not found"),
        ("request/nothing/file", "Request not found"),
    ],
)
def test_unknown_cohorts_and_requests_are_404(client: AmplitudeClient, path: str, details: str) -> None:
    response = client.get(f"/us/api/5/cohorts/{path}")

    assert (response.status, response.json) == (404, envelope(404, details))


# Limits


def test_step_one_counts_against_the_monthly_quota(emulator: Emulator, client: AmplitudeClient) -> None:
    settings = emulator.content.settings
    emulator.content.settings = replace(settings, cohort_downloads_a_month=2, cohort_pending_polls=0)
    statuses = [client.get("/us/api/5/cohorts/request/k3x9ab2").status for _ in range(3)]
    usage = client.get("/us/api/3/cohorts/usage")
    emulator.clock.advance(timedelta(days=28))

    assert statuses == [202, 202, 429]
    assert usage.json == {"rest_download": {"limit": 2, "usage": 2, "resets_at": "2026-04-01T00:00:00+00:00"}}
    assert client.get("/us/api/5/cohorts/request/k3x9ab2").status == 202
    assert client.get("/us/api/3/cohorts/usage").tree["rest_download"]["usage"] == 1


def test_quota_is_500_and_renews_in_january(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.clock.advance(timedelta(days=290))

    assert client.get("/us/api/3/cohorts/usage").json == {
        "rest_download": {"limit": 500, "usage": 0, "resets_at": "2027-01-01T00:00:00+00:00"}
    }


def test_step_one_is_limited_to_sixty_in_ten_minutes(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, cohort_pending_polls=0)
    statuses = [client.get("/us/api/5/cohorts/request/k3x9ab2").status for _ in range(61)]
    emulator.clock.advance(timedelta(minutes=10))

    assert statuses == [202] * 60 + [429]
    assert client.get("/us/api/5/cohorts/request/k3x9ab2").status == 202


def test_four_unfinished_downloads_are_the_limit(emulator: Emulator, client: AmplitudeClient) -> None:
    responses = [client.get("/us/api/5/cohorts/request/k3x9ab2") for _ in range(5)]
    refused = envelope(429, "Too Many Requests: Exceeded concurrent limit with query of cost 1")
    emulator.clock.advance(timedelta(minutes=1))

    assert [response.status for response in responses] == [202] * 4 + [429]
    assert responses[-1].json == refused
    assert client.get("/us/api/5/cohorts/request/k3x9ab2").status == 202
