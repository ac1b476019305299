"""The quick way and the way line by line must be one: the quick way is only ever a shortcut."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.encoding import Encoded, JsonLines, json_lines
from source_amplitude.records import DATETIME_FIELDS

LINES = JsonLines(b"<")
TAIL = b">\n"
PLAIN = "2025-03-04 09:59:57.447000"
NORMAL = "2025-03-04T09:59:57.447000+00:00"

DATETIMES = st.sampled_from(
    [PLAIN, PLAIN, PLAIN, "", None, 0, "2025-03-04 09:59:57", "9" * 26, PLAIN + "\n" + PLAIN, [PLAIN], {"a": PLAIN}]
)
NUMBERS = st.sampled_from([1, 1.5, -1e300, 1e16, 2**64 - 1, 2**64, -(2**63) - 1, 10**30])
TEXTS = st.sampled_from(["a+b", "e+", "1e+22", "+", "\ud800", "é 🚲", NORMAL])
EVENTS = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(DATETIME_FIELDS, DATETIMES), "n": NUMBERS, "t": TEXTS, "p": st.lists(NUMBERS | TEXTS)}
).map(lambda event: json.dumps(event).encode())
ODD_LINES = st.sampled_from([b"", b" ", b"[]", b"1", b"null", b'"event_time"', b"{", b"\xff", b'{"n":NaN}', b"true"])


def line_by_line(body: bytes) -> Encoded[bytes]:
    return LINES._line_by_line(body, TAIL)  # noqa: SLF001 - the oracle


@given(st.lists(EVENTS | EVENTS | ODD_LINES, max_size=8), st.sampled_from([b"", b"\n"]))
@settings(deadline=None, max_examples=400)
def test_both_ways_make_the_same_of_any_lines(lines: list[bytes], ending: bytes) -> None:
    body = b"\n".join(lines) + ending

    assert LINES.encode(body, TAIL) == line_by_line(body)


def quickly(body: bytes) -> bool:
    """Return whether a batch can take the quick way."""
    try:
        pieces, datetimes = json_lines._quickly(body)  # noqa: SLF001 - which way is taken shows nowhere else
    except (ValueError, TypeError, AttributeError):
        return False
    return not json_lines._may_hold_huge_float(b"".join(pieces), datetimes)  # noqa: SLF001 - as above


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event_time": PLAIN},
        dict.fromkeys(DATETIME_FIELDS, PLAIN),
        {"event_time": None, "processed_time": ""},
        {"t": "a+b e+f 1e+2"},
        {"n": 2**64 - 1, "m": -(2**63), "f": 1e15},
    ],
)
def test_ordinary_events_take_the_quick_way(event: dict[str, Any]) -> None:
    assert quickly(json.dumps(event).encode() + b"\n") is ("1e+2" not in str(event))


@pytest.mark.parametrize(
    "event",
    [
        {"event_time": "2025-03-04 09:59:57"},
        {"event_time": NORMAL},
        {"event_time": 5},
        {"event_time": [PLAIN]},
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
def test_odd_events_do_not(event: object) -> None:
    assert not quickly(json.dumps(event).encode() + b"\n")


@pytest.mark.parametrize("others", [0, 1, 6])
@pytest.mark.parametrize("missing", [None, "", "absent"])
def test_a_huge_integer_is_seen_however_many_datetimes_are_missing(others: int, missing: str | None) -> None:
    event: dict[str, Any] = {**dict.fromkeys(DATETIME_FIELDS[:others], PLAIN), "n": 2**70}
    if missing != "absent":
        event |= dict.fromkeys(DATETIME_FIELDS[others:], missing)

    encoded = LINES.encode(json.dumps(event).encode(), TAIL)

    assert json.loads(encoded.payload[1:-2])["n"] == 2**70


def test_two_datetimes_whose_lengths_are_wrong_and_whose_sum_is_right_are_not_plain() -> None:
    line = json.dumps({"client_event_time": PLAIN + "2", "client_upload_time": PLAIN[1:]}).encode()

    encoded = LINES.encode(line, TAIL)

    read = {"client_event_time": NORMAL, "client_upload_time": PLAIN[1:]}
    assert encoded == Encoded(b"<" + orjson.dumps(read) + TAIL, 1, 1, (), 1)


def test_where_orjson_does_not_mark_huge_floats_every_batch_goes_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_HUGE_FLOATS_ARE_MARKED", False)
    monkeypatch.setattr(json_lines, "_may_hold_huge_float", lambda *_: False)

    assert LINES.encode(b'{"n":%d}' % 2**70, TAIL).payload == b'<{"n":%d}>\n' % 2**70


def test_every_integer_that_orjson_reads_as_a_float_has_a_plus_in_what_it_writes() -> None:
    for number in (2**64, 10**19 * 2, -(2**63) - 1, 10**25, 12345678901234567890123):
        assert b"e+" in orjson.dumps(orjson.loads(str(number)))
