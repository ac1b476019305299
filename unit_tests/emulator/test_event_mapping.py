from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from amplitude_emulator.event_mapping import Identity, Receipt, corrected_event_time, has_revenue, map_event
from amplitude_emulator.user_profiles import Profile

RECEIVED = datetime(2025, 3, 4, 9, 59, 59, 782000, tzinfo=timezone.utc)
RECEIPT = Receipt(RECEIVED, RECEIVED + timedelta(milliseconds=8), "/2/httpapi", "127.0.0.1")
IDENTITY = Identity(901234567890, "dev-9f", "b7f0c5f2", "3e702190-9dcb-483a-94d8-58e93ce161de", 12)


def mapped(event: dict[str, object], profile: Profile | None = None) -> dict[str, object]:
    return map_event({"event_type": "A", **event}, 100200, IDENTITY, RECEIPT, profile or Profile(), {})


def test_line_matches_the_sample_in_the_reference() -> None:
    line = mapped(
        {
            "event_type": "Button Clicked",
            "user_id": "user-42",
            "time": 1741082397447,
            "event_properties": {"color": "red", "items": [1, 2], "nested": {"a": None}},
            "groups": {"company": "acme"},
            "country": "Denmark",
            "city": "Aarhus",
            "region": "Central Jutland",
            "language": "da-DK",
            "platform": "Web",
            "os_name": "Chrome",
            "os_version": "137",
            "device_model": "Windows",
            "ip": "203.0.113.7",
            "session_id": 1741082397000,
            "library": "amplitude-ts/2.16.1",
            "user_properties": {"plan": "pro"},
        },
        Profile({"plan": "pro"}),
    )

    assert list(line) == sorted(line)
    assert line == {
        "$insert_id": "b7f0c5f2",
        "$insert_key": None,
        "$schema": None,
        "adid": None,
        "amplitude_attribution_ids": None,
        "amplitude_event_type": None,
        "amplitude_id": 901234567890,
        "app": 100200,
        "city": "Aarhus",
        "client_event_time": "2025-03-04 09:59:57.447000",
        "client_upload_time": "2025-03-04 09:59:59.782000",
        "country": "Denmark",
        "data": {
            "path": "/2/httpapi",
            "user_properties_updated": True,
            "group_first_event": {},
            "group_ids": {"6841": [1975680348]},
        },
        "data_type": "event",
        "device_brand": None,
        "device_carrier": None,
        "device_family": "Windows",
        "device_id": "dev-9f",
        "device_manufacturer": None,
        "device_model": "Windows",
        "device_type": "Windows",
        "dma": None,
        "event_id": 12,
        "event_properties": {"color": "red", "items": [1, 2], "nested": {"a": None}},
        "event_time": "2025-03-04 09:59:57.447000",
        "event_type": "Button Clicked",
        "global_user_properties": None,
        "group_properties": {},
        "groups": {"company": ["acme"]},
        "idfa": None,
        "ip_address": "203.0.113.7",
        "is_attribution_event": None,
        "language": "Danish",
        "library": "amplitude-ts/2.16.1",
        "location_lat": None,
        "location_lng": None,
        "os_name": "Chrome",
        "os_version": "137",
        "partner_id": None,
        "paying": None,
        "plan": {},
        "platform": "Web",
        "processed_time": "2025-03-04 10:00:00.956000",
        "region": "Central Jutland",
        "sample_rate": None,
        "server_received_time": "2025-03-04 09:59:59.782000",
        "server_upload_time": "2025-03-04 09:59:59.790000",
        "session_id": 1741082397000,
        "source_id": None,
        "start_version": None,
        "user_creation_time": None,
        "user_id": "user-42",
        "user_properties": {"plan": "pro"},
        "uuid": "3e702190-9dcb-483a-94d8-58e93ce161de",
        "version_name": None,
    }
    assert len(line) == 55


@pytest.mark.parametrize(
    ("event", "key", "value"),
    [
        ({"app_version": "1.2"}, "version_name", "1.2"),
        ({"carrier": "Verizon"}, "device_carrier", "Verizon"),
        ({"ip": "$remote"}, "ip_address", "127.0.0.1"),
        ({}, "ip_address", None),
        ({}, "library", "http/2.0"),
        ({}, "session_id", -1),
        ({}, "client_event_time", "2025-03-04 09:59:59.782000"),
        ({"time": -1000}, "event_time", "1969-12-31 23:59:59.000000"),
        ({"groups": {"team": ["a", "b"]}}, "groups", {"team": ["a", "b"]}),
        ({"plan": {"branch": "main"}}, "plan", {"branch": "main"}),
        ({"idfa": "AAAA"}, "idfa", None),
        ({"idfa": "AAAA"}, "amplitude_attribution_ids", "6134530e40fc1f126fbe23fe222861d0"),
        ({"event_properties": {"long": "x" * 1025}}, "event_properties", {"long": "x" * 1024}),
        (
            {"price": 2.5, "quantity": 2, "revenue": 99, "productId": "p"},
            "event_properties",
            {"$price": 2.5, "$quantity": 2, "$revenue": 5.0, "$productId": "p"},
        ),
        ({"price": 2.5}, "event_properties", {"$price": 2.5, "$quantity": 1, "$revenue": 2.5}),
        ({"revenue": -3.0, "currency": "EUR"}, "event_properties", {"$revenue": -3.0, "$currency": "EUR"}),
        ({"productId": "p"}, "event_properties", {}),
        ({"idfv": "x", "android_id": "y"}, "device_id", "dev-9f"),
    ],
)
def test_mapping_of_one_key(event: dict[str, object], key: str, value: object) -> None:
    assert mapped(event)[key] == value


def test_event_time_is_corrected_only_above_a_minute() -> None:
    event_time = RECEIVED - timedelta(hours=1)
    slightly_off = corrected_event_time(event_time, RECEIVED - timedelta(seconds=59), RECEIVED)
    fast_clock = corrected_event_time(event_time, RECEIVED + timedelta(minutes=10), RECEIVED)

    assert slightly_off == event_time
    assert fast_clock == event_time - timedelta(minutes=10)


def test_revenue_is_found_in_fields_and_sdk_properties() -> None:
    assert has_revenue({"revenue": 1.0})
    assert has_revenue({"event_properties": {"$price": 3}})
    assert not has_revenue({"event_properties": {"price": 3}})
