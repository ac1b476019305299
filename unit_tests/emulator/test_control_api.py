from __future__ import annotations

import gzip
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.emulator.amplitude_client import AmplitudeClient

MEMBERS = "hours/20260304T09/members"


def send(client: AmplitudeClient, method: str, path: str, body: bytes, content_type: str = "") -> int:
    headers = {"Content-Type": content_type} if content_type else {}
    return client.request(method, f"/_emulator/{path}", body, headers).status


def test_clock_can_be_read_set_and_advanced(emulator: Emulator, client: AmplitudeClient) -> None:
    responses = [
        client.control("GET", "clock").json,
        client.control("PUT", "clock", {"now": "2026-03-05T00:00:00Z"}).json,
        client.control("PUT", "clock", {"advance_seconds": 90.5}).json,
    ]

    assert responses == [
        {"now": "2026-03-04T12:00:00Z", "running": False},
        {"now": "2026-03-05T00:00:00Z", "running": False},
        {"now": "2026-03-05T00:01:30.500000Z", "running": False},
    ]
    assert emulator.clock.now() == datetime(2026, 3, 5, 0, 1, 30, 500_000, tzinfo=timezone.utc)


def test_faults_can_be_added_listed_and_removed(client: AmplitudeClient) -> None:
    body = {"name": "server_error", "times": 2, "hour": "20260304T09", "path": "/export", "status": 503}
    added = client.control("POST", "faults", body)
    listed = client.control("GET", "faults")
    hit = client.export("20260304T09")
    client.control("POST", "faults", {"name": "no_answer"})
    one_removed = client.control("DELETE", "faults?id=1")
    all_removed = client.control("DELETE", "faults")

    assert added.status == 201
    assert listed.json == [added.json]
    assert added.json == {
        "id": _id(added.json),
        "name": "server_error",
        "times": 2,
        "hour": "20260304T09",
        "path": "/export",
        "settings": {"status": 503, "body": None, "content_type": "text/html"},
    }
    assert hit.status == 503
    assert isinstance(one_removed.json, list)
    assert all_removed.json == []


def test_requests_can_be_listed_and_cleared(client: AmplitudeClient) -> None:
    client.export("20260304T09")

    assert client.control("GET", "requests").json == [
        {
            "method": "GET",
            "path": "/us/api/2/export",
            "query": {"start": "20260304T09", "end": "20260304T09"},
            "status": 404,
            "at": "2026-03-04T12:00:00Z",
        }
    ]
    assert client.control("DELETE", "requests").json == client.control("GET", "requests").json == []


def test_events_are_the_raw_lines_of_the_requested_hours(
    emulator: Emulator, client: AmplitudeClient, nine: datetime
) -> None:
    for hours in range(3):
        emulator.store.add_member(nine + timedelta(hours=hours), [b'{"h":%d}' % hours], 1)

    assert client.control("GET", "events?start=20260304T09&end=20260304T10").body == b'{"h":0}\n{"h":1}\n'
    assert client.control("GET", "events").body == b'{"h":0}\n{"h":1}\n{"h":2}\n'
    assert client.control("GET", "events?project_id=300400").body == b""


def test_projects_are_listed_with_their_keys(emulator: Emulator, client: AmplitudeClient) -> None:
    assert client.control("GET", "projects").json == [vars(project) for project in emulator.projects]


def test_members_can_be_changed_in_every_way(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> None:
    store = emulator.store
    statuses = [send(client, "POST", f"{MEMBERS}?partition=70", b'{"n":1}\n{"n":2}\n')]
    statuses.append(send(client, "POST", f"{MEMBERS}/70/lines", b'{"n":3}\n'))
    appended = store.lines()
    before = store.read(store.member(nine, 70).name)
    statuses.append(send(client, "POST", f"{MEMBERS}/70/recompress", b""))
    after = store.read(store.member(nine, 70).name)
    statuses.append(send(client, "PUT", f"{MEMBERS}/70", b'{"n":9}\n{"cut'))
    rewritten = store.lines()
    statuses.append(send(client, "PUT", f"{MEMBERS}/71", gzip.compress(b"{}\n"), "application/gzip"))
    listed = client.control("GET", "members").json

    assert statuses == [201, 200, 200, 200, 200]
    assert appended == [b'{"n":1}', b'{"n":2}', b'{"n":3}']
    assert before != after
    assert rewritten == [b'{"n":9}', b'{"cut']
    assert store.lines() == [b'{"n":9}', b'{"cut', b"{}"]
    assert listed == [
        {
            "name": str(member.name),
            "hour": "20260304T09",
            "partition": member.name.partition,
            "size_bytes": member.size_bytes,
            "revision": member.revision,
        }
        for member in store.members()
    ]
    assert send(client, "DELETE", f"{MEMBERS}/70", b"") == 200
    assert store.lines() == [b"{}"]


def test_publishing_of_an_hour_can_be_delayed(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> None:
    emulator.store.add_member(nine, [b"{}"], 1)
    client.control("PUT", "hours/20260304T09/published", {"at": "2026-03-04T13:00:00Z"})
    delayed = client.export("20260304T09").status
    client.control("PUT", "hours/20260304T09/published", {"at": None})

    assert (delayed, client.export("20260304T09").status) == (404, 200)


def test_sample_events_can_be_created(emulator: Emulator, client: AmplitudeClient) -> None:
    body = {"start": "20260303T00", "end": "20260303T23", "events": 100, "seed": 3}

    assert client.control("POST", "sample", body).json == {"events": 100}
    assert len(emulator.store.lines()) == 100


def test_reset_restores_the_initial_state(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.clock.advance(timedelta(days=1))

    assert client.control("POST", "reset").json == {"now": "2026-03-04T12:00:00Z", "running": False}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "faults", {"name": "no_such"}, 400),
        ("PUT", "clock", {"now": "yesterday"}, 400),
        ("PUT", "clock", [], 400),
        ("GET", "events?start=2026", None, 400),
        ("DELETE", f"{MEMBERS}/1", None, 404),
        ("GET", "events?project_id=1", None, 404),
        ("GET", "nothing", None, 404),
    ],
)
def test_invalid_requests_get_an_error_message(
    client: AmplitudeClient, method: str, path: str, body: object, status: int
) -> None:
    response = client.control(method, path, body)

    assert response.status == status
    assert isinstance(response.json, dict)
    assert response.json["error"]


def _id(fault: object) -> object:
    assert isinstance(fault, dict)
    return fault["id"]
