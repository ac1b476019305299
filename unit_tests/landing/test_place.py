"""The marker of a destination: what it contains, who writes it, and destinations without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.api.redaction import without_controls
from source_amplitude.errors import InvalidManifestError, OtherFormatError, OtherProjectError
from source_amplitude.landing.layout import PLACE_PATH, hour_of_manifest
from source_amplitude.landing.place import Place, agreed, place_from_bytes, place_to_bytes
from unit_tests.landing.json_values import JSON_VALUES
from unit_tests.landing.program import HOURS, at, manifests_of, objects_of, oracle, place_of, stored
from unit_tests.peers.faults import Do

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import FaultyPeer, Peer

FORMATS = st.sampled_from(["raw", "json", "jsonl", "parquet"])
PROJECTS = st.sampled_from([None, "1", "2"])
PLACES = st.builds(Place, FORMATS, PROJECTS, st.dictionaries(st.sampled_from(["rules", "x"]), JSON_VALUES, max_size=2))
RAW = {"version": 1, "format": "raw", "project": "100200"}
FIVE = ("--start", "2026-03-04T05", "--end", "2026-03-04T06")


@given(PLACES)
def test_marker_survives_a_round_trip(place: Place) -> None:
    found = place_from_bytes(place_to_bytes(place))

    assert found is not None
    assert place_to_bytes(found) == place_to_bytes(place)


@given(st.builds(Place, FORMATS, PROJECTS), st.builds(Place, FORMATS, PROJECTS))
def test_agreement_does_not_depend_on_the_order(one: Place, other: Place) -> None:
    formats, projects = {one.format, other.format}, {one.project, other.project} - {None}
    if len(formats) > 1 and formats != {"raw", "json"}:
        expected: object = OtherFormatError
    elif len(projects) > 1:
        expected = OtherProjectError
    else:
        expected = Place("json" if len(formats) > 1 else one.format, next(iter(projects), None))

    found = list[object]()
    for mine, theirs in ((one, other), (other, one)):
        try:
            found.append(agreed(mine, theirs, "here"))
        except (OtherFormatError, OtherProjectError) as error:
            found.append(type(error))

    assert found == [expected, expected]


@given(st.dictionaries(st.sampled_from(["version", "format", "project", "more"]), JSON_VALUES) | JSON_VALUES)
def test_any_json_is_a_marker_or_an_error_that_names_it(saved: object) -> None:
    problem, place = "", None
    try:
        place = place_from_bytes(json.dumps(saved).encode())
    except InvalidManifestError as error:
        problem = error.what

    assert problem.startswith(f"{PLACE_PATH} is not valid (") == (place is None)
    assert problem.isprintable()
    assert place is None or (type(place.format) is str and without_controls(place.format) == place.format)


def test_empty_marker_is_ignored_and_replaced(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
    obstore.put(every_store.store(), PLACE_PATH, b"")

    missing, landed = program.missing(every_store), program.land(every_store)

    assert (missing.exit_code, landed.exit_code) == (1, 0)
    assert objects_of(stored(every_store)) == oracle(half_a_day.store)
    assert place_of(stored(every_store)) == RAW


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b'{"version": 2, "format": "raw"}', "its version is 2; this program reads version 1"),
        (b'{"version": true}', "its version is true; this program reads version 1"),
        (b'{"version": 1, "format": 5}', "format is 5, not a text"),
        (b'{"version": 1, "format": "raw", "project": 100200}', "project is 100200, not a text"),
    ],
)
@pytest.mark.usefixtures("half_a_day")
def test_invalid_marker_stops_the_run_before_any_write(
    program: Program, folder: Peer, body: bytes, problem: str
) -> None:
    obstore.put(folder.store(), PLACE_PATH, body)

    landed, missing = program.land(folder), program.missing(folder)

    what = f"{PLACE_PATH} is not valid ({problem}). {InvalidManifestError.next_step}"
    assert [(each.exit_code, each.problem) for each in (landed, missing)] == [(1, what), (3, what)]
    assert stored(folder) == {PLACE_PATH: body}


def test_marker_is_not_the_manifest_of_an_hour() -> None:
    assert hour_of_manifest(PLACE_PATH) is None


@pytest.mark.parametrize(("first", "second"), [("raw", "json"), ("json", "raw")])
def test_raw_and_json_share_a_folder(
    half_a_day: Emulator, program: Program, folder: Peer, first: str, second: str
) -> None:
    one = program.land(folder, *HOURS, "--format", first)
    other = program.land(folder, *HOURS, "--format", second)

    content = stored(folder)
    assert (one.exit_code, other.exit_code) == (0, 0)
    assert objects_of(content) == oracle(half_a_day.store)
    assert {manifest["format"] for manifest in manifests_of(content).values()} == {"raw", ""}
    assert place_of(content) == {**RAW, "format": "json"}


def test_destination_without_marker_gets_it_at_the_next_run(
    half_a_day: Emulator, program: Program, every_store: Peer
) -> None:
    program.land(every_store)
    obstore.delete(every_store.store(), PLACE_PATH)
    before = stored(every_store)

    reports = [program.missing(every_store), program.run("report", every_store, *HOURS)]
    unchanged = stored(every_store)
    landed = program.land(every_store, *HOURS, "--only-missing")

    assert ([each.exit_code for each in reports], landed.exit_code) == ([0, 0], 0)
    assert unchanged == before
    assert stored(every_store) == {**before, PLACE_PATH: json.dumps(RAW, indent=1).encode() + b"\n"}
    assert objects_of(before) == oracle(half_a_day.store)


@pytest.mark.usefixtures("half_a_day")
def test_reports_do_not_write_beside_a_marker(program: Program, folder: Peer) -> None:
    program.land(folder)
    files = {path: path.stat().st_mtime_ns for path in Path(folder.url).rglob("*")}

    codes = [program.missing(folder).exit_code, program.run("report", folder, *HOURS).exit_code]

    assert codes == [0, 0]
    assert {path: path.stat().st_mtime_ns for path in Path(folder.url).rglob("*")} == files


@pytest.mark.parametrize("change", [{"project": "7"}, {"format": "jsonl"}])
@pytest.mark.usefixtures("half_a_day")
def test_manifests_that_disagree_get_no_marker(program: Program, folder: Peer, change: dict[str, str]) -> None:
    program.land(folder)
    path = "_manifest/date=2026-03-04/hour=05.json"
    manifest = json.loads(stored(folder)[path])
    obstore.put(folder.store(), path, json.dumps(manifest | change).encode())
    obstore.delete(folder.store(), PLACE_PATH)
    before = stored(folder)

    landed = program.land(folder)

    assert landed.exit_code == 1
    assert landed.problem.startswith((f"{folder.url} contains hours of projects", f"{folder.url} already contains"))
    assert stored(folder) == before


def test_run_without_files_leaves_the_format_open(emulator: Emulator, program: Program, folder: Peer) -> None:
    empty = program.land(folder)
    before = place_of(stored(folder))
    emulator.store.add_member(at(9), [{"uuid": "a"}])
    landed = program.land(folder, *HOURS, "--format", "jsonl")

    assert (empty.exit_code, before, landed.exit_code) == (0, None, 0)
    assert place_of(stored(folder)) == {**RAW, "format": "jsonl"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"format": "parquet"}, "lists parquet files of another run, not raw."), ({"project": "7"}, "is for project 7, ")],
)
def test_manifest_of_another_kind_is_not_merged(
    half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer, change: dict[str, str], problem: str
) -> None:
    """A program without markers lands the hour in another format or of another project just before our manifest."""
    peer, path = every_faulty_cloud, "_manifest/date=2026-03-04/hour=05.json"
    program.land(peer, *FIVE)
    half_a_day.store.add_member(at(5), [{"uuid": "late"}], partition=9000)
    theirs = json.dumps(manifests_of(stored(peer))["2026-03-04T05"] | change).encode()
    store = peer.store()
    peer.front.inject(Do(lambda: obstore.put(store, path, theirs)), method="PUT", path=path)

    landed = program.land(peer, *FIVE)

    assert landed.exit_code == 1
    assert landed.problem.startswith(f"{path} in {peer.url} {problem}")
    assert stored(peer)[path] == theirs
