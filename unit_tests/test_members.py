from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.members import NOTHING_READ, Fingerprint, MemberName, parse_member_name

NINE = datetime(2024, 3, 1, 9, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("100200/100200_2024-03-01_9#70.json.gz", MemberName("100200", NINE, 70)),
        ("100200/100200_2024-03-01_0#0.json.gz", MemberName("100200", NINE.replace(hour=0), 0)),
        ("100200/100200_2024-03-01_23#1.json.gz", MemberName("100200", NINE.replace(hour=23), 1)),
        ("a_b#1/a_b#1_2024-03-01_9#70.json.gz", MemberName("a_b#1", NINE, 70)),
    ],
)
def test_usual_name_is_parsed_and_written_back(text: str, name: MemberName) -> None:
    assert parse_member_name(text) == name
    assert str(name) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("100200/100200_2024-03-01_09#70.json.gz", MemberName("100200", NINE, 70)),
        ("100200/100200_2024-03-01_9#0070.json.gz", MemberName("100200", NINE, 70)),
        ("100200/100200_2014-03-01#1.json.gz", MemberName("100200", datetime(2014, 3, 1, tzinfo=timezone.utc), 1)),
        ("100200_2024-03-01_9#70.json.gz", MemberName("100200", NINE, 70)),
    ],
    ids=["padded hour", "padded partition", "a day only", "no folder"],
)
def test_unusual_name_is_parsed_but_not_written_back(text: str, name: MemberName) -> None:
    assert parse_member_name(text) == name
    assert str(name) != text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "100200/",
        "notes.txt",
        "/100200_2024-03-01_9#70.json.gz",
        "100200/300400_2024-03-01_9#70.json.gz",
        "x/100200/100200_2024-03-01_9#70.json.gz",
        "100200/100200_2024-03-01_24#70.json.gz",
        "100200/100200_2024-02-30_9#70.json.gz",
        "100200/100200_2024-13-01_9#70.json.gz",
        "100200/100200_2024-3-1_9#70.json.gz",
        "100200/100200_2024-03-01_9#.json.gz",
        "100200/100200_2024-03-01_9#-1.json.gz",
        "100200/100200_2024-03-01_9.json.gz",
        "100200/100200_2024-03-01_9#70.json",
        "100200/100200_2024-03-01_9#70.json.gz.tmp",
        "100200/100200_2024-03-01_9#70.json.gz\n",
    ],
    ids=repr,
)
def test_other_names_are_not_parsed(text: str) -> None:
    assert parse_member_name(text) is None


@given(
    st.text(st.characters(exclude_characters="/\n\r"), min_size=1, max_size=10),
    st.datetimes(datetime(2012, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - hypothesis wants them naive
    st.integers(0, 10**6),
)
@settings(deadline=None)
def test_any_name_survives_a_round_trip(project: str, moment: datetime, partition: int) -> None:
    name = MemberName(project, moment.replace(minute=0, second=0, microsecond=0, tzinfo=timezone.utc), partition)

    assert parse_member_name(str(name)) == name


@given(st.text())
@settings(deadline=None)
def test_parsing_accepts_any_text(text: str) -> None:
    name = parse_member_name(text)

    assert name is None or name.partition >= 0


def test_nothing_read_is_the_fingerprint_of_zero_bytes() -> None:
    assert Fingerprint(content_bytes=0, crc32=0, malformed_lines=0) == NOTHING_READ


@pytest.mark.parametrize("partition", ["9" * 19, "9" * 5000, "0" * 5000])
def test_a_partition_of_many_digits_is_another_form(partition: str) -> None:
    assert parse_member_name(f"100200/100200_2024-03-01_9#{partition}.json.gz") is None
