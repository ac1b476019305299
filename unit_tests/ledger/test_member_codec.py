from __future__ import annotations

import base64
import json
import random
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.ledger import Ledger, state_from_ledger
from source_amplitude.ledger.member_codec import decode_members, encode_members
from source_amplitude.members import Fingerprint, MemberName
from source_amplitude.windows import HOUR, HourSet, HourWindow

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = "100200"
NINE = datetime(2024, 3, 1, 9, tzinfo=timezone.utc)

FINGERPRINTS = st.builds(
    Fingerprint,
    content_bytes=st.integers(0, 2**40),
    crc32=st.integers(0, 2**32 - 1),
    malformed_lines=st.just(0) | st.integers(0, 10**6),
)
REGULAR_NAMES = st.integers(0, 2**20).map(lambda partition: str(MemberName(PROJECT, NINE, partition)))
ODD_NAMES = st.text(max_size=20) | st.sampled_from(
    [
        "100200/100200_2024-03-01_09#5.json.gz",
        "100200/100200_2024-03-01_9#05.json.gz",
        "100200/100200_2024-03-01#5.json.gz",
        "100200/100201_2024-03-01_9#5.json.gz",
        "100200/100200_2024-03-01_9#5.json",
    ]
)


def packed_members(members: Mapping[str, Fingerprint]) -> dict[str, object]:
    return encode_members(members, project=PROJECT, hour=NINE)


def restored(packed: dict[str, object]) -> Mapping[str, Fingerprint]:
    return decode_members(json.loads(json.dumps(packed)), project=PROJECT, hour=NINE)


@given(st.dictionaries(REGULAR_NAMES | ODD_NAMES, FINGERPRINTS, max_size=30))
@settings(deadline=None)
def test_members_survive_a_round_trip_through_json(members: dict[str, Fingerprint]) -> None:
    packed = packed_members(members)

    assert restored(packed) == members


def test_usual_members_are_packed_and_others_are_named() -> None:
    members = {
        "100200/100200_2024-03-01_9#70.json.gz": Fingerprint(300, 0x01020304),
        "100200/100200_2024-03-01_9#5.json.gz": Fingerprint(1, 0xFFFFFFFF, 2),
        "notes.txt": Fingerprint(7, 8, 9),
    }

    packed = packed_members(members)

    assert packed == {"packed": "BQH/////QawCBAMCAQ==", "malformed": {"5": 2}, "named": {"notes.txt": [7, 8, 9]}}


def test_no_members_are_an_empty_string() -> None:
    assert packed_members({}) == {"packed": ""}
    assert restored({"packed": ""}) == {}


@pytest.mark.parametrize("crc32", [0, 1, 0xFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("content_bytes", [0, 127, 128, 16383, 16384, 2**32, 2**40])
def test_lengths_and_checksums_survive_a_round_trip(content_bytes: int, crc32: int) -> None:
    members = {str(MemberName(PROJECT, NINE, 3)): Fingerprint(content_bytes, crc32)}

    assert restored(packed_members(members)) == members


@pytest.mark.parametrize(
    "names",
    [
        ["100200/100200_2024-03-01_8#1.json.gz"],
        ["100200/100200_2024-03-01_9#1.json.gz", "100200/100200_2024-03-01_10#1.json.gz"],
        ["300400/300400_2024-03-01_9#1.json.gz"],
    ],
    ids=["another hour", "two hours of a day of files", "another project"],
)
def test_members_of_other_hours_and_projects_are_named(names: list[str]) -> None:
    members = {name: Fingerprint(number, number) for number, name in enumerate(names)}

    assert restored(packed_members(members)) == members


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"packed": None},
        {"packed": 5},
        {"packed": "not base64!"},
        {"packed": "gA=="},
        {"packed": "BQE="},
        {"packed": "BQEAAAA="},
        {"packed": "BQH/////", "malformed": {"5": "many"}},
        {"packed": "", "named": []},
        {"packed": "", "named": {"a": 1}},
        {"packed": "", "named": {"a": [1, 2]}},
        {"packed": "", "named": {"a": [1, 2, 3, 4]}},
        {"packed": "", "named": {"a": ["x", 2, 3]}},
        {"packed": "", "named": {"a": [-1, 2, 3]}},
        {"packed": "", "named": {"a": [1, 2**32, 3]}},
        {"packed": "", "named": {"a": [1, -1, 3]}},
        {"packed": "", "named": {"a": [1, 2, -1]}},
    ],
    ids=json.dumps,
)
def test_decode_raises_for_other_values(saved: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, IndexError, AttributeError)):
        decode_members(saved, project=PROJECT, hour=NINE)


@given(st.binary(max_size=40))
@settings(deadline=None)
def test_decode_accepts_or_rejects_any_bytes(packed: bytes) -> None:
    try:
        members = decode_members({"packed": base64.b64encode(packed).decode()}, project=PROJECT, hour=NINE)
    except (ValueError, IndexError):
        return

    assert restored(packed_members(members)) == members


@pytest.mark.parametrize(("members_an_hour", "most_bytes"), [(500, 150_000), (10, 5_000), (1, 2_500)])
def test_state_of_a_day_is_small(members_an_hour: int, most_bytes: int) -> None:
    random_source = random.Random(members_an_hour)
    ledger = Ledger(project=PROJECT)
    for number in range(24):
        hour = NINE + HOUR * number
        members = {
            str(MemberName(PROJECT, hour, partition)): Fingerprint(
                random_source.randrange(50_000_000), random_source.randrange(2**32)
            )
            for partition in random_source.sample(range(1000), members_an_hour)
        }
        ledger.mark_done(hour, members, asked_at=hour + timedelta(hours=3, minutes=17))

    state = json.dumps(state_from_ledger(ledger, start=NINE, accepted_gaps=HourSet()))

    assert ledger.settled == HourSet((HourWindow(NINE, NINE + HOUR * 24),))
    assert sorted(ledger.read_hours) == [NINE + HOUR * number for number in range(24)]
    assert len(state) < most_bytes


def test_a_packed_number_has_at_most_70_bits() -> None:
    endless = base64.b64encode(b"\x80" * 1_000_000).decode()

    with pytest.raises(ValueError, match="more than 70 bits"):
        restored({"packed": endless})
