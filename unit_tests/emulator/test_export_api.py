from __future__ import annotations

import gzip
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
import requests

from amplitude_emulator import Emulator, RequestSeen
from unit_tests.emulator.amplitude_client import AmplitudeClient, basic, envelope

NINE_LINES = [b'{"hour":9,"n":1}', b'{"hour":9,"n":2}']
NOTHING_FOUND = envelope(404, "Raw data files were not found.")


@pytest.fixture(autouse=True)
def _two_hours(emulator: Emulator, nine: datetime) -> None:
    emulator.store.add_member(nine, NINE_LINES[:1], 627)
    emulator.store.add_member(nine, NINE_LINES[1:], 70)
    emulator.store.add_member(nine - timedelta(hours=1), [b'{"hour":8,"n":1}'], 70)


def test_both_ends_of_the_window_are_included(client: AmplitudeClient) -> None:
    response = client.export("20260304T08", "20260304T09")

    assert response.status == 200
    assert response.headers["Content-Type"] == "application/zip"
    assert int(response.headers["Content-Length"]) == len(response.body)
    assert list(response.members) == [
        "100200/100200_2026-03-04_8#70.json.gz",
        "100200/100200_2026-03-04_9#627.json.gz",
        "100200/100200_2026-03-04_9#70.json.gz",
    ]
    assert response.lines == [b'{"hour":8,"n":1}', *NINE_LINES]


def test_equal_start_and_end_select_one_hour(client: AmplitudeClient) -> None:
    assert client.export("20260304T09").lines == NINE_LINES


def test_members_are_stored_gzip_files(client: AmplitudeClient) -> None:
    with zipfile.ZipFile(io.BytesIO(client.export("20260304T08").body)) as archive:
        entries = [(entry.compress_type, archive.read(entry)) for entry in archive.infolist()]

    assert entries == [(zipfile.ZIP_STORED, gzip.compress(b'{"hour":8,"n":1}\n', 6, mtime=0))]


def test_zip_can_be_deflated_and_have_a_directory_entry(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.options = replace(emulator.options, deflated=True, directory_entry=True)
    response = client.export("20260304T09")
    with zipfile.ZipFile(io.BytesIO(response.body)) as archive:
        kinds = [(entry.filename, entry.compress_type) for entry in archive.infolist()]

    assert kinds[0] == ("100200/", zipfile.ZIP_STORED)
    assert {kind for _, kind in kinds[1:]} == {zipfile.ZIP_DEFLATED}
    assert response.lines == NINE_LINES


def test_equal_requests_get_equal_bytes_until_a_change(
    emulator: Emulator, client: AmplitudeClient, nine: datetime
) -> None:
    first, second = client.export("20260304T09"), client.export("20260304T09")
    emulator.store.append_lines(nine, 70, [b'{"hour":9,"n":3}'])
    third = client.export("20260304T09")

    assert first.body == second.body
    assert third.lines == [*NINE_LINES, b'{"hour":9,"n":3}']


def test_parallel_requests_get_complete_archives(client: AmplitudeClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(client.export, ["20260304T08", "20260304T09"] * 20))

    assert [response.lines for response in responses] == [[b'{"hour":8,"n":1}'], NINE_LINES] * 20


@pytest.mark.parametrize("hour", ["20260304T07", "20260305T09", "20190101T00"])
def test_window_without_members_is_404(client: AmplitudeClient, hour: str) -> None:
    response = client.export(hour)

    assert (response.status, response.json) == (404, NOTHING_FOUND)
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_hour_is_published_three_hours_after_its_start(
    emulator: Emulator, client: AmplitudeClient, nine: datetime
) -> None:
    emulator.clock.set(nine + timedelta(hours=3) - timedelta(seconds=1))
    before = client.export("20260304T09")
    emulator.clock.advance(timedelta(seconds=1))
    after = client.export("20260304T09")

    assert (before.status, before.json) == (404, NOTHING_FOUND)
    assert after.lines == NINE_LINES


def test_unpublished_hours_are_omitted(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> None:
    emulator.clock.set(nine + timedelta(hours=2, minutes=30))

    assert client.export("20260304T08", "20260304T09").lines == [b'{"hour":8,"n":1}']


def test_publishing_delay_can_be_chosen(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.options = replace(emulator.options, publish_delay_hours=3.5)

    assert client.export("20260304T08", "20260304T09").lines == [b'{"hour":8,"n":1}']


def test_single_hour_can_be_published_late(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> None:
    emulator.store.publish_at(nine - timedelta(hours=1), nine + timedelta(hours=10))

    assert client.export("20260304T08", "20260304T09").lines == NINE_LINES

    emulator.clock.set(nine + timedelta(hours=10))

    assert client.export("20260304T08", "20260304T09").lines == [b'{"hour":8,"n":1}', *NINE_LINES]


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("end=20260304T09", "Missing required parameter start"),
        ("start=20260304T09", "Missing required parameter end"),
        ("start=20260304T9&end=20260304T09", "Invalid start or end: expected the format YYYYMMDDTHH"),
        ("start=2026-03-04&end=20260304T09", "Invalid start or end: expected the format YYYYMMDDTHH"),
        ("start=20260304T09&end=20260304T08", "Invalid time range: start is after end"),
        ("start=20250304T09&end=20260304T09", "Invalid time range: more than 365 days"),
    ],
)
def test_invalid_windows_are_400(emulator: Emulator, client: AmplitudeClient, query: str, details: str) -> None:
    keys = basic(emulator.project.api_key, emulator.project.secret_key)
    response = client.request("GET", f"/us/api/2/export?{query}", headers=keys)

    assert (response.status, response.json) == (400, envelope(400, details))


def test_exactly_365_days_are_allowed(client: AmplitudeClient) -> None:
    assert client.export("20250304T10", "20260304T09").status == 200


def test_archive_above_the_limit_is_400_with_a_size_text(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.options = replace(emulator.options, archive_limit_bytes=50)
    response = client.export("20260304T08", "20260304T09")

    assert response.json == envelope(400, "The export file size is too large. Try a shorter time range.")
    assert client.export("20260304T08").status == 200


def test_wrong_keys_are_403(emulator: Emulator, client: AmplitudeClient) -> None:
    path = "/us/api/2/export?start=20260304T09&end=20260304T09"
    unknown, combination = "Invalid API Key", "Invalid API/Secret Key combination"
    known_key = emulator.project.api_key
    cases = [
        ({}, unknown),
        (basic("f" * 32, emulator.project.secret_key), unknown),
        (basic(known_key, "0" * 32), combination),
        (basic(known_key, ""), combination),
        ({"Authorization": "Basic not-base64"}, unknown),
        ({"Authorization": f"Bearer {known_key}"}, unknown),
    ]
    responses = [client.request("GET", path, headers=headers) for headers, _ in cases]

    assert [response.json for response in responses] == [envelope(403, details) for _, details in cases]
    assert {response.status for response in responses} == {403}


def test_keys_are_valid_in_one_region(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> None:
    european = next(project for project in emulator.projects if project.region == "eu")
    emulator.store_of(european).add_member(nine, [b'{"app":300400}'], 1)
    in_the_wrong_region = client.export("20260304T09", project=replace(european, region="us"))

    assert client.export("20260304T09", project=european).lines == [b'{"app":300400}']
    assert in_the_wrong_region.json == envelope(403, "Invalid API Key")
    assert client.export("20260304T09").lines == NINE_LINES


def test_day_files_are_served_for_any_hour_of_their_day(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.store.add_member(datetime(2013, 5, 6, tzinfo=timezone.utc), [b'{"day":6}'], 1)
    response = client.export("20130506T11", "20130506T12")

    assert list(response.members) == ["100200/100200_2013-05-06_0#1.json.gz"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/us/nothing", 404), ("GET", "/", 404), ("POST", "/us/api/2/export", 405)],
)
def test_unknown_paths_get_an_envelope(client: AmplitudeClient, method: str, path: str, status: int) -> None:
    response = client.request(method, path)

    assert response.status == status
    assert response.json == envelope(status, {404: "Not Found", 405: "Method Not Allowed"}[status])


def test_requests_are_logged_without_keys(emulator: Emulator, client: AmplitudeClient) -> None:
    client.export("20260304T09")
    client.export("20260304T07")
    client.control("GET", "clock")
    noon = emulator.clock.now()

    assert emulator.requests == [
        RequestSeen("GET", "/us/api/2/export", {"start": hour, "end": hour}, status, noon)
        for hour, status in (("20260304T09", 200), ("20260304T07", 404))
    ]


def test_reset_removes_everything(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("server_error")
    emulator.options = replace(emulator.options, deflated=True)
    noon = emulator.clock.now()
    emulator.clock.advance(timedelta(days=1))
    client.export("20260304T09")
    emulator.reset()

    assert (emulator.requests, emulator.faults.active(), emulator.store.members()) == ([], [], [])
    assert (emulator.clock.now(), emulator.options.deflated) == (noon, False)
    assert client.export("20260304T09").status == 404


def test_log_counts_concurrent_requests(emulator: Emulator) -> None:
    emulator.faults.add("prepare", seconds=0.5)
    keys = (emulator.project.api_key, emulator.project.secret_key)

    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(requests.get, f"{emulator.url}/us/api/2/export", auth=keys, timeout=10)

    assert sorted(seen.at_once for seen in emulator.requests) == [1, 2, 3]
