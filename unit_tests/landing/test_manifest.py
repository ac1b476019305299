from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.errors import InvalidManifestError
from source_amplitude.landing.layout import hour_of_manifest, manifest_path
from source_amplitude.landing.manifest import (
    HourState,
    Manifest,
    manifest_from_bytes,
    manifest_to_bytes,
    merged,
)
from source_amplitude.windows import hour_window
from unit_tests.landing.manifests import HOURS, NAMES, manifests

FIVE = datetime(2026, 3, 4, 5, tzinfo=timezone.utc)
PATH = "_manifest/date=2026-03-04/hour=05.json"
RIVALS = manifests(st.just(FIVE), NAMES)


@given(manifests())
def test_what_is_written_is_what_is_read(manifest: Manifest) -> None:
    assert manifest_from_bytes(manifest_path(manifest.window.start), manifest_to_bytes(manifest)) == manifest


@given(HOURS)
def test_a_path_names_its_hour(moment: datetime) -> None:
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
def test_other_paths_are_no_manifests(path: str) -> None:
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
        body(state="unheard of"),
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
def test_what_is_no_manifest_is_refused(found: bytes) -> None:
    with pytest.raises(InvalidManifestError):
        manifest_from_bytes(PATH, found)


@given(RIVALS, RIVALS)
def test_no_object_that_one_of_two_runs_knows_is_lost(mine: Manifest, theirs: Manifest) -> None:
    both = merged(mine, theirs)

    assert {each.name for each in both.objects} == {each.name for each in (*mine.objects, *theirs.objects)}
    assert set(both.objects) <= {*mine.objects, *theirs.objects}


@given(RIVALS, RIVALS)
def test_it_makes_no_difference_who_writes_last_unless_both_asked_at_once(mine: Manifest, theirs: Manifest) -> None:
    one, other = merged(mine, theirs), merged(theirs, mine)

    ranks = [(each.state is not HourState.FAILED, each.asked_at) for each in (mine, theirs)]
    assert one == other or ranks[0] == ranks[1]


@given(RIVALS, RIVALS)
def test_merging_once_more_changes_nothing(mine: Manifest, theirs: Manifest) -> None:
    both = merged(mine, theirs)

    assert merged(both, both) == both
    assert merged(both, theirs).objects == both.objects


@given(RIVALS, RIVALS)
def test_an_hour_is_done_if_one_of_two_runs_has_done_it_and_has_anything_to_show(
    mine: Manifest, theirs: Manifest
) -> None:
    done = [each for each in (mine, theirs) if each.state is HourState.DONE and each.objects]

    both = merged(mine, theirs)

    assert not done or both.state is HourState.DONE


@given(RIVALS, RIVALS)
def test_the_later_answer_decides_what_an_object_is(mine: Manifest, theirs: Manifest) -> None:
    mine = replace(mine, state=HourState.DONE, asked_at=FIVE)
    theirs = replace(theirs, state=HourState.DONE, asked_at=FIVE.replace(hour=6))

    both = {each.name: each for each in merged(mine, theirs).objects}

    assert both == {each.name: each for each in (*mine.objects, *theirs.objects)}
