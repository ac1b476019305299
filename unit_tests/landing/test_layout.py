from __future__ import annotations

import re
from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.archive import Member
from source_amplitude.landing.layout import object_names
from source_amplitude.members import parse_member_name

FIVE = datetime(2026, 3, 4, 5, tzinfo=timezone.utc)
ODD = st.text(max_size=120) | st.sampled_from(["../../etc/passwd", "a/b/c.json.gz", ".", "..", "/", "a b#5.json.gz"])
USUAL = st.builds(
    "{0}/{0}_2026-03-04_{1}#{2}.json.gz".format,
    st.sampled_from(["1", "100200", "a b", "..", "a/b"]),
    st.sampled_from(["5", "05", "6"]),
    st.sampled_from(["0", "70", "070", "627"]),
)


def member(text: str) -> Member:
    return Member(text, parse_member_name(text), 1)


def names(*texts: str) -> list[str]:
    return [name for _, name in object_names([member(text) for text in texts], FIVE, ".json.gz")]


def test_usual_member_names_become_sortable_object_names() -> None:
    assert names("100200/100200_2026-03-04_5#70.json.gz", "100200/100200_2026-03-04_5#627.json.gz") == [
        "100200_2026-03-04_05_70.json.gz",
        "100200_2026-03-04_05_627.json.gz",
    ]


def test_odd_member_names_get_a_checksum() -> None:
    assert names("export/part 7 (new).json.gz", "../x", "") == [
        "part-7-new_60b03ea1.json.gz",
        "x_1fb8ad98.json.gz",
        "_00000000.json.gz",
    ]


@given(st.lists(ODD | USUAL, unique=True, max_size=12))
def test_object_names_are_unique_and_path_safe(texts: list[str]) -> None:
    found = names(*texts)

    assert len(set(found)) == len(texts)
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}", name) for name in found)


@given(st.lists(ODD | USUAL, unique=True, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_object_names_do_not_depend_on_member_order(texts: list[str], chance: object) -> None:
    again = sorted(texts, key=lambda text: hash((text, str(chance))))

    assert dict(zip(texts, names(*texts), strict=True)) == dict(zip(again, names(*again), strict=True))
