from __future__ import annotations

from pathlib import Path

import pytest

from source_amplitude.errors import InvalidConfigError
from source_amplitude.landing.place import Place, parse_place


@pytest.mark.parametrize(
    ("text", "place", "shown"),
    [
        ("s3://bucket/a/b", Place("s3", "bucket", "a/b"), "s3://bucket/a/b"),
        ("s3://bucket", Place("s3", "bucket", ""), "s3://bucket"),
        ("gs://bucket/a/", Place("gs", "bucket", "a"), "gs://bucket/a"),
        ("az://container//a", Place("az", "container", "a"), "az://container/a"),
        ("folder", Place("file", "", "folder"), "folder"),
        ("/folder/a b", Place("file", "", "/folder/a b"), "/folder/a b"),
        ("file:///folder", Place("file", "", "/folder"), "/folder"),
        ("~/folder", Place("file", "", str(Path.home() / "folder")), str(Path.home() / "folder")),
    ],
)
def test_a_place_is_a_bucket_with_a_prefix_or_a_folder(text: str, place: Place, shown: str) -> None:
    assert (parse_place(text), str(parse_place(text))) == (place, shown)


@pytest.mark.parametrize("text", ["s3://key:secret@bucket/a", "az://container/a?sig=secret", "s3://bucket/a#secret"])
def test_what_holds_more_than_a_place_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_place(text)

    assert raised.value.problems == (
        "--to holds more than a place; credentials belong into the environment (see docs/landing.md)",
    )


@pytest.mark.parametrize("text", ["ftp://host/a", "s3:///a", "https://bucket.s3.amazonaws.com/a", "file://host/a"])
def test_a_place_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_place(text)

    assert raised.value.problems == (
        f"--to: {text!r} is none of s3://bucket/prefix, az://container/prefix, gs://bucket/prefix, a folder",
    )


@pytest.mark.parametrize("text", ["", " "])
def test_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        parse_place(text)

    assert raised.value.problems == ("--to is empty",)
