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
