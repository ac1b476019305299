"""Odd lines and values are emitted and counted."""

from __future__ import annotations

import json

import orjson
import pytest

from source_amplitude.records import Oddity, OddityKind, Record, records_from_line
from unit_tests.records.reading import dumped, noted, record


def test_lone_surrogates_are_replaced_and_counted_by_field() -> None:
    line = (
        b'{"city":"\\ud83d","b":"x\\u0000y","c":"\\ud83d\\ude00","\\udc00":1,'
        b'"event_properties":{"a":["\\ud83dx\\ude00"],"\\ud83d":1,"\\ud83e":{"\\udfff":2}}}'
    )
    read = {
        "city": "\ufffd",
        "b": "x\x00y",
        "c": "\U0001f600",
        "\ufffd": 1,
        "event_properties": {"a": ["\ufffdx\ufffd"], "\ufffd": 1, "\ufffd\ufffd": {"\ufffd": 2}},
    }

    assert record(line) == orjson.loads(dumped(line)) == read
    assert noted(line) == {
        Oddity(OddityKind.SURROGATE, "city"): 1,
        Oddity(OddityKind.SURROGATE, "fields outside the schema"): 1,
        Oddity(OddityKind.SURROGATE, "event_properties"): 5,
    }


@pytest.mark.parametrize(
    ("line", "read", "kinds"),
    [
        (
            b'{"a":"\xed\xa0\xbd"}',
            {"a": "\ufffd"},
            (
                OddityKind.NOT_UTF8,
                OddityKind.SURROGATE,
            ),
        ),
        (b'{"a":"\xed\xa0\xbd\xed\xb8\x80"}', {"a": "\U0001f600"}, (OddityKind.NOT_UTF8,)),
        (b'{"a":"\xff"}', {"a": "\ufffd"}, (OddityKind.NOT_UTF8,)),
        (b'{"a":"x\xf0\x9f\x98"}', {"a": "x\ufffd"}, (OddityKind.NOT_UTF8,)),
        (b'{"a":"\t\x00\x1f"}', {"a": "\t\x00\x1f"}, (OddityKind.CONTROL_CHARACTER,)),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}, (OddityKind.BYTE_ORDER_MARK,)),
        (b' \xef\xbb\xbf\xef\xbb\xbf{"a":1}\r', {"a": 1}, (OddityKind.BYTE_ORDER_MARK,)),
        (b'{"a":[NaN,1e999]}', {"a": [None, None]}, (OddityKind.NOT_FINITE,)),
        (
            b'\xef\xbb\xbf{"a":"\x01\xff"}',
            {"a": "\x01\ufffd"},
            (
                OddityKind.BYTE_ORDER_MARK,
                OddityKind.CONTROL_CHARACTER,
                OddityKind.NOT_UTF8,
            ),
        ),
    ],
    ids=str,
)
def test_odd_line_is_repaired_and_counted(line: bytes, read: Record, kinds: tuple[OddityKind, ...]) -> None:
    assert record(line) == orjson.loads(dumped(line)) == read
    assert {oddity.kind: count for oddity, count in noted(line).items()} == dict.fromkeys(kinds, 1)


@pytest.mark.parametrize("between", [b"", b" ", b"\t\r", b"\xef\xbb\xbf"])
def test_several_objects_on_a_line_are_several_events(between: bytes) -> None:
    line = between.join([b'{"a":1}', b'{"event_time":"2025-03-04"}', b"{}"])

    assert records_from_line(line) == [{"a": 1}, {"event_time": "2025-03-04T00:00:00.000000+00:00"}, {}]
    assert noted(line)[Oddity(OddityKind.SEVERAL_EVENTS)] == 1


@pytest.mark.parametrize(
    ("event", "odd"),
    [
        ({"paying": "true"}, ("paying", "boolean", "string")),
        ({"paying": 1}, ("paying", "boolean", "integer")),
        ({"app": True}, ("app", "integer", "boolean")),
        ({"app": "100200"}, ("app", "integer", "string")),
        ({"event_id": 12.5}, ("event_id", "integer", "number")),
        ({"session_id": "1668386175074"}, ("session_id", "number", "string")),
        ({"os_version": 137}, ("os_version", "string", "integer")),
        ({"amplitude_attribution_ids": ["a"]}, ("amplitude_attribution_ids", "string", "array")),
        ({"data": "{}"}, ("data", "object", "string")),
        ({"groups": []}, ("groups", "object", "array")),
        ({"sample_rate": []}, ("sample_rate", "string or number", "array")),
        ({"plan": {"version": 3, "other": 4}}, ("plan.version", "string", "integer")),
    ],
    ids=repr,
)
def test_misfit_is_unchanged_and_counted(event: Record, odd: tuple[str, str, str]) -> None:
    line = json.dumps(event).encode()

    assert record(line) == event
    assert noted(line) == {Oddity(OddityKind.MISFIT, *odd): 1}


@pytest.mark.parametrize(
    "event",
    [
        {"paying": None, "app": None},
        {"paying": False, "session_id": 1, "location_lat": 2, "event_id": 12.0},
        {"sample_rate": "0.5"},
        {"sample_rate": 1},
        {"plan": {"version": "3"}, "groups": {}},
        {"new": [], "event_properties": {"paying": 5}},
    ],
    ids=repr,
)
def test_values_of_the_declared_type_are_not_odd(event: Record) -> None:
    assert noted(json.dumps(event).encode()) == {}
