from __future__ import annotations

import pickle
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.members import (
    NOTHING_READ,
    Fingerprint,
    MemberFingerprints,
    MemberName,
    name_prefix,
    parse_member_name,
)

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


PREFIX = name_prefix("100200", NINE)
REGULAR_NAMES = st.integers(0, 20).map(lambda partition: f"{PREFIX}{partition}.json.gz")
OTHER_NAMES = st.sampled_from(
    [
        "",
        "#",
        "a#1.json.gz",
        "a#2.json.gz",
        f"{PREFIX}.json.gz",
        f"{PREFIX}07.json.gz",
        f"{PREFIX}-1.json.gz",
        f"{PREFIX}{'9' * 19}.json.gz",
        f"{PREFIX}\u0663.json.gz",
        "notes.txt",
    ]
)
FINGERPRINTS = st.builds(
    Fingerprint, st.integers(0, 2**70), st.integers(0, 2**32 - 1), st.sampled_from([0, 0, 1, 7])
) | st.sampled_from([Fingerprint(-1, 0), Fingerprint(0, 2**32)])
CHANGES = st.lists(st.tuples(st.booleans(), REGULAR_NAMES | OTHER_NAMES, FINGERPRINTS), max_size=30)


@given(CHANGES, st.sampled_from([None, PREFIX, "x"]))
@settings(deadline=None)
def test_compact_fingerprints_behave_like_a_dict(
    changes: list[tuple[bool, str, Fingerprint]], prefix: str | None
) -> None:
    compact, plain = MemberFingerprints(prefix=prefix), dict[str, Fingerprint]()
    for is_set, name, seen in changes:
        if is_set:
            compact[name] = plain[name] = seen
        else:
            assert compact.pop(name, None) == plain.pop(name, None)
        assert (compact.get(name), name in compact, len(compact)) == (plain.get(name), name in plain, len(plain))

    assert compact == plain
    assert dict(compact) == plain
    assert compact.malformed_lines == sum(seen.malformed_lines for seen in plain.values())


@given(CHANGES, CHANGES)
@settings(deadline=None)
def test_merged_fingerprints_leave_both_sides_unchanged(
    before: list[tuple[bool, str, Fingerprint]], more: list[tuple[bool, str, Fingerprint]]
) -> None:
    first, second = ({name: seen for _, name, seen in changes} for changes in (before, more))
    compact = MemberFingerprints(first)

    merged = compact.merged_with(MemberFingerprints(second))
    merged["added later"] = NOTHING_READ

    assert dict(merged) == {**first, **second, "added later": NOTHING_READ}
    assert dict(compact) == first


@given(CHANGES, st.sampled_from([PREFIX, "a#", "x"]))
@settings(deadline=None)
def test_fingerprints_are_split_by_prefix(changes: list[tuple[bool, str, Fingerprint]], prefix: str) -> None:
    plain = {name: seen for _, name, seen in changes}
    compact = MemberFingerprints(plain)

    numbered = list(compact.by_partition(prefix))

    named = {f"{prefix}{partition}.json.gz": seen for partition, seen in numbered}
    assert {**named, **dict(compact.others(prefix))} == plain
    assert [partition for partition, _ in numbered] == sorted(partition for partition, _ in numbered)


def test_fingerprints_of_many_members_take_20_bytes_each() -> None:
    compact = MemberFingerprints({f"{PREFIX}{partition}.json.gz": Fingerprint(partition) for partition in range(1000)})

    assert len(pickle.dumps(compact)) < 25_000
    assert pickle.loads(pickle.dumps(compact)) == compact  # noqa: S301 - what this test has written


@pytest.mark.parametrize("partition", ["9" * 19, "9" * 5000, "0" * 5000])
def test_a_partition_of_many_digits_is_another_form(partition: str) -> None:
    assert parse_member_name(f"100200/100200_2024-03-01_9#{partition}.json.gz") is None
