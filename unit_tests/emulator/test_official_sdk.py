"""The unmodified amplitude-analytics SDK sends to the emulator."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from amplitude import Amplitude, BaseEvent, Config, EventOptions, Identify, Revenue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amplitude_emulator import Emulator

_PAUSE = threading.Event()
OPTIONS = EventOptions(user_id="user-42", device_id="device-1")


class Sender:
    def __init__(self, url: str, api_key: str) -> None:
        self.codes: list[int] = []
        configuration = Config(server_url=url, callback=self._note, flush_interval_millis=10)
        self.sdk: Any = Amplitude(api_key, configuration)

    def _note(self, _event: object, code: int, _message: str | None = None) -> None:
        self.codes.append(code)

    def flush(self) -> None:
        """Send queued events; the SDK's own thread may have sent some of them already."""
        self.sdk.shutdown()


@pytest.fixture(params=["/2/httpapi", "/batch"])
def sender(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Sender]:
    sender = Sender(f"{emulator.url}/us{request.param}", emulator.project.api_key)
    yield sender
    sender.flush()


def test_all_events_of_the_sdk_are_stored(emulator: Emulator, sender: Sender) -> None:
    sdk = sender.sdk
    sdk.identify(Identify().set("plan", "pro").append("tags", "é"), OPTIONS)
    sdk.set_group("company", "acme", OPTIONS)
    sdk.group_identify("company", "acme", Identify().set("seats", 12))
    wait_for_codes(sender, 3)
    sdk.track(
        BaseEvent(
            "検索 🚲",
            user_id="user-42",
            device_id="device-1",
            time=1_700_000_000_123,
            event_properties={"ключ": "שלום", "emoji": "😀"},
            groups={"company": "acme"},
            language="da-DK",
        )
    )
    wait_for_codes(sender, 4)
    sdk.revenue(Revenue(price=2.5, quantity=2, product_id="sku"), OPTIONS)
    sender.flush()
    search, revenue = sorted(emulator.store.events(), key=lambda event: str(event["event_type"]), reverse=True)

    assert sender.codes == [200] * 5
    assert {
        key: search[key]
        for key in ("event_type", "event_time", "event_properties", "groups", "group_properties", "language")
    } == {
        "event_type": "検索 🚲",
        "event_time": "2023-11-14 22:13:20.123000",
        "event_properties": {"ключ": "שלום", "emoji": "😀"},
        "groups": {"company": ["acme"]},
        "group_properties": {"company": {"acme": {"seats": 12}}},
        "language": "Danish",
    }
    assert search["user_properties"] == {"plan": "pro", "tags": ["é"], "company": "acme"}
    assert (search["library"], search["user_id"]) == ("amplitude-python/1.3.0", "user-42")
    assert (revenue["event_type"], revenue["event_properties"]) == (
        "revenue_amount",
        {"$price": 2.5, "$productId": "sku", "$quantity": 2},
    )
    assert len(search) == len(revenue) == 55


def test_sdk_resends_after_a_429(emulator: Emulator, sender: Sender) -> None:
    emulator.faults.add("too_many_requests", times=1)
    sender.sdk.track(BaseEvent("again", user_id="user-42"))
    wait_for_codes(sender, 1)

    assert sender.codes == [200]
    assert [seen.status for seen in emulator.requests] == [429, 200]
    assert [json.loads(line)["event_type"] for line in emulator.store.lines()] == ["again"]


def test_sdk_reports_invalid_events(sender: Sender) -> None:
    sender.sdk.track(BaseEvent("A", user_id="anonymous"))
    sender.flush()

    assert sender.codes == [400]


def wait_for_codes(sender: Sender, number: int) -> None:
    """Wait until the SDK's thread has sent the events of the last call."""
    for _ in range(500):
        if len(sender.codes) >= number:
            return
        sender.sdk.flush()
        _PAUSE.wait(0.01)
    pytest.fail(f"The SDK called back {len(sender.codes)} times instead of {number}")
