"""The fast path and the slow path must have the same result."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.encoding import Encoded, JsonLines, json_lines
from source_amplitude.records import DATETIME_FIELDS, Findings, Oddity, OddityKind, are_plain_datetimes

LINES = JsonLines(b"<")
TAIL = b">\n"
PLAIN = "2025-03-04 09:59:57.447000"
NORMAL = "2025-03-04T09:59:57.447000+00:00"

DATETIMES = st.sampled_from(
    [
        PLAIN,
        PLAIN,
        PLAIN,
        "",
        None,
        0,
        "2025-03-04 09:59:57",
        "9" * 26,
        PLAIN + "\n" + PLAIN,
        [PLAIN],
        {"a": PLAIN},
        "2025-02-29 00:00:00.000000",
        "2024-02-29 00:00:00.000000",
        "2025-12-31 24:00:00.000000",
        False,
    ]
)
MISFITS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 1, 12.0, 12.5, 2**64, "true", "", [], {}, {"version": 3}, {"version": "3"}]
)
TYPED = ["paying", "app", "session_id", "data", "plan", "os_version", "sample_rate", "uuid"]
NUMBERS = st.sampled_from([1, 1.5, -1e300, 1e16, 2**64 - 1, 2**64, -(2**63) - 1, 10**30])
TEXTS = st.sampled_from(["a+b", "e+", "1e+22", "+", "\ud800", "é 🚲", NORMAL])
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(DATETIME_FIELDS, DATETIMES),
        **dict.fromkeys(TYPED, MISFITS),
        "n": NUMBERS,
        "t": TEXTS,
        "p": st.lists(NUMBERS | TEXTS),
    },
).map(lambda event: json.dumps(event).encode())
ODD_LINES = st.sampled_from(
    [
        b"",
        b" ",
        b"[]",
        b"1",
        b"null",
        b'"event_time"',
        b"{",
        b"\xff",
        b'{"n":NaN}',
        b"true",
        b'{"t":"\xff"}',
        b"\x00",
        b"\xef\xbb\xbf{}",
        b"\xef\xbb\xbf",
        b'{"t":"\x01"}',
        b'{"app":"1"}{"paying":"no"}',
        b'{"app":"1"} {"n":',
        b'{"t":"\xed\xa0\xbd\xed\xb8\x80"}',
        b'{"city":"\\ud800"}',
    ]
)


def line_by_line(body: bytes) -> Encoded[bytes]:
    return LINES._line_by_line(body, TAIL)  # noqa: SLF001 - the oracle


@given(st.lists(EVENTS | EVENTS | ODD_LINES, max_size=8), st.sampled_from([b"", b"\n"]))
@settings(deadline=None, max_examples=400)
def test_both_paths_have_the_same_result(lines: list[bytes], ending: bytes) -> None:
    body = b"\n".join(lines) + ending

    encoded = LINES.encode(body, TAIL)

    assert encoded == line_by_line(body)
    for record in encoded.payload.splitlines():
        orjson.loads(record[1:-1])


def takes_fast_path(body: bytes) -> bool:
    """Return whether a batch can take the fast path."""
    try:
        pieces, datetimes, _ = json_lines._encode_fast(body)  # noqa: SLF001 - the path is not visible otherwise
    except (ValueError, TypeError, AttributeError):
        return False
    is_huge = json_lines._may_hold_huge_float(b"".join(pieces), len(datetimes))  # noqa: SLF001 - as above
    return are_plain_datetimes(datetimes) and not is_huge


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event_time": PLAIN},
        dict.fromkeys(DATETIME_FIELDS, PLAIN),
        {"event_time": None, "processed_time": ""},
        {"t": "a+b e+f 1e+2"},
        {"n": 2**64 - 1, "m": -(2**63), "f": 1e15},
        {"event_time": 5, "processed_time": [PLAIN], "paying": "true", "app": None, "plan": {"version": 3}},
    ],
)
def test_ordinary_events_take_the_fast_path(event: dict[str, Any]) -> None:
    assert takes_fast_path(json.dumps(event).encode() + b"\n") is ("1e+2" not in str(event))


@pytest.mark.parametrize(
    "event",
    [
        {"event_time": "2025-03-04 09:59:57"},
        {"event_time": NORMAL},
        {"event_time": "2025-02-30 09:59:57.447000"},
        {"event_id": 12.0},
        {"event_time": PLAIN + "\n" + PLAIN},
        {"n": 2**64},
        {"deep": [{"n": -(2**63) - 1}], "event_time": PLAIN},
        {"n": 10**30, "t": "no plus"},
        [],
        "text",
        5,
        None,
    ],
)
def test_odd_events_take_the_slow_path(event: object) -> None:
    assert not takes_fast_path(json.dumps(event).encode() + b"\n")


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


def test_older_orjson_always_takes_the_slow_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_HUGE_FLOATS_ARE_MARKED", False)
    monkeypatch.setattr(json_lines, "_may_hold_huge_float", lambda *_: False)

    assert LINES.encode(b'{"n":%d}' % 2**70, TAIL).payload == b'<{"n":%d}>\n' % 2**70


def test_orjson_writes_huge_integers_with_a_plus() -> None:
    for number in (2**64, 10**19 * 2, -(2**63) - 1, 10**25, 12345678901234567890123):
        assert b"e+" in orjson.dumps(orjson.loads(str(number)))
