"""A second `land`: it writes only what changed at Amplitude or was lost in the store."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import obstore
import pytest

from unit_tests.conftest import NOON
from unit_tests.landing.program import (
    at,
    manifests_of,
    object_in_manifest,
    object_path,
    objects_of,
    oracle,
    states_of,
    stored,
)

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import FaultyPeer, Peer


def writes(peer: FaultyPeer) -> list[str]:
    return [request.path for request in peer.front.requests if request.method not in ("GET", "HEAD")]


def test_second_landing_writes_nothing(half_a_day: Emulator, program: Program, every_faulty_cloud: FaultyPeer) -> None:
    program.land(every_faulty_cloud)
    before, wrote = stored(every_faulty_cloud), writes(every_faulty_cloud)

    again = program.land(every_faulty_cloud)

    objects = len(half_a_day.store.members())
    assert again.exit_code == 0
    assert again.summary == (f"nothing new ({objects} objects compared); 8 hours done with 320 events; 2 hours open")
    assert writes(every_faulty_cloud) == wrote
    assert stored(every_faulty_cloud) == before


def test_second_landing_touches_no_file(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    program.land(folder)
    files = {path: path.stat().st_mtime_ns for path in program.folder.joinpath("landed").rglob("*.gz")}

    program.land(folder)

    assert len(files) == len(half_a_day.store.members())
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_changed_members_are_replaced_and_reported(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
    store = half_a_day.store
    program.land(every_store)
    grown, rewritten = store.members(at(5), at(6))[0], store.members(at(6), at(7))[0]
    lines = len(store.lines(at(6), at(7)))
    store.append_lines(at(5), grown.name.partition, [{"uuid": "late"}])
    store.put_content(at(6), rewritten.name.partition, b'{"uuid":"other"}\n')
    store.add_member(at(7), [{"uuid": "late too"}], partition=9000)

    landed = program.land(every_store)

    names = [object_path(each).rpartition("/")[2] for each in (grown, rewritten)]
    changed = f"{40 * 8 - lines + len(store.lines(at(6), at(7))) + 2} events"
    assert landed.exit_code == 0
    assert landed.summary.startswith("1 object written, 2 replaced, ")
    assert changed in landed.summary
    assert [warning.partition(" since it was landed")[0] for warning in sorted(landed.warnings)] == sorted(
        [
            f"Replaced {names[0]} of 2026-03-04 05:00 UTC: Amplitude has changed it",
            f"Replaced {names[1]} of 2026-03-04 06:00 UTC: Amplitude has changed it",
        ]
    )
    assert objects_of(stored(every_store)) == oracle(store)
    assert manifests_of(stored(every_store))["2026-03-04T05"]["objects"] == sorted(
        (object_in_manifest(every_store, store, each) for each in store.members(at(5), at(6))),
        key=lambda each: str(each["name"]),
    )


def test_recompressed_member_is_replaced(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    program.land(folder)
    member = half_a_day.store.members(at(5), at(6))[0]
    half_a_day.store.recompress(at(5), member.name.partition)

    landed = program.land(folder)

    assert landed.summary.startswith("0 objects written, 1 replaced, ")
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_object_of_a_deleted_member_stays_in_the_manifest(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.store.add_member(at(5), [{"uuid": "soon deleted"}], partition=9000)
    program.land(folder)
    before = stored(folder)
    half_a_day.store.remove_member(at(5), 9000)
    for member in half_a_day.store.members(at(6), at(7)):
        half_a_day.store.remove_member(at(6), member.name.partition)
    half_a_day.store.add_member(at(5), [{"uuid": "new"}], partition=9001)

    landed = program.land(folder)

    content = stored(folder)
    assert landed.exit_code == 0
    assert landed.warnings == ["Amplitude no longer has files for 2026-03-04 06:00 UTC; the landed objects stay."]
    assert objects_of(content) == objects_of(before) | oracle(half_a_day.store)
    assert manifests_of(content)["2026-03-04T05"]["events"] == 42
    assert program.missing(folder).exit_code == 0


def test_object_missing_in_store_and_at_amplitude_is_reported(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    half_a_day.store.add_member(at(5), [{"uuid": "soon deleted"}], partition=9000)
    program.land(folder)
    half_a_day.store.remove_member(at(5), 9000)
    name = "100200_2026-03-04_05_9000.json.gz"
    obstore.delete(folder.store(), f"events/date=2026-03-04/hour=05/{name}")

    landed = program.land(folder)

    warning = f"{name} of 2026-03-04 05:00 UTC is missing in the store and no longer at Amplitude."
    assert (landed.exit_code, landed.warnings) == (0, [warning])
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_deleted_and_truncated_objects_are_written_again(
    half_a_day: Emulator, program: Program, every_store: Peer
) -> None:
    program.land(every_store)
    paths = sorted(oracle(half_a_day.store))
    obstore.delete(every_store.store(), paths[0])
    obstore.put(every_store.store(), paths[-1], b"cut off")

    landed = program.land(every_store, "--start", "2026-03-04", "--only-missing")

    assert landed.exit_code == 0
    assert objects_of(stored(every_store)) == oracle(half_a_day.store)
    assert program.missing(every_store).exit_code == 0


@pytest.mark.usefixtures("half_a_day")
def test_deleted_manifest_is_written_again(program: Program, every_store: Peer) -> None:
    program.land(every_store)
    before = stored(every_store)
    obstore.delete(every_store.store(), "_manifest/date=2026-03-04/hour=05.json")

    missing = program.missing(every_store)
    landed = program.land(every_store, "--start", "2026-03-04", "--only-missing")

    assert missing.hours == {"2026-03-04T05": "missing"}
    assert landed.exit_code == 0
    assert objects_of(stored(every_store)) == objects_of(before)
    assert program.missing(every_store).exit_code == 0


def test_only_missing_requests_missing_and_open_hours(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    program.land(folder)
    obstore.delete(folder.store(), min(oracle(half_a_day.store, at(7), at(8))))
    half_a_day.clear_requests()

    program.land(folder, "--start", "2026-03-04", "--only-missing", request_time_range=1)

    asked = [(seen.query["start"], seen.query["end"]) for seen in half_a_day.requests if "start" in seen.query]
    assert sorted(asked)[-2:] == [("20260304T03", "20260304T04"), ("20260304T07", "20260304T07")]
    assert len(asked) == 3  # with the request that checks the keys


@pytest.mark.parametrize("only_missing", [True, False])
def test_late_files_are_found_at_the_recheck_ages(
    half_a_day: Emulator, program: Program, folder: Peer, *, only_missing: bool
) -> None:
    options = ["--start", "2026-03-04", "--end", "2026-03-04T10", *["--only-missing"] * only_missing]
    program.land(folder, *options)
    half_a_day.store.add_member(at(9), [{"uuid": "late"}], partition=9000)
    at_once = objects_of(stored(folder)) if program.land(folder, *options).exit_code == 0 else {}
    program.pass_time(days=2)

    landed = program.land(folder, *options)
    again = program.land(folder, *options)

    assert (object_path(half_a_day.store.member(at(9), 9000)) in at_once) == (not only_missing)
    assert objects_of(stored(folder)) == oracle(half_a_day.store)
    assert (landed.exit_code, again.exit_code) == (0, 0)
    assert ("Up to date: " if only_missing else ": nothing new (") in again.stdout
    assert manifests_of(stored(folder))["2026-03-04T09"]["asked_at"] == "2026-03-06T12:00:00Z"


def test_overlapping_spans_complete_each_other(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    program.land(folder, "--start", "2026-03-04T04", "--end", "2026-03-04T08")
    program.land(folder, "--start", "2026-03-04T00", "--end", "2026-03-04T05")
    program.land(folder, "--start", "2026-03-04T07", "--end", "2026-03-04T10")

    assert objects_of(stored(folder)) == oracle(half_a_day.store)
    assert set(states_of(stored(folder))) == {f"{hour:02}" for hour in range(10)}


def test_hours_of_another_project_are_refused(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    other = half_a_day.add_project()
    half_a_day.store_of(other).add_member(at(5), [{"uuid": "theirs"}])
    half_a_day.store_of(other).add_member(at(9), [{"uuid": "theirs"}])
    keys = {"api_key": other.api_key, "secret_key": other.secret_key}
    program.land(folder, "--start", "2026-03-04", "--end", "2026-03-04T08")
    before = stored(folder)

    same_hours = program.land(folder, "--start", "2026-03-04", "--end", "2026-03-04T08", **keys)
    later_hours = program.land(folder, "--start", "2026-03-04T08", **keys)

    problem = (
        f"{folder.url} belongs to project 100200, but these keys are for another project. No object was written. "
        "Use one folder per project."
    )
    assert [(each.exit_code, each.problem) for each in (same_hours, later_hours)] == [(1, problem), (1, problem)]
    assert objects_of(stored(folder)) == objects_of(before)


@pytest.mark.parametrize(
    "hours",
    [("2026-03-04T00", "2026-03-04T03"), ("2026-03-04T05", "2026-03-04T08"), ("2026-03-04T08", "2026-03-04T10")],
)
@pytest.mark.usefixtures("half_a_day")
def test_hours_in_another_format_are_refused(program: Program, folder: Peer, hours: tuple[str, str]) -> None:
    program.land(folder, "--start", "2026-03-04T05", "--end", "2026-03-04T08")
    before = stored(folder)

    landed = program.land(folder, "--start", hours[0], "--end", hours[1], "--format", "jsonl")

    assert landed.exit_code == 1
    assert landed.problem == f"{folder.url} already contains raw files. Use --format raw, or another folder."
    assert stored(folder) == before


def test_unchanged_jsonl_is_not_written_again(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    program.land(folder, "--start", "2026-03-04", "--format", "jsonl")
    before = stored(folder)

    again = program.land(folder, "--start", "2026-03-04", "--format", "jsonl")

    lines = [line for body in objects_of(before).values() for line in gzip.decompress(body).splitlines()]
    assert len(lines) == len(half_a_day.store.lines(None, NOON))
    assert again.summary.startswith("nothing new (")
    assert stored(folder) == before
