from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from source_amplitude.records import (
    Oddity,
    OddityKind,
    normalise_datetime,
    normalise_datetimes,
    normalise_plain_datetimes,
)
from unit_tests.records.reading import noted, record_from_line


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("2025-03-04 09:59:57.447000", "2025-03-04T09:59:57.447000+00:00"),
        ("2025-03-04T09:59:57.447000", "2025-03-04T09:59:57.447000+00:00"),
        ("2025-03-04 09:59:57.447", "2025-03-04T09:59:57.447000+00:00"),
        ("2025-03-04 09:59:57", "2025-03-04T09:59:57.000000+00:00"),
        ("2025-03-04 09:59", "2025-03-04T09:59:00.000000+00:00"),
        ("2025-03-04", "2025-03-04T00:00:00.000000+00:00"),
        ("2022:05:27 05:59:45.471635", "2022-05-27T05:59:45.471635+00:00"),
        ("2022:05:27", "2022-05-27T00:00:00.000000+00:00"),
        ("2022/05/27 05:59:45", "2022-05-27T05:59:45.000000+00:00"),
        ("2025-03-04T09:59:57Z", "2025-03-04T09:59:57.000000+00:00"),
        ("2025-03-04 09:59:57 UTC", "2025-03-04T09:59:57.000000+00:00"),
        ("2025-03-04t09:59:57z", "2025-03-04T09:59:57.000000+00:00"),
        ("2025-03-04 09:59:57.447000+00:00", "2025-03-04T09:59:57.447000+00:00"),
        ("2025-03-04 09:59:57.447+00", "2025-03-04T09:59:57.447000+00:00"),
        ("2025-03-04 09:59:57.44700Z", "2025-03-04T09:59:57.447000+00:00"),
        ("2025-03-04 00:59:57.447000+05:30", "2025-03-03T19:29:57.447000+00:00"),
        ("2025-03-04 23:30:00-0100", "2025-03-05T00:30:00.000000+00:00"),
        ("2025-03-04 09:59:57.123456789", "2025-03-04T09:59:57.123456+00:00"),
        ("2025-03-04 09:59:57,5", "2025-03-04T09:59:57.500000+00:00"),
        ("  2025-03-04 09:59:57  ", "2025-03-04T09:59:57.000000+00:00"),
        ("2024-02-29", "2024-02-29T00:00:00.000000+00:00"),
        ("0001-01-01 00:00:00.000000", "0001-01-01T00:00:00.000000+00:00"),
    ],
)
def test_datetime_variants_are_normalised(text: str, normal: str) -> None:
    read = record_from_line(json.dumps({"event_time": text}).encode())

    assert read == {"event_time": normal}


@pytest.mark.parametrize(
    "value",
    [
        " ",
        "junk",
        "2025",
        "2025-03",
        "20250304",
        "2025-02-29",
        "2025-03-04 24:00:00",
        "2025-03-04 24:00:00.000000",
        "2016-12-31 23:59:60.000000",
        "2016-12-31 23:59:60",
        "2025-02-30 09:59:57.447000",
        "2100-02-29 09:59:57.447000",
        "0000-00-00 00:00:00.000000",
        "0000-01-01 00:00:00.000000",
        "2025-13-01 00:00:00.000000",
        "2025-03-04 10:61:00.000000",
        "10000-01-01 00:00:00.000000",
        "2025-03-04 09:59:57.447000 and more",
        "2025-03-04 09:59:57+99:99",
        "２０２５-03-04",  # noqa: RUF001 - not ASCII digits
        "2025-03-04 09:59:57.447000\u0000",
        "x" * 26,
        1741082397447,
        1.5,
        True,
        [],
        ["2025-03-04 09:59:57.447000"],
        list("2025-03-04 09:59:57.447000"),
        {"event_time": "2025-03-04 09:59:57.447000"},
        {str(number): number for number in range(26)},
    ],
    ids=repr,
)
def test_other_values_are_unchanged(value: object) -> None:
    read = record_from_line(json.dumps({"event_time": value}).encode())

    assert read == {"event_time": value}
    assert normalise_datetime(value) == value


DIGITS = st.text("0123456789", min_size=20, max_size=20)
PLAIN = st.datetimes().map(lambda moment: moment.isoformat(" ", "microseconds"))  # naive, as Amplitude writes them


def in_form(digits: str) -> str:
    return "{}-{}-{} {}:{}:{}.{}".format(*(digits[a:b] for a, b in itertools.pairwise((0, 4, 6, 8, 10, 12, 14, 20))))


def is_real(text: str) -> bool:
    return normalise_datetime(text) != text


@given(
    st.lists(
        PLAIN
        | DIGITS.map(in_form)
        | st.builds(
            lambda text, n: text[:n] + "9" + text[n + 1 :], PLAIN, st.sampled_from([0, 5, 6, 8, 9, 11, 12, 14, 17])
        )
    )
)
@example(["2024-02-29 00:00:00.000000", "2024-12-31 23:59:59.999999"])
@example(["2023-02-29 00:00:00.000000", "2024-12-31 23:59:59.999999"])
@example(["2024-04-31 00:00:00.000000"])
@example(["0000-01-01 00:00:00.000000"])
@example(["0999-01-30 00:00:00.000000"])
@settings(deadline=None)
def test_normalising_together_matches_normalising_each(texts: list[str]) -> None:
    normal = [*map(normalise_datetime, texts)]

    assert normalise_plain_datetimes(texts) == (normal if all(map(is_real, texts)) else None)


@given(
    st.lists(PLAIN | DIGITS.map(in_form) | st.sampled_from(["2022:05:27 05:59:45", "2025-03-04", "x", "9" * 26, "Z"]))
)
@settings(deadline=None)
def test_odd_datetimes_together_match_normalising_each(texts: list[str]) -> None:
    normal = normalise_datetimes(texts)

    assert normal == [*map(normalise_datetime, texts)]
    assert [one is other for one, other in zip(normal, texts, strict=True)] == [not is_real(text) for text in texts]


def test_unreadable_datetimes_are_counted_by_field() -> None:
    line = b'{"event_time":"2025-02-30 09:59:57.447000","processed_time":"junk","client_event_time":5}'

    assert noted(line) == {
        Oddity(OddityKind.UNREAD_DATETIME, "event_time"): 1,
        Oddity(OddityKind.UNREAD_DATETIME, "processed_time"): 1,
        Oddity(OddityKind.MISFIT, "client_event_time", "string", "integer"): 1,
    }


@pytest.mark.parametrize(
    "text", ["0001-01-01 00:00:00+05:00", "0001-01-01T00:00:00.000+01:00", "9999-12-31 23:59:59-05:00"]
)
def test_datetime_out_of_range_in_utc_is_unchanged(text: str) -> None:
    assert normalise_datetime(text) == text


@given(st.text(max_size=40) | st.from_regex(r"\A\d{4}[-:/]\d\d[-:/]\d\d[ T]\d\d:\d\d:\d\d(\.\d{6})?(Z|[+]00:00)?\Z"))
@settings(deadline=None)
def test_any_text_is_normalised_or_unchanged(text: str) -> None:
    normal = normalise_datetime(text)

    assert normal == text or (isinstance(normal, str) and normal.endswith("+00:00"))
    assert normalise_datetime(normal) == normal


def test_null_and_empty_datetimes_are_left_out() -> None:
    assert record_from_line(b'{"event_time":null,"processed_time":"","a":null,"b":[null],"c":{"d":null}}') == {
        "b": [None],
        "c": {"d": None},
    }
