"""The quick way and the slow way make the same records of any lines."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from source_amplitude.encoding import Encoded, JsonLines, event_structs, quick_lines
from source_amplitude.records import DATETIME_FIELDS, Findings, Oddity, OddityKind
from source_amplitude.records.findings import RepairedLine
from unit_tests.encoding.lines import EVENTS, NORMAL, ODD_LINES, PLAIN, SPELLINGS, VALUES, WRITTEN

LINES = JsonLines(b"<")
TAIL = b">\n"


def values(encoded: Encoded[bytes]) -> Encoded[list[Any]]:
    """Return records as decoded JSON, with the decimal value of numbers."""
    records = encoded.payload.removesuffix(TAIL).removeprefix(b"<").split(TAIL + b"<") if encoded.payload else []
    decoded = [json.loads(record, parse_float=Decimal) for record in records]
    return Encoded(decoded, encoded.records, encoded.lines, encoded.malformed, encoded.findings)


def line_by_line(body: bytes) -> Encoded[bytes]:
    return LINES.encode_line_by_line(body, TAIL)


@given(st.lists(EVENTS | WRITTEN | WRITTEN | ODD_LINES, max_size=8), st.sampled_from([b"", b"\n", b"\r\n"]))
@example([b'{"data":{}', b"}"], b"\n")
@settings(deadline=None, max_examples=400)
def test_both_ways_have_the_same_result(lines: list[bytes], ending: bytes) -> None:
    body = ending.join(lines) + ending if ending else b"\n".join(lines)

    encoded = LINES.encode(body, TAIL)

    assert values(encoded) == values(line_by_line(body))


@given(
    st.lists(VALUES.filter(lambda value: b"9" * 4301 not in value), min_size=1, max_size=3),
    st.sampled_from(["data", "city", "new", "event_time"]),
)
@settings(deadline=None, max_examples=150)
def test_last_of_duplicate_keys_counts(values_of_key: list[bytes], name: str) -> None:
    body = b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), value) for value in values_of_key)

    encoded, slow = values(LINES.encode(body, TAIL)), values(line_by_line(body))

    assert (encoded.payload, encoded.malformed) == (slow.payload, slow.malformed)


def refuse(text: str) -> None:
    raise AssertionError(text)


@given(st.lists(EVENTS | WRITTEN | ODD_LINES, max_size=8))
@settings(deadline=None, max_examples=150)
def test_strict_readers_accept_every_record(lines: list[bytes]) -> None:
    payload = LINES.encode(b"\n".join(lines), TAIL).payload

    assert b"\r" not in payload
    for record in payload.removesuffix(TAIL).removeprefix(b"<").split(TAIL + b"<") if payload else []:
        assert float("inf") not in numbers_of(json.loads(record.decode(), parse_constant=refuse))
        record.decode()


def numbers_of(value: object) -> list[float]:
    """Return the absolute values of all floats in decoded JSON."""
    found, pending = [], [value]
    while pending:
        item = pending.pop()
        if isinstance(item, float):
            found.append(abs(item))
        pending += item.values() if isinstance(item, dict) else item if isinstance(item, list) else []
    return found


@given(st.lists(EVENTS | WRITTEN | ODD_LINES, max_size=6), st.lists(EVENTS | WRITTEN, max_size=6))
@settings(deadline=None, max_examples=100)
def test_bytes_do_not_depend_on_earlier_lines(lines: list[bytes], earlier: list[bytes]) -> None:
    body = b"\n".join(lines)
    found = []
    for before in (b"", b"\n".join(earlier)):
        quick_lines._structs = event_structs.EventStructs()  # noqa: SLF001 - as in a new process
        LINES.encode(before, TAIL)
        found.append(LINES.encode(body, TAIL))

    assert found[0] == found[1]


def slow_lines(body: bytes) -> list[int]:
    """Return the positions of lines that need the slow way."""
    return [*quick_lines.decode_batch(body).slow]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event_time": PLAIN},
        dict.fromkeys(DATETIME_FIELDS, PLAIN),
        {"event_time": None, "processed_time": ""},
        {"t": "a+b e+f 1e+2"},
        {"n": 2**64, "m": -(2**63), "f": 1e15},
        {"data": {"deep": [{"n": -(2**63) - 1}]}, "event_time": PLAIN},
        {"event_id": 12.0, "location_lat": 52.5, "session_id": 1.5},
        {"paying": "true", "app": None, "plan": {"version": 3}, "city": {"a": [1.5]}, "data": "text", "groups": None},
        {"user_properties": {"hash": "7e123e4567", "number": 1e22}},
        {"user_creation_time": "2020:03:04 09:59:57", "event_time": "2025-02-30 09:59:57.447000"},
        {"$schema": 12, "$insert_key": "0a#1", "is_attribution_event": False, "global_user_properties": {}},
    ],
)
def test_ordinary_events_take_the_quick_way(event: dict[str, Any]) -> None:
    assert slow_lines(json.dumps(event).encode() + b"\n") == []


@pytest.mark.parametrize(
    "line",
    [
        b'{"event_time":5}',
        b'{"data":{"a":1e400}}',
        b'{"location_lat":1e400}',
        b'{"data":{"a":"\xff"}}',
        b'{"data":\r{}}',
        b'{"a":{}}{"a":{}}',
        b"[]",
        b"",
    ],
)
def test_odd_lines_take_the_slow_way_alone(line: bytes) -> None:
    good = b'{"event_time":"2025-03-04 09:59:57.447000","data":{"a":"\xc3\xa9"}}\n'

    assert slow_lines(good * 3 + line + b"\n" + good * 2 + line + b"\n") == [3, 6]


def test_lines_with_carriage_return_line_feed_take_the_quick_way() -> None:
    assert slow_lines(b'{"data":{}}\r\n' * 3) == []


def test_spaces_between_tokens_are_left_out() -> None:
    line = b'{"data": {"a b": [1.10, 2], "c": ": "}, "city": "c"}\n'

    payload = LINES.encode(line + b"odd\n" + line, TAIL).payload

    assert payload == b'<{"city":"c","data":{"a b":[1.10,2],"c":": "}}>\n' * 2
    assert slow_lines(line * 2) == []


@pytest.mark.parametrize("position", [0, 100, 9_000, 30_000])
def test_long_values_are_checked_for_utf8(position: int) -> None:
    text = "é🚲".encode() * 6_000
    line = b'{"data":{"t":"%b"}}\n'

    lines = line % text + line % (text[:position] + b"\xff" + text[position:]) + line % text

    assert slow_lines(lines) == [1]


def test_unknown_fields_take_the_quick_way_up_to_a_limit() -> None:
    structs = event_structs.EventStructs()

    learned = [structs.learn(b'{"new %d":1}' % number) for number in range(150)]

    assert learned == [True] * 100 + [False] * 50
    assert structs.current.unknown.names == tuple(sorted(f"new {number}" for number in range(100)))


def test_record_has_the_fields_of_the_schema_first() -> None:
    line = b'{"zzz":1,"aaa":{"b":[1.10]},"uuid":"u","nil":null,"city":"c"}'

    assert LINES.encode(line, TAIL).payload == b'<{"city":"c","uuid":"u","aaa":{"b":[1.10]},"zzz":1}>\n'


def test_misfits_are_counted_on_the_quick_way() -> None:
    line = (
        b'{"paying":"no","app":1.5,"event_id":2.0,"data":[1],"plan":{"version":3},"location_lat":1.5,"city":{"a":1}}\n'
    )

    encoded = LINES.encode(line * 2 + b"\xff\n", TAIL)

    def misfit(*names: str) -> Oddity:
        return Oddity(OddityKind.MISFIT, *names)

    assert slow_lines(line) == []
    assert encoded.findings.counts == {
        misfit("paying", "boolean", "string"): 2,
        misfit("app", "integer", "number"): 2,
        misfit("data", "object", "array"): 2,
        misfit("plan.version", "string", "integer"): 2,
        misfit("city", "string", "object"): 2,
    }
    assert encoded.malformed == (2,)


def test_odd_datetimes_are_counted_on_the_quick_way() -> None:
    texts = ["2025:03:04 09:59:57", "2025-02-30 00:00:00.000000", NORMAL, PLAIN, "9", ""]
    lines = [json.dumps({"event_time": text, "processed_time": PLAIN}).encode() for text in texts]

    encoded = LINES.encode(b"\n".join(lines), TAIL)

    assert slow_lines(b"\n".join(lines)) == []
    assert [record.get("event_time") for record in values(encoded).payload] == [
        "2025-03-04T09:59:57.000000+00:00",
        "2025-02-30 00:00:00.000000",
        NORMAL,
        NORMAL,
        "9",
        None,
    ]
    assert encoded.findings == Findings({Oddity(OddityKind.UNREAD_DATETIME, "event_time"): 2})


def test_repaired_lines_keep_their_positions() -> None:
    body = b'{"a":1}\n\n{"a":"\xff"}\n{"a":1}{"a":2}\n{\n{"a":"\x01"}\n'

    encoded = LINES.encode(body, TAIL)

    assert (encoded.records, encoded.lines, encoded.malformed) == (5, 6, (4,))
    assert encoded.findings.repaired == (
        RepairedLine(2, OddityKind.NOT_UTF8),
        RepairedLine(3, OddityKind.SEVERAL_EVENTS),
        RepairedLine(5, OddityKind.CONTROL_CHARACTER),
    )


@pytest.mark.parametrize("text", SPELLINGS[:10])
@pytest.mark.parametrize("name", ["location_lat", "event_properties", "city", "new"])
def test_numbers_keep_their_spelling(text: str, name: str) -> None:
    value = '{"a":[%s]}' % text if name in ("event_properties", "new") else text  # noqa: UP031 - braces
    line = f'{{"{name}":{value}}}'.encode()

    written = LINES.encode(line, TAIL).payload[1:-2]

    assert written == (line if text != "-0" or name in ("event_properties", "new") else line.replace(b"-0", b"0"))


@pytest.mark.parametrize("others", [0, 1, 6])
@pytest.mark.parametrize("missing", [None, "", "absent"])
def test_huge_integer_keeps_its_digits(others: int, missing: str | None) -> None:
    event: dict[str, Any] = {**dict.fromkeys(DATETIME_FIELDS[:others], PLAIN), "n": 2**70}
    if missing != "absent":
        event |= dict.fromkeys(DATETIME_FIELDS[others:], missing)

    encoded = LINES.encode(json.dumps(event).encode(), TAIL)

    assert json.loads(encoded.payload[1:-2])["n"] == 2**70


def test_datetimes_with_a_correct_total_length_are_not_plain() -> None:
    line = json.dumps({"client_event_time": PLAIN + "2", "client_upload_time": PLAIN[1:]}).encode()

    encoded = LINES.encode(line, TAIL)

    read = {"client_event_time": NORMAL, "client_upload_time": PLAIN[1:]}
    findings = Findings({Oddity(OddityKind.UNREAD_DATETIME, "client_upload_time"): 1})
    assert encoded == Encoded(b"<" + orjson.dumps(read) + TAIL, 1, 1, (), findings)


WITHOUT_MSGSPEC = """
import sys
sys.modules["msgspec"] = None
from source_amplitude.encoding import JsonLines
sys.stdout.buffer.write(JsonLines(b"").encode(sys.stdin.buffer.read(), b"\\n").payload)
"""


def test_lines_are_encoded_without_msgspec() -> None:
    body = b'{"event_time":"%b","n":1.234567890123456789,"data":{"a":1}}\nodd\n{"a":{}}\n' % PLAIN.encode()

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_MSGSPEC],
        input=body,
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert done.stdout == b'{"event_time":"%b","n":1.234567890123456789,"data":{"a":1}}\n{"a":{}}\n' % NORMAL.encode()


def test_importing_the_encoding_does_not_import_msgspec() -> None:
    program = "import sys, source_amplitude.encoding; print('msgspec' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=Path(__file__).parents[2]
    )

    assert done.stdout == b"False\n"


def test_msgspec_keeps_raw_values_and_leaves_defaults_out() -> None:
    struct = msgspec.defstruct("S", [("a", msgspec.Raw, event_structs.ABSENT)], omit_defaults=True)
    decode, encode = msgspec.json.Decoder(struct).decode, msgspec.json.Encoder().encode

    assert [encode(decode(line)) for line in (b"{}", b'{"a":{}}', b'{"a": [1.10,1] }', b'{"a":null}')] == [
        b"{}",
        b'{"a":{}}',
        b'{"a":[1.10,1]}',
        b'{"a":null}',
    ]
