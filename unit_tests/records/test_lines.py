from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from source_amplitude.encoding import JsonLines
from source_amplitude.records import (
    DATETIME_FIELDS,
    NotAnEventError,
    dump_record,
    exact_records_from_line,
    may_lose_digits,
    records_from_line,
)
from unit_tests.records.reading import dumped, exact_record_from_line, record, record_from_line, without_lone_surrogates

LINE = (
    b'{"$insert_id":"e1","app":100200,"event_type":"Song \xc3\xa9 Played","city":null,"sample_rate":null,'
    b'"client_event_time":"2025-03-04 09:59:57.447000","client_upload_time":"2025-03-04 09:59:58.000001",'
    b'"event_time":"2025-03-04 09:59:57.447000","processed_time":"2025-03-04 10:00:02.101000",'
    b'"server_received_time":"2025-03-04 09:59:58.312000","server_upload_time":"2025-03-04 09:59:59.999999",'
    b'"user_creation_time":"2024-02-29 23:59:59.000000","paying":false,"location_lat":52.5,'
    b'"user_properties":{"plan":null,"event_time":"2025-03-04 09:59:57.447000","client_event_time":null},'
    b'"event_properties":{"tags":["a",null,{"processed_time":"2025-03-04 10:00:02.101000"}],"empty":{}},"uuid":"u1"}'
)
RECORD = {
    "$insert_id": "e1",
    "app": 100200,
    "event_type": "Song é Played",
    "client_event_time": "2025-03-04T09:59:57.447000+00:00",
    "client_upload_time": "2025-03-04T09:59:58.000001+00:00",
    "event_time": "2025-03-04T09:59:57.447000+00:00",
    "processed_time": "2025-03-04T10:00:02.101000+00:00",
    "server_received_time": "2025-03-04T09:59:58.312000+00:00",
    "server_upload_time": "2025-03-04T09:59:59.999999+00:00",
    "user_creation_time": "2024-02-29T23:59:59.000000+00:00",
    "paying": False,
    "location_lat": 52.5,
    "user_properties": {"plan": None, "event_time": "2025-03-04 09:59:57.447000", "client_event_time": None},
    "event_properties": {"tags": ["a", None, {"processed_time": "2025-03-04 10:00:02.101000"}], "empty": {}},
    "uuid": "u1",
}


def test_event_changes_only_nulls_and_datetimes() -> None:
    assert record_from_line(LINE) == RECORD
    assert exact_record_from_line(LINE) == RECORD
    assert json.loads(dumped(LINE)) == RECORD


@pytest.mark.parametrize("name", DATETIME_FIELDS)
def test_only_top_level_datetimes_are_changed(name: str) -> None:
    line = json.dumps({name: "2025-03-04 09:59:57.447000", "nested": {name: "2025-03-04 09:59:57.447000"}}).encode()

    expected = {name: "2025-03-04T09:59:57.447000+00:00", "nested": {name: "2025-03-04 09:59:57.447000"}}
    assert record_from_line(line) == expected


def test_other_keys_are_unchanged() -> None:
    other = {"time": "2025-03-04 09:59:57.447000", "event_time_2": "2025-03-04", "Event_Time": "2025-03-04"}

    assert len(set(DATETIME_FIELDS)) == 7
    assert record_from_line(json.dumps(other).encode()) == other


@pytest.mark.parametrize(
    "number",
    [
        2**53 + 1,
        2**63 - 1,
        2**63,
        2**64 - 1,
        2**64,
        10**19,
        10**20 - 1,
        10**20,
        10**40 + 1,
        -(2**63),
        -(2**63) - 1,
        -(10**18),
        -(10**19),
        -(10**19) + 1,
        -(10**40),
        1e16,
        1.7976931348623157e308,
        -1.5e300,
        5e-324,
        0.1,
        -0.0,
    ],
)
@pytest.mark.parametrize("place", ['{"n":%s}', '{"a":[{"n":%s}]}', '{"n":%s,"t":"lone \\ud800"}', '{ "n" : %s }'])
def test_numbers_keep_all_digits(number: float, place: str) -> None:
    line = (place % json.dumps(number)).encode()

    expected = json.loads(line.replace(b"\\ud800", b"\\ufffd"))
    assert record(line) == expected
    assert json.loads(dumped(line)) == expected
    assert json.loads(dump_record(record(line))) == expected


@pytest.mark.parametrize(
    ("line", "may_lose"),
    [
        (b'{"n":18446744073709551616}', True),
        (b'{"n":-9223372036854775809}', True),
        (b'{"n":123456789012345}', False),
        (b'{"n":1.5}', False),
        (b'{"n":0.1234567890123456}', True),
        (b'{"n":1e-320}', True),
        (b'{"n":1E+100}', True),
        (b'{"n":1e22}', False),
        (b'{"t":"a1234567890123456789"}', False),
        (b'{"t":"f7e123e4567"}', False),
        (b'{"t":"2025-03-04 09:59:57.447000"}', False),
    ],
)
def test_may_lose_digits(line: bytes, *, may_lose: bool) -> None:
    assert may_lose_digits(line) is may_lose


@given(st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.integers().map(str))
@example("0.30000000000000001")
@example("9007199254740993.0")
@example("1E-400")
@settings(deadline=None)
def test_numbers_keep_their_decimal_value(text: str) -> None:
    line = b'{"n":%b}' % text.encode()

    (read,) = (exact_records_from_line if may_lose_digits(line) else records_from_line)(line)

    if math.isfinite(float(text)):
        assert json.loads(dump_record(read), parse_float=Decimal)["n"] == Decimal(text)


def test_exact_number_is_a_float_with_a_spelling() -> None:
    (read,) = exact_records_from_line(b'{"n":[1.234567890123456789,1.5,{"m":1E2}],"t":"\\ud800"}')

    assert read == {"n": [1.2345678901234568, 1.5, {"m": 100.0}], "t": "\ufffd"}
    assert dump_record(read) == b'{"n":[1.234567890123456789,1.5,{"m":100.0}],"t":"\xef\xbf\xbd"}'


def test_nan_and_infinities_become_null() -> None:
    line = b'{"a":NaN,"b":[NaN,Infinity,-Infinity],"c":1}'

    assert record(line) == {"b": [None, None, None], "c": 1}
    assert dumped(line) == b'{"b":[null,null,null],"c":1}'


@pytest.mark.parametrize("line", [b'{"a":[-1e400],"b":"\\ud800"}', b'{"a":1e999,"b":100000000000000000000}'])
def test_number_out_of_float_range_gives_valid_json(line: bytes) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    json.loads(dumped(line), parse_constant=refuse)


@pytest.mark.parametrize("depth", [1, 200, 253, 254, 255, 300, 500])
def test_nesting_beyond_orjson_is_unchanged(depth: int) -> None:
    line = b'{"a":' + b"[" * depth + b"]" * depth + b"}"

    assert dumped(line) == line


@pytest.mark.parametrize("depth", [1000, 1024, 2000, 100_000])
def test_very_deep_nesting_is_unchanged_or_rejected(depth: int) -> None:
    line = b'{"a":' + b"[" * depth + b"]" * depth + b"}"

    try:
        result = dumped(line)
    except NotAnEventError:
        return

    assert result == line


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"[]",
        b"1",
        b'"text"',
        b"null",
        b"NaN",
        b"[NaN]",
        b"{",
        b'{"a":1',
        b'{"a":1}}',
        b'{"a":1} {"b":',
        b'{"a":1}{"b":2}x',
        b'{"a":1},{"b":2}',
        b'{"a":1}[]',
        b"{'a':1}",
        b'{"a":\xff}',
        b"\x00",
        b'{"a":' + b"9" * 5000 + b"}",
    ],
    ids=lambda line: repr(line[:20]),
)
def test_other_lines_raise_without_quoting_the_line(line: bytes) -> None:
    for read in (record_from_line, exact_record_from_line, record, dumped):
        with pytest.raises(NotAnEventError) as caught:
            read(line)

        assert str(caught.value) in ("the line is not valid JSON", "the line is JSON, but not an object")


@pytest.mark.parametrize("line", [b"{}", b" {} \r", b'{"a":1}\r', b'\t{"a":1}'])
def test_blanks_around_an_object_are_ignored(line: bytes) -> None:
    assert record(line) == json.loads(line)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | FLOATS | st.text()
VALUES = st.recursive(
    SCALARS | st.integers(-(2**63), 2**64 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
HUGE_VALUES = st.recursive(
    SCALARS | st.integers() | st.integers(-(10**25), 10**25),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
KEYS = st.text(max_size=5) | st.sampled_from(DATETIME_FIELDS)
SURROGATES = st.text(st.characters(categories=["Cs", "Ll"]), max_size=4)


def unchanged_fields(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if value is not None and key not in DATETIME_FIELDS}


def test_number_out_of_float_range_becomes_null() -> None:
    assert dumped(b'{"a":[1e999]}') == b'{"a":[null]}'


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.booleans())
@settings(deadline=None)
def test_any_event_keeps_its_values(event: dict[str, Any], ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    line = json.dumps(event, ensure_ascii=ascii_only).encode()

    expected = unchanged_fields(event)
    for read in (record_from_line, exact_record_from_line, record):
        assert unchanged_fields(json.loads(dump_record(read(line)))) == expected
    assert unchanged_fields(json.loads(dumped(line))) == expected


@given(st.dictionaries(KEYS, HUGE_VALUES | SURROGATES, max_size=6))
@example({"n": 2**64, "t": "\ud800"})
@settings(deadline=None)
def test_any_event_keeps_huge_integers(event: dict[str, Any]) -> None:
    line = json.dumps(event).encode()

    expected = unchanged_fields(json.loads(without_lone_surrogates(json.dumps(event, ensure_ascii=False))))
    assert unchanged_fields(record(line)) == expected
    assert unchanged_fields(json.loads(dumped(line))) == expected
    assert json.loads(dumped(line)) == json.loads(dump_record(record(line)))


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_any_bytes_are_records_or_rejected(line: bytes) -> None:
    try:
        read = (exact_records_from_line if may_lose_digits(line) else records_from_line)(line)
    except NotAnEventError:
        return

    assert JsonLines(b"").encode(line, b"").payload == b"".join(map(dump_record, read))


def test_floats_keep_sign_and_precision() -> None:
    read = json.loads(dumped(b'{"zero":-0.0,"third":0.3333333333333333}'))

    assert math.copysign(1, read["zero"]) == -1
    assert read["third"] == 1 / 3
