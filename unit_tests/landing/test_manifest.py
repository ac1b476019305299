from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.errors import InvalidManifestError
from source_amplitude.landing.layout import hour_of_manifest, manifest_path
from source_amplitude.landing.manifest import (
    HourState,
    LandedObject,
    Manifest,
    manifest_from_bytes,
    manifest_to_bytes,
    merged,
)
from source_amplitude.members import Fingerprint
from source_amplitude.windows import hour_window
from unit_tests.landing.json_values import JSON_VALUES
from unit_tests.landing.manifests import HOURS, NAMES, manifests

if TYPE_CHECKING:
    from collections.abc import Iterator

FIVE = datetime(2026, 3, 4, 5, tzinfo=timezone.utc)
PATH = "_manifest/date=2026-03-04/hour=05.json"
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
RIVALS = manifests(st.just(FIVE), NAMES)


@given(manifests())
def test_manifest_survives_a_round_trip(manifest: Manifest) -> None:
    assert manifest_from_bytes(manifest_path(manifest.window.start), manifest_to_bytes(manifest)) == manifest


@given(HOURS)
def test_manifest_path_has_its_hour(moment: datetime) -> None:
    hour = hour_window(moment).start

    assert hour_of_manifest(manifest_path(hour)) == hour


@pytest.mark.parametrize(
    "path",
    [
        "",
        "_manifest/.lock",
        "_manifest/date=2026-03-04/hour=24.json",
        "_manifest/date=2026-02-30/hour=05.json",
        "_manifest/date=2026-03-04/hour=05.json.gz",
        "_manifest/date=2026-03-04/hour=05.json#1",
        "x/_manifest/date=2026-03-04/hour=05.json",
        "_manifest/date=2026-03-04/hour=5.json",
    ],
)
def test_other_paths_are_not_manifests(path: str) -> None:
    assert hour_of_manifest(path) is None


def body(**changes: object) -> bytes:
    saved = json.loads(manifest_to_bytes(Manifest(hour_window(FIVE), HourState.DONE, FIVE)))
    return json.dumps({name: value for name, value in (saved | changes).items() if value is not ...}).encode()


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        body(version=2),
        body(version="1"),
        body(hour="2026-03-04T06"),
        body(hour=5),
        body(state="unknown"),
        body(asked_at="soon"),
        body(asked_at=...),
        body(format=...),
        body(objects=[{}]),
        body(objects=5),
        body(objects=["a"]),
        body(event_types=5),
        body(event_types={"a": "b"}),
    ],
)
def test_invalid_manifest_is_refused(found: bytes) -> None:
    with pytest.raises(InvalidManifestError):
        manifest_from_bytes(PATH, found)


ABSURD = [
    (("objects", 0, "bytes"), -1, "objects[0].bytes is -1, not a whole number from 0 to 2^63-1"),
    (("objects", 0, "bytes"), 2**63, f"objects[0].bytes is {2**63}, not a whole number from 0 to 2^63-1"),
    (("objects", 0, "events"), True, "objects[0].events is true, not a whole number from 0 to 2^63-1"),
    (("objects", 0, "events"), 1.5, "objects[0].events is 1.5, not a whole number from 0 to 2^63-1"),
    (("objects", 0, "events"), float("nan"), "objects[0].events is nan, not a whole number from 0 to 2^63-1"),
    (("objects", 0, "packed_bytes"), "5", "objects[0].packed_bytes is '5', not a whole number from 0 to 2^63-1"),
    (("objects", 0, "malformed_lines"), None, "objects[0].malformed_lines is null, not a whole number"),
    (("objects", 0, "content_bytes"), 10**300, f"objects[0].content_bytes is 1{'0' * 79}... (301 characters), not"),
    (("objects", 0, "crc32"), "-1", "objects[0].crc32 is '-1', not a checksum of up to 8 hexadecimal digits"),
    (("objects", 0, "crc32"), "fffffffff", "objects[0].crc32 is 'fffffffff', not a checksum"),
    (("objects", 0, "name"), "../x", "objects[0].name is '../x', not the name of a file"),
    (("objects", 0, "name"), ["x"], "objects[0].name is a list, not a text"),
    (("objects",), {"0": 1}, "objects is an object, not a list"),
    (("event_types",), {"a\x1bb": -5}, "event_types.a\\x1bb is -5, not a whole number"),
    (("asked_at",), "9999-12-31T23:59:59Z", "asked_at is '9999-12-31T23:59:59Z', not a time in the years 1970 to 2199"),
    (("asked_at",), 5, "asked_at is 5, not a text"),
    (("hour",), "9999-12-31T23", "hour is '9999-12-31T23', not a time in the years 1970 to 2199"),
    (("hour",), "soon\x1b", "hour is 'soon\\x1b', not a time like 2026-03-04T05"),
    (("state",), "\x1b[2J", "state is '\\x1b[2J', not one of done, empty, open, failed"),
    (("version",), 1.0, "its version is 1.0; this program reads version 1"),
    (("project",), 5, "project is 5, not a text"),
]


def saved_with_an_object() -> dict[str, Any]:
    landed = LandedObject("a", "m", 1, 2, 3, 4, 5, Fingerprint(6, 7, 8), "e")
    found: dict[str, Any] = json.loads(
        manifest_to_bytes(Manifest(hour_window(FIVE), HourState.DONE, FIVE, "raw", "1", (landed,), {"a": 1}))
    )
    return found


def put(saved: Any, where: tuple[str | int, ...], value: object) -> None:  # noqa: ANN401 - any JSON
    for each in where[:-1]:
        saved = saved[each]
    saved[where[-1]] = value


@pytest.mark.parametrize(("where", "value", "problem"), ABSURD)
def test_absurd_value_is_an_error_that_names_it(where: tuple[str | int, ...], value: object, problem: str) -> None:
    saved = saved_with_an_object()
    put(saved, where, value)

    with pytest.raises(InvalidManifestError) as raised:
        manifest_from_bytes(PATH, json.dumps(saved).encode())

    assert raised.value.what.startswith(f"{PATH} is not a valid manifest ({problem}")


PLACES = st.sampled_from([(name,) for name in saved_with_an_object()]) | st.sampled_from(
    [("objects", 0, name) for name in saved_with_an_object()["objects"][0]]
)


def texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for each in pair for text in texts_in(each))
    elif isinstance(value, (list, tuple)):
        yield from (text for each in value for text in texts_in(each))


@given(st.lists(st.tuples(PLACES, JSON_VALUES), min_size=1, max_size=2))
def test_any_json_is_a_manifest_or_an_error(changes: list[tuple[tuple[str | int, ...], object]]) -> None:
    saved = saved_with_an_object()
    for where, value in changes:
        with suppress(TypeError, KeyError, IndexError):  # the first change removed the objects
            put(saved, where, value)

    problem, manifest = "", None
    try:
        manifest = manifest_from_bytes(PATH, json.dumps(saved).encode())
    except InvalidManifestError as error:
        problem = error.what

    assert problem.startswith(f"{PATH} is ") == (manifest is None)
    assert (problem.isprintable(), len(problem) < 1_000) == (True, True)
    if manifest is not None:
        assert manifest_from_bytes(PATH, manifest_to_bytes(manifest)) == manifest
        assert CONTROLS.search(" ".join(texts_in(asdict(manifest)))) is None


@given(st.binary(max_size=30) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_an_error(found: bytes) -> None:
    with pytest.raises(InvalidManifestError) as raised:
        manifest_from_bytes(PATH, found)

    assert raised.value.what.isprintable()


def test_texts_from_outside_are_escaped() -> None:
    landed = LandedObject("a\x1b", "m\n\ud800", 1, 2, 3, 4, 5, Fingerprint(6, 7, 8), "e\x9b")
    manifest = Manifest(
        hour_window(FIVE), HourState.FAILED, FIVE, "raw", "1\u202e", (landed,), {"\x07": 1, "\\x07": 2}, "r\t👩\u200d🎨"
    )

    saved = json.loads(manifest_to_bytes(manifest))

    texts = [saved["project"], saved["reason"], *(saved["objects"][0][name] for name in ("name", "member", "etag"))]
    assert texts == ["1\\u202e", "r\\t👩\u200d🎨", "a\\x1b", "m\\n\\ud800", "e\\x9b"]
    assert saved["event_types"] == {"\\x07": 3}


@given(RIVALS, RIVALS)
def test_merge_keeps_the_objects_of_both_runs(mine: Manifest, theirs: Manifest) -> None:
    both = merged(mine, theirs)

    assert {each.name for each in both.objects} == {each.name for each in (*mine.objects, *theirs.objects)}
    assert set(both.objects) <= {*mine.objects, *theirs.objects}


@given(RIVALS, RIVALS)
def test_merge_does_not_depend_on_write_order(mine: Manifest, theirs: Manifest) -> None:
    one, other = merged(mine, theirs), merged(theirs, mine)

    ranks = [(each.state is not HourState.FAILED, each.asked_at) for each in (mine, theirs)]
    assert one == other or ranks[0] == ranks[1]


@given(RIVALS, RIVALS)
def test_merge_is_idempotent(mine: Manifest, theirs: Manifest) -> None:
    both = merged(mine, theirs)

    assert merged(both, both) == both
    assert merged(both, theirs).objects == both.objects


@given(RIVALS, RIVALS)
def test_merged_hour_is_done_if_one_run_has_objects(mine: Manifest, theirs: Manifest) -> None:
    done = [each for each in (mine, theirs) if each.state is HourState.DONE and each.objects]

    both = merged(mine, theirs)

    assert not done or both.state is HourState.DONE


@given(RIVALS, RIVALS)
def test_merge_prefers_the_later_response(mine: Manifest, theirs: Manifest) -> None:
    mine = replace(mine, state=HourState.DONE, asked_at=FIVE)
    theirs = replace(theirs, state=HourState.DONE, asked_at=FIVE.replace(hour=6))

    both = {each.name: each for each in merged(mine, theirs).objects}

    assert both == {each.name: each for each in (*mine.objects, *theirs.objects)}
