"""Templates of sample lines, one for each pair of device and kind of event.

A template is a JSON line with ``%(name)s`` for the values that differ from event to event; filling it
in is far faster than encoding an object. Values are invented; keys and dialects follow reference
section 7.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from amplitude_emulator.line_keys import new_line, old_line

MakeLine = Callable[[Mapping[str, object]], dict[str, object]]

_NUMBER = re.compile(r'"<number:(\w+)>"')
_TEXT = re.compile(r"<(\w+)>")

WEB: Mapping[str, object] = {
    "country": "Denmark",
    "city": "Aarhus",
    "region": "Central Jutland",
    "device_family": "Mac OS X",
    "device_type": "Mac",
    "language": "Danish",
    "library": "amplitude-ts/2.16.1",
    "os_name": "Chrome",
    "os_version": "137",
    "platform": "Web",
    "user_properties": {
        "initial_utm_source": "EMPTY",
        "initial_referrer": "EMPTY",
        "plan": "pro",
        "interests": ["cycling", "coffee", "日本語"],
        "[Amplitude] Cohorts": [],
        "signup.step": 3,
        "newsletter": None,
    },
}
PHONE: Mapping[str, object] = {
    "amplitude_attribution_ids": "9f2d6c0b5a7e4d13",
    "country": "United States",
    "city": "Austin",
    "region": "Texas",
    "dma": "Austin, TX",
    "device_brand": "Apple",
    "device_carrier": "Verizon",
    "device_family": "Apple iPhone",
    "device_manufacturer": "Apple",
    "device_model": "iPhone 15",
    "device_type": "Apple iPhone",
    "language": "English",
    "library": "amplitude-swift/1.11.2",
    "location_lat": 30.2672,
    "location_lng": -97.7431,
    "os_name": "ios",
    "os_version": "18.3.1",
    "paying": True,
    "platform": "iOS",
    "start_version": "5.0.0",
    "version_name": "5.12.1",
    "user_properties": {"שפה": "עברית", "tier": 2, "tags": ["a", ["b", None], {"c": 1.5}], "nps": 9.0},
}
TABLET: Mapping[str, object] = {
    "country": "Japan",
    "city": "大阪市",
    "region": "大阪府",
    "device_brand": "samsung",
    "device_family": "Samsung Galaxy Tab",
    "device_manufacturer": "samsung",
    "device_model": "SM-X710",
    "device_type": "Samsung Galaxy Tablet",
    "language": "Japanese",
    "library": "amplitude-android/1.16.8",
    "os_name": "android",
    "os_version": "14",
    "platform": "Android",
    "version_name": "5.11.0-β",
    "user_properties": {"お気に入り": ["🍣", "🚲"], "$identify_note": "dollar key", "empty": {}},
}
SERVER: Mapping[str, object] = {
    "client_upload_time": "",  # empty times occurred in old lines (reference 7)
    "library": "http/1.0",
    "paying": "true",
    "user_properties": {"account": {"id": 88, "owner.name": "Zoë"}},
    "plan": None,
}
# Each device with its template; the server still sends the old dialect.
DEVICES: tuple[tuple[Mapping[str, object], MakeLine, str], ...] = (
    (WEB, new_line, "/2/httpapi"),
    (PHONE, new_line, "/batch"),
    (TABLET, new_line, "/2/httpapi"),
)
OLD_DEVICES: tuple[tuple[Mapping[str, object], MakeLine, str], ...] = ((SERVER, old_line, "/httpapi"),)

EVENTS: Mapping[str, Mapping[str, object]] = {
    "Button Clicked": {
        "color": "red",
        "items": [1, 2, 3],
        "nested": {"a": None, "b": {"c": [None, {"d": ""}]}},
        "button.id": "<word>-<number:event_id>",
        "[Amplitude] Page URL": "https://shop.example.com/basket?ref=mail&step=2#top",
    },
    "session_start": {},
    "Order Completed": {
        "$price": "<number:price>",
        "$quantity": 2,
        "$revenue": "<number:revenue>",
        "$productId": "sku-<word>",
        "order id": "<word>/<session_id>",
        "event_time": "yesterday, 5 pm",
        "server_upload_time": None,
        "positions": [{"sku": "A-1", "n": 1, "gift": False}, {"sku": "B-2", "n": 4, "gift": True}],
    },
    "[Amplitude] Page Viewed": {
        "[Amplitude] Page Domain": "shop.example.com",
        "[Amplitude] Page Title": "Fahrräder: große Auswahl 🚴",
        "[Amplitude] Page Path": "/bikes/<word>",
        "load seconds": "<number:price>",
        "referrer": "",
    },
    "検索": {"query": "自転車 ライト", "results": "<number:event_id>", "filters": {"色": ["赤", "青"]}},
    "بحث": {
        "نص": "دراجة هوائية",
        "line\u2028break": "a\u2028b\u0085c",
        "quote": 'say "hi" \\ done',
        "percent": "100 %",
    },
    "Song Played": {
        "title": "<word>",
        "seconds": 201.5,
        "uuid": "not the row's",
        "user_id": 12345,
        "big": 2**53,
    },
}
# Lines of these kinds are ASCII; characters such as emoji are escaped surrogate pairs.
ESCAPED_EVENTS = {"Song Played": {"mood": "🎧😀", "path": "C:\\music\\new\tone"}}

TIMES = (
    "client_event_time",
    "client_upload_time",
    "event_time",
    "processed_time",
    "server_received_time",
    "server_upload_time",
)
_FILLER = "Terms of the summer campaign apply; see the page that the newsletter of <word> linked to. " * 3


def make_templates(project_id: int) -> list[list[str]]:
    """Return the templates of each device by kind of event; the last device uses the old dialect."""
    return [
        [_template(project_id, device, make_line, path, kind) for kind in EVENTS]
        for device, make_line, path in (*DEVICES, *OLD_DEVICES)
    ]


def _template(project_id: int, device: Mapping[str, object], make_line: MakeLine, path: str, kind: str) -> str:
    escaped = ESCAPED_EVENTS.get(kind)
    varying: dict[str, object] = {name: f"<{name}>" for name in TIMES}
    line = make_line(
        {
            **varying,
            **device,
            "$insert_id": "<insert_id>",
            "amplitude_id": "<number:amplitude_id>",
            "app": project_id,
            "data": {
                "path": path,
                "user_properties_updated": kind != "session_start",
                "group_first_event": {},
                "group_ids": {"3124": [2357687219]} if device is WEB else {},
            },
            "device_id": "<device_id>",
            "event_id": "<number:event_id>",
            "event_properties": {**EVENTS[kind], **(escaped or {}), "note": _FILLER} if EVENTS[kind] else {},
            "event_type": kind,
            "group_properties": {"company": {"acme": {"seats": 12}}} if device is WEB else {},
            "groups": {"company": ["acme"]} if device is WEB else {},
            "ip_address": "2001:db8::7" if device is TABLET else "203.0.113.7",
            "session_id": "<number:session_id>",
            "user_id": None if device is TABLET else "<user_id>",
            "uuid": "<uuid>",
        }
    )
    text = json.dumps(line, ensure_ascii=escaped is not None, separators=(",", ":")).replace("%", "%%")
    return _TEXT.sub(r"%(\1)s", _NUMBER.sub(r"%(\1)s", text))
