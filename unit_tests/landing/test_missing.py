"""The output of `missing`: missing and incomplete hours, and the command that lands them."""

from __future__ import annotations

import json
import shlex
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import obstore
import pytest

from source_amplitude.errors import InvalidManifestError
from unit_tests.landing.program import HOURS, at, object_path, objects_of, oracle, states_of, stored

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import Peer

MANIFEST = "_manifest/date=2026-03-04/hour=05.json"


def first_object(emulator: Emulator, hour: int) -> str:
    return object_path(emulator.store.members(at(hour), at(hour + 1))[0])


@pytest.mark.usefixtures("half_a_day")
def test_nothing_is_missing_after_a_landing(program: Program, every_store: Peer) -> None:
    program.land(every_store)

    missing = program.missing(every_store)

    said = f"Nothing is missing: 10 hours, 2026-03-04 00:00 to 10:00 UTC, in {every_store.url}.\n"
    assert (missing.exit_code, missing.stdout, missing.stderr) == (0, "", said)


def test_missing_lists_each_hour_with_reason_and_command(
    half_a_day: Emulator, program: Program, every_store: Peer
) -> None:
    program.land(every_store, "--start", "2026-03-04T01")
    store, deleted, cut = every_store.store(), first_object(half_a_day, 5), first_object(half_a_day, 7)
    obstore.delete(store, deleted)
    obstore.put(store, cut, b"cut")
    obstore.delete(store, "_manifest/date=2026-03-04/hour=08.json")

    missing = program.missing(every_store)
    command = shlex.split(missing.stderr.splitlines()[1])
    fetched = program.run("land", every_store, "--config", program.config(), *command[command.index("--start") :])

    landed = half_a_day.store.members(at(7), at(8))[0].size_bytes
    assert missing.exit_code == 1
    assert missing.stdout.splitlines() == [
        "2026-03-04T00\t2026-03-04T01\t1\tmissing\tnever landed",
        f"2026-03-04T05\t2026-03-04T06\t1\tshort\t{deleted.rpartition('/')[2]} is missing",
        f"2026-03-04T07\t2026-03-04T08\t1\tshort\t{cut.rpartition('/')[2]} has 3 bytes instead of {landed:,}",
        "2026-03-04T08\t2026-03-04T09\t1\tmissing\tincomplete: landing was interrupted",
    ]
    assert missing.stderr.splitlines()[0] == (
        f"Missing or incomplete: 4 of 10 hours, 2026-03-04 00:00 to 10:00 UTC, in {every_store.url}. To download them:"
    )
    assert command == [
        *("source-amplitude", "land", "--config", "config.yaml", "--to", every_store.url),
        *("--start", "2026-03-04T00", "--end", "2026-03-04T09", "--only-missing"),
    ]
    assert fetched.exit_code == 0
    assert objects_of(stored(every_store)) == oracle(half_a_day.store)
    assert program.missing(every_store).exit_code == 0


@pytest.mark.usefixtures("half_a_day")
def test_open_hours_are_missing_only_with_strict(program: Program, folder: Peer) -> None:
    program.land(folder)

    usual, strict = program.missing(folder), program.missing(folder, *HOURS, "--strict")

    assert (usual.exit_code, usual.stdout) == (0, "")
    assert (strict.exit_code, strict.hours) == (1, {"2026-03-04T03": "open", "2026-03-04T04": "open"})


@pytest.mark.usefixtures("half_a_day")
def test_empty_hours_are_never_missing(program: Program, folder: Peer) -> None:
    program.pass_time(days=2)
    program.land(folder, "--start", "2026-03-04", "--end", "2026-03-04T10")

    strict = program.missing(folder, "--start", "2026-03-04", "--end", "2026-03-04T10", "--strict")

    assert (strict.exit_code, strict.stdout) == (0, "")


def test_failed_window_is_missing_until_it_succeeds(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.faults.add("server_error", hour=at(6))

    failed = program.land(folder, request_time_range=1)
    missing = program.missing(folder)
    half_a_day.faults.clear()
    again = program.land(folder, *HOURS, "--only-missing")

    assert failed.exit_code == 1
    assert failed.problem.startswith("1 window of the export could not be read. 2026-03-04 06:00 UTC: ")
    assert failed.summary.endswith("; 2 hours open; 1 hour failed")
    assert missing.hours == {"2026-03-04T06": "failed"}
    assert (again.exit_code, program.missing(folder).exit_code) == (0, 0)
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_open_hour_that_failed_becomes_open_again(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
    program.land(every_store)
    half_a_day.faults.add("server_error", hour=at(4))

    failed = program.land(every_store, request_time_range=1)
    states = states_of(stored(every_store))
    missing = program.missing(every_store)
    half_a_day.faults.clear()
    program.land(every_store)

    assert failed.exit_code == 1
    assert {hour for hour, state in states.items() if state == "failed"} == {"03", "04"} & set(states)
    assert set(missing.hours) == {f"2026-03-04T{hour}" for hour, state in states.items() if state == "failed"}
    assert states_of(stored(every_store))["04"] == "open"


def test_404_of_a_gateway_fails_its_window(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.faults.add("html_page", hour=at(5), status=404)

    landed = program.land(folder, *HOURS, request_time_range=1)
    missing = program.missing(folder, *HOURS)
    half_a_day.faults.clear()
    program.land(folder, *HOURS, "--only-missing", request_time_range=1)

    assert (landed.exit_code, missing.exit_code) == (1, 1)
    assert states_of(stored(folder))["05"] == "done"
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_archive_without_files_leaves_its_hour_missing(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.clock.advance(timedelta(days=3))
    half_a_day.faults.add("empty_archive", hour=at(5))

    landed = program.land(folder, *HOURS, request_time_range=1)
    before = states_of(stored(folder))
    missing = program.missing(folder, *HOURS)
    half_a_day.faults.clear()
    program.land(folder, *HOURS, "--only-missing", request_time_range=1)

    assert (landed.exit_code, missing.exit_code) == (0, 1)
    assert "3 hours open" in landed.summary  # for two hours Amplitude responded that it has no files
    assert "05" not in before
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_corrupt_member_fails_only_its_own_hour(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
    member = half_a_day.store.members(at(6), at(7))[-1]
    whole = half_a_day.store.read(member.name) or b""
    half_a_day.store.put_gzip(at(6), member.name.partition, whole[:-20])

    failed = program.land(every_store)
    missing = program.missing(every_store)
    left = objects_of(stored(every_store))
    half_a_day.store.put_gzip(at(6), member.name.partition, whole)
    again = program.land(every_store, *HOURS, "--only-missing")

    assert failed.exit_code == 1
    assert f"The member {member.name} cannot be unpacked" in failed.problem
    assert missing.hours == {"2026-03-04T06": "failed"}
    assert object_path(member) not in left
    assert left.items() <= oracle(half_a_day.store).items()
    assert (again.exit_code, program.missing(every_store).exit_code) == (0, 0)
    assert objects_of(stored(every_store)) == oracle(half_a_day.store)


def test_corrupt_archive_is_requested_again(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    for name in ("broken_member", "flipped_byte", "clipped_archive", "cut_body", "html_instead_of_zip"):
        half_a_day.faults.add(name, times=1)

    landed = program.land(folder, request_time_range=2)

    assert landed.exit_code == 0, landed.stderr
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{}", "is not a valid manifest (version is missing)."),
        (b"[]", "is not a valid manifest (it is a list, not an object)."),
        (b'{"version": 2}', "is not a valid manifest (its version is 2; this program reads version 1)."),
    ],
)
@pytest.mark.usefixtures("half_a_day")
def test_invalid_manifest_stops_the_run_before_any_write(
    program: Program, folder: Peer, body: bytes, problem: str
) -> None:
    program.land(folder)
    obstore.put(folder.store(), MANIFEST, body)
    before = stored(folder)

    landed, missing = program.land(folder), program.missing(folder)
    left = stored(folder)
    obstore.delete(folder.store(), MANIFEST)
    again = program.land(folder)

    advice = InvalidManifestError.next_step
    expected = f"{MANIFEST} {problem} {advice}"
    assert [(each.exit_code, each.problem) for each in (landed, missing)] == [(1, expected), (3, expected)]
    assert left == before
    assert (again.exit_code, program.missing(folder).exit_code) == (0, 0)


@pytest.mark.parametrize("hour", ["date=9999-12-31/hour=23", "date=0001-01-01/hour=00", "date=2009-12-31/hour=00"])
@pytest.mark.usefixtures("half_a_day")
def test_manifest_of_an_impossible_hour_is_an_error(program: Program, folder: Peer, hour: str) -> None:
    program.land(folder)
    path = f"_manifest/{hour}.json"
    obstore.put(folder.store(), path, b"{}")
    before = stored(folder)

    ended = [program.land(folder), program.missing(folder), program.run("report", folder)]

    problem = f"{path} is not for a year from 2010 to 2199. {InvalidManifestError.next_step}"
    assert [(each.exit_code, each.problem) for each in ended] == [(1, problem), (3, problem), (1, problem)]
    assert stored(folder) == before


def test_empty_manifest_counts_as_missing(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
    program.land(every_store)
    before = stored(every_store)
    obstore.put(every_store.store(), MANIFEST, b"")

    missing, landed = program.missing(every_store), program.land(every_store, "--start", "2026-03-04", "--only-missing")

    assert (missing.exit_code, list(missing.hours.values())) == (1, ["missing"])
    assert landed.exit_code == 0
    assert objects_of(stored(every_store)) == objects_of(before) == oracle(half_a_day.store)
    assert program.missing(every_store).exit_code == 0


def test_unknown_files_in_the_destination_are_kept(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
    others = {
        "readme.txt": b"ours",
        "_manifest/date=2026-03-04/notes.json": json.dumps({}).encode(),
        "events/date=2026-03-04/hour=05/other.parquet": b"theirs",
        "events/date=2026-03-04/hour=03/other.parquet": b"theirs",
    }
    for path, body in others.items():
        obstore.put(every_store.store(), path, body)

    landed, missing = program.land(every_store), program.missing(every_store)

    content = stored(every_store)
    assert (landed.exit_code, missing.exit_code) == (0, 0)
    assert {path: content[path] for path in others} == others
    assert objects_of(content) == oracle(half_a_day.store) | {
        path: body for path, body in others.items() if path.startswith("events")
    }


def test_missing_starts_at_the_first_landed_hour_by_default(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    half_a_day.store.add_member(datetime(2026, 3, 2, 22, tzinfo=timezone.utc), [{"uuid": "first"}])
    program.land(folder, "--start", "2026-03-02T22", "--end", "2026-03-02T23")
    program.land(folder, "--start", "2026-03-03T00")

    missing = program.run("missing", folder)

    assert (missing.exit_code, missing.hours) == (1, {"2026-03-02T23": "missing"})
    assert missing.stderr.startswith(
        "Missing or incomplete: 1 of 36 hours, 2026-03-02 22:00 to 2026-03-04 10:00 UTC, in "
    )


def test_empty_store_and_missing_folder_are_reported(program: Program, s3: Peer, folder: Peer) -> None:
    store, nowhere = program.missing(s3), program.missing(folder)

    assert (store.exit_code, store.stdout) == (1, "2026-03-04T00\t2026-03-04T10\t10\tmissing\tnever landed\n")
    assert store.stderr.startswith(f"Nothing has been landed in {s3.url}. Missing or incomplete: 10 of 10 hours, ")
    assert (nowhere.exit_code, nowhere.stdout) == (3, "")
    assert nowhere.problem.startswith(f"Folder {folder.url} does not exist.")
