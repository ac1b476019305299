from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.emulator.amplitude_client import AmplitudeClient, Response

USER = {"user_id": "user-42", "event_type": "A"}
JSON = {"Content-Type": "application/json"}


def pick(emulator: Emulator, *keys: str) -> list[tuple[object, ...]]:
    return [tuple(event[key] for key in keys) for event in emulator.store.events()]


def form(client: AmplitudeClient, path: str, identification: object, api_key: str) -> Response:
    body = urlencode({"api_key": api_key, "identification": json.dumps(identification)}).encode()
    return client.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})


def test_accepted_event_is_exported_three_hours_later(emulator: Emulator, client: AmplitudeClient) -> None:
    response = client.upload([{**USER, "insert_id": "a1"}])
    uploaded = emulator.store.events()[0]["server_upload_time"]
    emulator.clock.advance(timedelta(hours=3))

    assert response.json == {
        "code": 200,
        "events_ingested": 1,
        "payload_size_bytes": 121,
        "server_upload_time": 1772625600016,
    }
    assert response.headers["Content-Type"] == "application/json"
    assert uploaded == "2026-03-04 12:00:00.016000"
    assert client.export("20260304T12").lines == emulator.store.lines()


def test_hour_is_the_upload_hour(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.clock.set(datetime(2026, 3, 4, 12, 59, 59, 999_000, tzinfo=timezone.utc))
    client.upload([{**USER, "time": 1_700_000_000_123}])
    (member,) = emulator.store.members()

    assert member.name.hour == datetime(2026, 3, 4, 13, tzinfo=timezone.utc)
    assert pick(emulator, "event_time", "server_received_time") == [
        ("2023-11-14 22:13:20.123000", "2026-03-04 12:59:59.999000")
    ]


def test_line_names_the_endpoint(emulator: Emulator, client: AmplitudeClient) -> None:
    client.upload([USER])
    client.upload([USER], "/us/batch")

    assert {json.loads(line)["data"]["path"] for line in emulator.store.lines()} == {"/2/httpapi", "/batch"}


def test_equal_runs_give_equal_lines(emulator: Emulator, client: AmplitudeClient) -> None:
    events = [{**USER, "user_id": f"user-{n}"} for n in range(20)]
    client.upload(events)
    first = emulator.store.lines()
    emulator.reset()
    client.upload(events)

    assert emulator.store.lines() == first
    assert len({json.loads(line)["uuid"] for line in first}) == 20


def test_events_of_a_user_stay_in_one_partition(emulator: Emulator, client: AmplitudeClient) -> None:
    client.upload([{**USER, "user_id": f"user-{n}"} for n in range(50)])
    client.upload([{**USER, "user_id": f"user-{n}"} for n in range(50)])
    partitions = [member.name.partition for member in emulator.store.members()]

    assert len(partitions) > 3
    assert max(partitions) > len(partitions)
    assert len(emulator.store.lines()) == 100


def test_missing_ids_are_derived(emulator: Emulator, client: AmplitudeClient) -> None:
    client.upload([USER, {"device_id": "device-1", "event_type": "A"}])
    events = {str(event["user_id"]): event for event in emulator.store.events()}

    assert uuid.UUID(str(events["user-42"]["device_id"])).version == 5
    assert events["None"]["device_id"] == "device-1"
    assert all(len(str(event["$insert_id"])) == 36 for event in events.values())


def test_duplicates_within_seven_days_are_not_stored(emulator: Emulator, client: AmplitudeClient) -> None:
    event = {**USER, "device_id": "device-1", "insert_id": "a1"}
    responses = [client.upload([event, event])]
    emulator.clock.advance(timedelta(days=6, hours=23))
    responses.append(client.upload([event, {**event, "device_id": "device-2"}]))
    emulator.clock.advance(timedelta(hours=1, seconds=1))
    responses.append(client.upload([event]))

    assert [json.loads(response.body)["events_ingested"] for response in responses] == [2, 2, 1]
    assert sorted(pick(emulator, "server_received_time", "device_id")) == [
        ("2026-03-04 12:00:00.000000", "device-1"),
        ("2026-03-11 11:00:00.000000", "device-2"),
        ("2026-03-11 12:00:01.000000", "device-1"),
    ]


# User and group properties


def test_events_have_the_user_properties_at_their_time(emulator: Emulator, client: AmplitudeClient) -> None:
    client.upload(
        [
            {**USER, "event_type": "1", "user_properties": {"plan": "free"}},
            {**USER, "event_type": "$identify", "user_properties": {"$set": {"plan": "pro"}, "$add": {"n": 1}}},
            {**USER, "event_type": "2"},
            {
                **USER,
                "event_type": "3",
                "user_properties": {"only": "here"},
                "$skip_user_properties_sync": True,
            },
            {**USER, "event_type": "4"},
        ]
    )

    assert pick(emulator, "event_type", "user_properties") == [
        ("1", {"plan": "free"}),
        ("2", {"plan": "pro", "n": 1}),
        ("3", {"only": "here"}),
        ("4", {"plan": "pro", "n": 1}),
    ]


def test_identify_api_changes_later_events(emulator: Emulator, client: AmplitudeClient) -> None:
    client.upload([{**USER, "event_type": "before"}])
    key = emulator.project.api_key
    posted = form(client, "/us/identify", [{"user_id": "user-42", "user_properties": {"a": 1}}], key)
    query = urlencode({"api_key": key, "identification": '{"user_id":"user-42","paying":"true"}'})
    got = client.request("GET", f"/us/identify?{query}")
    client.upload([{**USER, "event_type": "after"}])

    assert (posted.status, got.status) == (200, 200)
    assert pick(emulator, "event_type", "user_properties", "paying") == [
        ("before", {}, None),
        ("after", {"a": 1}, "true"),
    ]


def test_group_identify_changes_events_of_the_group(emulator: Emulator, client: AmplitudeClient) -> None:
    group = {"group_type": "company", "group_value": "acme", "group_properties": {"seats": 12}}
    form(client, "/us/groupidentify", [group], emulator.project.api_key)
    client.upload(
        [
            {
                "event_type": "$groupidentify",
                "groups": {"company": "acme"},
                "group_properties": {"$add": {"seats": 1}},
            },
            {**USER, "groups": {"company": ["acme", "other"]}},
        ]
    )

    assert pick(emulator, "groups", "group_properties") == [
        ({"company": ["acme", "other"]}, {"company": {"acme": {"seats": 13}}})
    ]


@pytest.mark.parametrize(
    ("path", "identification", "text"),
    [
        ("/us/identify", None, b"missing_event"),
        ("/us/identify", [], b"missing_event"),
        ("/us/identify", {"user_properties": {"a": 1}}, b"missing_event"),
        ("/us/identify", {"user_id": "user-42", "user_properties": {"$set": {}, "a": 1}}, b"missing_event"),
        ("/us/groupidentify", {"group_type": "company"}, b"missing_event"),
        ("/eu/identify", {"user_id": "user-42"}, b"invalid_api_key"),
    ],
)
def test_refused_identification(
    emulator: Emulator, client: AmplitudeClient, path: str, identification: object, text: bytes
) -> None:
    response = form(client, path, identification, emulator.project.api_key)

    assert (response.status, response.body) == (400, text)


def test_too_long_identify_is_414(client: AmplitudeClient) -> None:
    assert client.request("GET", "/us/identify?identification=" + "x" * 4000).status == 414


def test_revenue_makes_a_user_paying_afterwards(emulator: Emulator, client: AmplitudeClient) -> None:
    client.upload([{**USER, "event_type": "1", "revenue": 5.0}, {**USER, "event_type": "2"}])

    assert pick(emulator, "event_type", "paying") == [("1", None), ("2", True)]


# Refusals


@pytest.mark.parametrize(
    ("body", "headers", "status", "expected"),
    [
        (b"", JSON, 400, {"error": "Missing request body"}),
        (b"{", JSON, 400, {"error": "Invalid JSON request body"}),
        (b"[]", JSON, 400, {"error": "Invalid JSON request body"}),
        (b'{"api_key":"k","events":[{}]}', {}, 400, {"error": "Invalid JSON request body"}),
        (
            b'{"events":[{}]}',
            JSON,
            400,
            {"error": "Request missing required field", "missing_field": "api_key"},
        ),
        (
            b'{"api_key":"k"}',
            JSON,
            400,
            {"error": "Request missing required field", "missing_field": "events"},
        ),
        (b'{"api_key":"k","events":[1]}', JSON, 400, {"error": "Invalid event JSON"}),
        (b'{"api_key":"k","events":[{}]}', JSON, 400, {"error": "Invalid API key: k"}),
        (b" " * (1024**2 + 1), JSON, 413, {"error": "Payload too large"}),
    ],
)
def test_refused_upload(
    client: AmplitudeClient, body: bytes, headers: dict[str, str], status: int, expected: dict[str, object]
) -> None:
    response = client.request("POST", "/us/2/httpapi", body, headers)

    assert (response.status, response.json) == (status, {"code": status, **expected})


def test_keys_of_the_other_region_are_unknown(emulator: Emulator, client: AmplitudeClient) -> None:
    response = client.upload([USER], "/eu/2/httpapi")

    assert response.json == {"code": 400, "error": f"Invalid API key: {emulator.project.api_key}"}


def test_batch_accepts_more_than_http_v2(emulator: Emulator, client: AmplitudeClient) -> None:
    events = [{**USER, "event_type": str(n)} for n in range(2000)]
    statuses = [
        client.upload(events).status,
        client.upload(events, "/us/batch").status,
        client.upload([*events, USER], "/us/batch").status,
    ]

    assert statuses == [413, 200, 413]
    assert sorted(pick(emulator, "event_type")) == sorted((str(n),) for n in range(2000))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"time": "2026-03-04"}, {"events_with_invalid_fields": {"time": [1]}}),
        ({"user_id": "anonymous"}, {"events_with_invalid_fields": {"user_id": [1]}}),
        ({"device_id": "lmy47d"}, {"events_with_invalid_fields": {"device_id": [1]}}),
        ({"user_id": ""}, {"events_with_invalid_fields": {"user_id": [1]}}),
        (
            {"event_type": "[Amplitude] Revenue"},
            {"events_with_invalid_fields": {"event_type": [1]}},
        ),
        ({"event_properties": []}, {"events_with_invalid_fields": {"event_properties": [1]}}),
        (
            {"user_properties": {"$set": {}, "a": 1}},
            {"events_with_invalid_fields": {"user_properties": [1]}},
        ),
        ({"groups": {str(n): "g" for n in range(6)}}, {"events_with_invalid_fields": {"groups": [1]}}),
        ({"user_id": "abcd"}, {"events_with_invalid_id_lengths": {"user_id": [1]}}),
    ],
)
def test_one_invalid_event_refuses_the_upload(
    emulator: Emulator, client: AmplitudeClient, event: dict[str, object], expected: dict[str, object]
) -> None:
    response = client.upload([USER, {**USER, **event}])

    assert response.json == {"code": 400, "error": "Invalid field values on some events", **expected}
    assert emulator.store.lines() == []


@pytest.mark.parametrize(("depth", "status"), [(40, 200), (41, 400), (5000, 400)])
def test_objects_may_be_nested_forty_levels_deep(
    emulator: Emulator, client: AmplitudeClient, depth: int, status: int
) -> None:
    event = b'{"user_id":"user-42","event_type":"A","event_properties":%b}' % (b'{"a":' * depth + b"1" + b"}" * depth)
    body = b'{"api_key":"%b","events":[%b]}' % (emulator.project.api_key.encode(), event)

    assert client.request("POST", "/us/2/httpapi", body, JSON).status == status


def test_missing_fields_are_named(client: AmplitudeClient) -> None:
    assert client.upload([{"user_id": "user-42"}, {"event_type": "A"}]).json == {
        "code": 400,
        "error": "Request missing required field",
        "events_with_missing_fields": {"event_type": [0], "user_id": [1]},
    }


def test_http_v2_lists_one_invalid_event_and_batch_all(client: AmplitudeClient) -> None:
    events = [USER, {**USER, "time": "x"}, {**USER, "time": 1.5}]
    responses = [client.upload(events, path) for path in ("/us/2/httpapi", "/us/batch")]

    assert [json.loads(response.body)["events_with_invalid_fields"] for response in responses] == [
        {"time": [1]},
        {"time": [1, 2]},
    ]


def test_short_ids_are_removed_if_another_id_is_left(emulator: Emulator, client: AmplitudeClient) -> None:
    client.upload([{"user_id": "abcd", "device_id": "device-1", "event_type": "short"}])
    client.upload([{"user_id": "a", "event_type": "allowed"}], options={"min_id_length": 1})

    assert sorted(pick(emulator, "event_type", "user_id")) == [("allowed", "a"), ("short", None)]
