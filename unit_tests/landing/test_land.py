"""The result of `land`: every member unmodified, and one manifest per hour."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from unit_tests.conftest import NOON, fill
from unit_tests.landing.program import (
    at,
    manifests_of,
    object_in_manifest,
    object_path,
    objects_of,
    oracle,
    read,
    states_of,
    stored,
)

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import Peer


def test_every_member_is_landed_unmodified(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
    landed = program.land(every_store)

    content = stored(every_store)
    days = [f"_manifest/date=2026-03-04/hour={hour:02}.json" for hour in range(10)]
    assert landed.exit_code == 0, landed.stderr
    assert objects_of(content) == oracle(half_a_day.store)
    assert sorted(path for path in content if not path.startswith("events/")) == [*days, "_manifest/place.json"]


def test_manifest_describes_its_hour(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
    half_a_day.store.add_member(at(5), [{"uuid": "a"}, {"uuid": "b"}], partition=9000)

    program.land(every_store)

    objects = [
        object_in_manifest(every_store, half_a_day.store, each) for each in half_a_day.store.members(at(5), at(6))
    ]
    assert manifests_of(stored(every_store))["2026-03-04T05"] == {
        "version": 1,
        "hour": "2026-03-04T05",
        "hours": 1,
        "state": "done",
        "asked_at": "2026-03-04T12:00:00Z",
        "format": "raw",
        "project": "100200",
        "events": 42,
        "bytes": sum(each["bytes"] for each in objects),
        "malformed_lines": 0,
        "objects": sorted(objects, key=lambda each: str(each["name"])),
    }


def test_result_is_one_line_on_stdout(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    objects = len(half_a_day.store.members())

    landed = program.land(folder)

    start = f"{folder.url}, 2026-03-04 00:00 to 10:00 UTC: {objects} objects written, 0 replaced, 0 unchanged (0."
    assert landed.stdout.startswith(start)
    assert landed.summary.partition("; ")[2] == "8 hours done with 320 events; 2 hours open"
    assert landed.stdout.count("\n") == 1
    assert landed.stderr == ""


def test_debug_prints_a_line_for_each_hour(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    landed = program.land(folder, "--start", "2026-03-04", "--debug")

    assert [line.split(" INFO ")[1] for line in landed.stderr.splitlines() if " INFO " in line][-1] == (
        f"2026-03-04 09:00 UTC: 40 events, {len(half_a_day.store.members(at(9), at(10)))} written."
    )


@pytest.mark.usefixtures("half_a_day")
def test_hours_without_files_are_open_and_later_empty(program: Program, folder: Peer) -> None:
    program.land(folder, "--start", "2026-03-04", "--end", "2026-03-04T10")
    at_first = states_of(stored(folder))
    program.pass_time(days=1)
    later = program.land(folder, "--start", "2026-03-04", "--end", "2026-03-04T10", "--only-missing")

    done = {f"{hour:02}": "done" for hour in range(10)}
    assert at_first == done | {"03": "open", "04": "open"}
    assert states_of(stored(folder)) == done | {"03": "empty", "04": "empty"}
    assert later.exit_code == 0
    assert later.summary.endswith("; 2 hours empty")


def test_open_and_empty_hours_are_landed_once_they_have_files(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    program.land(folder)
    fill(half_a_day, 3, 4)
    was_open = program.land(folder, "--start", "2026-03-04", "--only-missing")
    program.pass_time(days=1)
    program.land(folder, "--start", "2026-03-04", "--end", "2026-03-04T10")
    before = states_of(stored(folder))["04"]
    fill(half_a_day, 4, 5)
    was_empty = program.land(folder, "--start", "2026-03-04", "--end", "2026-03-04T10")

    assert (was_open.exit_code, before, was_empty.exit_code) == (0, "empty", 0)
    assert set(states_of(stored(folder)).values()) == {"done"}
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


@pytest.mark.parametrize("hours", [1, 3, 24])
def test_window_size_does_not_change_the_result(
    half_a_day: Emulator, program: Program, folder: Peer, hours: int
) -> None:
    landed = program.land(folder, request_time_range=hours, num_workers=5)

    assert landed.exit_code == 0
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_too_large_windows_are_split(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.faults.add("too_large_above_hours", hours=1)

    landed = program.land(folder, request_time_range=8)

    assert landed.exit_code == 0, landed.stderr
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_day_files_before_2014_11_12_are_landed_as_days(emulator: Emulator, program: Program, folder: Peer) -> None:
    for day in (10, 11):
        emulator.store.add_member(datetime(2014, 11, day, tzinfo=timezone.utc), [{"uuid": f"{day}"}])
    emulator.store.add_member(datetime(2014, 11, 12, 5, tzinfo=timezone.utc), [{"uuid": "12"}])

    landed = program.land(folder, "--start", "2014-11-10T05", "--end", "2014-11-12T06")
    missing = program.missing(folder, "--start", "2014-11-10T05", "--end", "2014-11-12T06")

    manifests = manifests_of(stored(folder))
    assert landed.exit_code == 0, landed.stderr
    assert objects_of(stored(folder)) == oracle(emulator.store)
    assert {hour: (each["state"], each["hours"]) for hour, each in manifests.items()} == {
        "2014-11-10T00": ("done", 24),
        "2014-11-11T00": ("done", 24),
        **{f"2014-11-12T0{hour}": ("empty", 1) for hour in range(5)},
        "2014-11-12T05": ("done", 1),
    }
    assert (missing.exit_code, missing.stdout) == (0, "")


def test_jsonl_has_the_records_of_read_and_counts_event_types(
    emulator: Emulator, program: Program, every_store: Peer
) -> None:
    lines = [b'{"event_type":"A","uuid":"1","library":null}', b'{"event_type":"B","uuid":"2"}']
    emulator.store.add_member(at(9), [*lines, lines[0]], partition=70)

    landed = program.land(every_store, "--start", "2026-03-04T09", "--format", "jsonl")

    content = stored(every_store)
    path = "events/date=2026-03-04/hour=09/100200_2026-03-04_09_70.jsonl.gz"
    manifest = manifests_of(content)["2026-03-04T09"]
    assert landed.exit_code == 0, landed.stderr
    assert list(objects_of(content)) == [path]
    assert gzip.decompress(content[path]).splitlines() == [
        b'{"event_type":"A","uuid":"1"}',
        b'{"event_type":"B","uuid":"2"}',
        b'{"event_type":"A","uuid":"1"}',
    ]
    assert (manifest["format"], manifest["events"], manifest["event_types"]) == ("jsonl", 3, {"A": 2, "B": 1})


MALFORMED = b'{"uuid":"good"}\n{"cut": "of\n'


@pytest.mark.parametrize(
    ("policy", "first", "second"),
    [("report", 1, 0), ("skip", 0, 0), ("fail", 1, 1)],
)
def test_jsonl_leaves_out_and_reports_malformed_lines(
    emulator: Emulator, program: Program, folder: Peer, policy: str, first: int, second: int
) -> None:
    emulator.store.put_content(at(8), 1, MALFORMED)
    options = ("--start", "2026-03-04T08", "--end", "2026-03-04T09", "--format", "jsonl")

    landed = program.land(folder, *options, malformed_lines=policy)
    again = program.land(folder, *options, malformed_lines=policy)

    content = stored(folder)
    position = "2026-03-04 08:00 UTC, member 100200/100200_2026-03-04_8#1.json.gz, line 2."
    assert [gzip.decompress(body) for body in objects_of(content).values()] == [b'{"uuid":"good"}\n']
    assert manifests_of(content)["2026-03-04T08"]["malformed_lines"] == 1
    assert (landed.exit_code, again.exit_code) == (first, second)
    assert (position in landed.problem) == bool(first)


def test_raw_members_with_malformed_lines_are_landed(emulator: Emulator, program: Program, folder: Peer) -> None:
    emulator.store.put_content(at(8), 1, MALFORMED)

    landed = program.land(folder, "--start", "2026-03-04T08", "--end", "2026-03-04T09", malformed_lines="fail")

    assert landed.exit_code == 0
    assert objects_of(stored(folder)) == oracle(emulator.store)


def test_member_larger_than_an_upload_part_is_landed(emulator: Emulator, program: Program, every_store: Peer) -> None:
    emulator.store.put_repeated(at(9), 5, json.dumps({"uuid": "x" * 1000}).encode(), 20_000, level=0)
    (member,) = emulator.store.members()

    landed = program.land(every_store, "--start", "2026-03-04T09")

    assert landed.exit_code == 0, landed.stderr
    assert member.size_bytes > 20_000_000
    assert objects_of(stored(every_store)) == {object_path(member): read(emulator.store, member)}


def test_land_starts_yesterday_by_default(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.store.add_member(datetime(2026, 3, 3, 0, tzinfo=timezone.utc), [{"uuid": "first"}])
    half_a_day.store.add_member(datetime(2026, 3, 2, 23, tzinfo=timezone.utc), [{"uuid": "before"}])

    landed = program.run("land", folder, "--config", program.config())

    assert landed.exit_code == 0
    assert objects_of(stored(folder)) == oracle(half_a_day.store, datetime(2026, 3, 3, tzinfo=timezone.utc))


def test_unpublished_hours_are_reported_after_the_landing(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    landed = program.land(folder, "--start", "2026-03-04T08", "--end", "2026-03-04T13")
    too_early = program.land(folder, "--start", "2026-03-04T10")

    wait = "Run the command again then, or leave out --end to land the published hours."
    assert (landed.exit_code, too_early.exit_code) == (1, 1)
    assert landed.problem == (
        "Amplitude has not published 2026-03-04 10:00 to 13:00 UTC yet. "
        f"Not available before 2026-03-04 15:00 UTC. {wait}"
    )
    assert too_early.problem == (
        f"Amplitude has not published 2026-03-04 10:00 UTC yet. Not available before 2026-03-04 13:00 UTC. {wait}"
    )
    assert objects_of(stored(folder)) == oracle(half_a_day.store, at(8))


def test_accepted_gaps_are_not_requested_and_not_missing(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    gaps = ["2026-03-04T02/2026-03-04T06"]

    landed = program.land(folder, accepted_gaps=gaps)
    missing = program.missing(folder, "--start", "2026-03-04", "--config", program.config(accepted_gaps=gaps))
    without = program.missing(folder)

    store = half_a_day.store
    assert landed.exit_code == 0
    assert objects_of(stored(folder)) == oracle(store, None, at(2)) | oracle(store, at(6), NOON)
    assert (missing.exit_code, missing.stdout) == (0, "")
    assert without.hours == {f"2026-03-04T0{hour}": "missing" for hour in range(2, 6)}
