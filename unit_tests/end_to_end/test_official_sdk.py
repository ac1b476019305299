"""Events sent with Amplitude's SDK are printed by the connector, field by field."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from amplitude import Amplitude, BaseEvent, Config, EventOptions, Identify, Revenue

from unit_tests.end_to_end.connector import by_uuid, expected_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector

USERS = 20
EVENTS = 2_000
WAIT_SECONDS = 60
SENT_AT_MS = 1_772_625_600_123  # shortly before the emulator's noon


class Deliveries:
    """Counts the deliveries reported by the SDK's callback, from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.codes: list[int] = []

    def __call__(self, event: BaseEvent, code: int, message: str | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        with self._changed:
            self.codes.append(code)
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.codes) >= count, WAIT_SECONDS), len(self.codes)


@pytest.fixture
def deliveries() -> Deliveries:
    return Deliveries()


@pytest.fixture(params=["/us/2/httpapi", "/us/batch"], ids=["http-v2", "batch"])
def sdk(request: pytest.FixtureRequest, emulator: Emulator, deliveries: Deliveries) -> Iterator[Amplitude]:
    config = Config(
        server_url=emulator.url + request.param, callback=deliveries, flush_queue_size=150, flush_interval_millis=50
    )
    client = Amplitude(emulator.project.api_key, config)
    yield client
    client.shutdown()


def test_every_field_of_2000_sdk_events_is_printed(
    emulator: Emulator, connector: Connector, sdk: Amplitude, deliveries: Deliveries
) -> None:
    identify_users(sdk)
    deliveries.wait_for(USERS)
    sent = [track(sdk, number) for number in range(EVENTS)]
    sent += [revenue(sdk, number) for number in range(USERS)]
    deliveries.wait_for(USERS + len(sent))
    emulator.clock.advance(timedelta(hours=3))

    run = connector.read()

    assert run.exit_code == 0, run.logs
    assert set(deliveries.codes) == {200}
    assert by_uuid(run.records) == by_uuid([expected_record(line) for line in emulator.store.lines()])
    assert by_insert_id(run.records, sent) == by_insert_id(sent, sent)


def identify_users(sdk: Amplitude) -> None:
    """Give every user properties; the SDK sends ``$identify`` events, which are not exported."""
    for user in range(USERS):
        identity = Identify()
        identity.set("plan", "pro" if user % 2 else "free").set("名前", f"ユーザー {user} 🚲").add("logins", 1)
        sdk.identify(identity, EventOptions(user_id=user_id(user), device_id=device_id(user)))
    sdk.flush()


def track(sdk: Amplitude, number: int) -> dict[str, Any]:
    """Track an event with every kind of field and return the fields its record must have."""
    user = number % USERS
    properties = {
        "number": number,
        "price": number / 7,
        "text": "naïve “quotes” \\ / \u2028 עברית 漢字 🧑‍🚀",
        "nested.key": {"list": [1, {"deep": None}], "event_time": "2020-01-01 00:00:00.000000"},
        "flag": number % 2 == 0,
    }
    groups = {"company": [f"acme {user}", "全社"], "team": "blue"}
    sdk.track(
        BaseEvent(
            event_type=f"Button Clicked {number % 5}",
            user_id=user_id(user),
            device_id=device_id(user),
            time=SENT_AT_MS + number,
            insert_id=f"sdk-{number}",
            event_properties=properties,
            groups=groups,
            session_id=SENT_AT_MS,
            event_id=number,
            app_version="4.5.6",
            platform="Web",
            os_name="Chrome",
            os_version="137",
            device_brand="Apple",
            carrier="Verizon",
            country="Denmark",
            region="Central Jutland",
            city="Århus",
            language="da-DK",
            ip="203.0.113.7",
            location_lat=56.16,
            location_lng=10.2,
        )
    )
    return {
        "$insert_id": f"sdk-{number}",
        "event_type": f"Button Clicked {number % 5}",
        "event_properties": properties,
        "user_properties": user_properties(user),
        "groups": {"company": [f"acme {user}", "全社"], "team": ["blue"]},
        "user_id": user_id(user),
        "device_id": device_id(user),
        "client_event_time": rfc3339(SENT_AT_MS + number),
        "event_time": rfc3339(SENT_AT_MS + number),
        "session_id": SENT_AT_MS,
        "event_id": number,
        "version_name": "4.5.6",
        "platform": "Web",
        "os_name": "Chrome",
        "os_version": "137",
        "device_brand": "Apple",
        "device_carrier": "Verizon",
        "country": "Denmark",
        "region": "Central Jutland",
        "city": "Århus",
        "language": "Danish",
        "ip_address": "203.0.113.7",
        "location_lat": 56.16,
        "location_lng": 10.2,
        "library": "amplitude-python/1.3.0",
        "app": 100200,
    }


def revenue(sdk: Amplitude, user: int) -> dict[str, Any]:
    """Send a revenue event and return the fields its record must have."""
    options = EventOptions(
        user_id=user_id(user), device_id=device_id(user), time=SENT_AT_MS, insert_id=f"revenue-{user}"
    )
    sdk.revenue(Revenue(price=3.99, quantity=user + 1, product_id="bike", properties={"mug": True}), options)
    return {
        "$insert_id": f"revenue-{user}",
        "event_type": "revenue_amount",
        "event_properties": {"mug": True, "$productId": "bike", "$quantity": user + 1, "$price": 3.99},
        "user_properties": user_properties(user),
        "user_id": user_id(user),
        "client_event_time": rfc3339(SENT_AT_MS),
    }


def user_properties(user: int) -> dict[str, Any]:
    return {"plan": "pro" if user % 2 else "free", "名前": f"ユーザー {user} 🚲", "logins": 1}


def user_id(user: int) -> str:
    return f"user-{user:03}"


def device_id(user: int) -> str:
    return f"device-{user:03}"


def rfc3339(milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="microseconds")


def by_insert_id(records: list[dict[str, Any]], sent: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the sent fields of each record by insert id; fail on duplicates."""
    assert len({record["$insert_id"] for record in records}) == len(records)
    names = {each["$insert_id"]: set(each) for each in sent}
    return {record["$insert_id"]: {name: record[name] for name in names[record["$insert_id"]]} for record in records}
