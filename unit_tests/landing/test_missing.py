"""What `missing` says: each hour that is not there or not whole, and the command that fetches these."""

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
def test_nothing_is_missing_of_what_was_landed(program: Program, every_store: Peer) -> None:
    program.land(every_store)

    missing = program.missing(every_store)

    said = f"Nothing is missing: 10 hours, 2026-03-04 00:00 to 10:00 UTC, in {every_store.url}.\n"
    assert (missing.exit_code, missing.stdout, missing.stderr) == (0, "", said)


def test_each_hour_that_is_missing_or_short_is_listed_with_its_reason_and_the_command_that_fetches_them(
    half_a_day: Emulator, program: Program, every_store: Peer
) -> None:
    program.land(every_store, "--start", "2026-03-04T01")
    store, gone, cut = every_store.store(), first_object(half_a_day, 5), first_object(half_a_day, 7)
    obstore.delete(store, gone)
    obstore.put(store, cut, b"cut")
    obstore.delete(store, "_manifest/date=2026-03-04/hour=08.json")

    missing = program.missing(every_store)
    command = shlex.split(missing.stderr.splitlines()[1])
    fetched = program.run("land", every_store, "--config", program.config(), *command[command.index("--start") :])

    landed = half_a_day.store.members(at(7), at(8))[0].size_bytes
    objects = len(half_a_day.store.members(at(8), at(9)))
    assert missing.exit_code == 1
    assert missing.stdout.splitlines() == [
        "2026-03-04T00\tmissing\tnever landed",
        f"2026-03-04T05\tshort\t{gone.rpartition('/')[2]} is gone",
        f"2026-03-04T07\tshort\t{cut.rpartition('/')[2]} has 3 bytes, {landed:,} were landed",
        f"2026-03-04T08\tmissing\t{objects} objects without a manifest: a landing was cut off",
    ]
    assert missing.stderr.splitlines()[0] == (
        f"Missing or incomplete: 4 of 10 hours, 2026-03-04 00:00 to 10:00 UTC, in {every_store.url}. To download them:"
    )
    assert command == [
        *("source-amplitude", "land", "--config", "config.json", "--to", every_store.url),
        *("--start", "2026-03-04T00", "--end", "2026-03-04T09", "--only-missing"),
    ]
    assert fetched.exit_code == 0
    assert objects_of(stored(every_store)) == oracle(half_a_day.store)
    assert program.missing(every_store).exit_code == 0


@pytest.mark.usefixtures("half_a_day")
def test_an_hour_that_is_open_is_missing_only_to_the_strict(program: Program, folder: Peer) -> None:
    program.land(folder)

    usual, strict = program.missing(folder), program.missing(folder, *HOURS, "--strict")

    assert (usual.exit_code, usual.stdout) == (0, "")
    assert (strict.exit_code, strict.hours) == (1, {"2026-03-04T03": "open", "2026-03-04T04": "open"})


@pytest.mark.usefixtures("half_a_day")
def test_an_hour_that_amplitude_says_is_empty_is_missing_to_nobody(program: Program, folder: Peer) -> None:
    program.pass_time(days=2)
    program.land(folder, "--start", "2026-03-04", "--end", "2026-03-04T10")

    strict = program.missing(folder, "--start", "2026-03-04", "--end", "2026-03-04T10", "--strict")

    assert (strict.exit_code, strict.stdout) == (0, "")


def test_a_window_that_failed_is_missing_until_it_heals(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.faults.add("server_error", hour=at(6))

    failed = program.land(folder, request_time_range=1)
    missing = program.missing(folder)
    half_a_day.faults.clear()
    healed = program.land(folder, *HOURS, "--only-missing")

    assert failed.exit_code == 1
    assert failed.problem.startswith("One window of the export could not be read. 2026-03-04 06:00 UTC: ")
    assert failed.summary.endswith("; 2 hours open; 1 hour failed")
    assert missing.hours == {"2026-03-04T06": "failed"}
    assert (healed.exit_code, program.missing(folder).exit_code) == (0, 0)
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_a_window_that_failed_after_it_was_open_is_missing_and_is_open_again_after_the_next_answer(
    half_a_day: Emulator, program: Program, every_store: Peer
) -> None:
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


def test_a_gateway_s_404_fails_its_window(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.faults.add("html_page", hour=at(5), status=404)

    landed = program.land(folder, *HOURS, request_time_range=1)
    missing = program.missing(folder, *HOURS)
    half_a_day.faults.clear()
    program.land(folder, *HOURS, "--only-missing", request_time_range=1)

    assert (landed.exit_code, missing.exit_code) == (1, 1)
    assert states_of(stored(folder))["05"] == "done"
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_an_archive_without_a_file_of_its_hour_leaves_the_hour_missing(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    half_a_day.clock.advance(timedelta(days=3))
    half_a_day.faults.add("empty_archive", hour=at(5))

    landed = program.land(folder, *HOURS, request_time_range=1)
    before = states_of(stored(folder))
    missing = program.missing(folder, *HOURS)
    half_a_day.faults.clear()
    program.land(folder, *HOURS, "--only-missing", request_time_range=1)

    assert (landed.exit_code, missing.exit_code) == (0, 1)
    assert "3 hours open" in landed.summary  # two had no files in Amplitude's words
    assert "05" not in before
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_a_member_whose_gzip_is_broken_fails_its_hour_alone_and_is_landed_once_it_is_mended(
    half_a_day: Emulator, program: Program, every_store: Peer
) -> None:
    member = half_a_day.store.members(at(6), at(7))[-1]
    whole = half_a_day.store.read(member.name) or b""
    half_a_day.store.put_gzip(at(6), member.name.partition, whole[:-20])

    failed = program.land(every_store)
    missing = program.missing(every_store)
    left = objects_of(stored(every_store))
    half_a_day.store.put_gzip(at(6), member.name.partition, whole)
    healed = program.land(every_store, *HOURS, "--only-missing")

    assert failed.exit_code == 1
    assert f"The member {member.name} cannot be unpacked" in failed.problem
    assert missing.hours == {"2026-03-04T06": "failed"}
    assert object_path(member) not in left
    assert left.items() <= oracle(half_a_day.store).items()
    assert (healed.exit_code, program.missing(every_store).exit_code) == (0, 0)
    assert objects_of(stored(every_store)) == oracle(half_a_day.store)


def test_a_broken_archive_that_comes_whole_at_the_second_time_is_landed(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    for name in ("broken_member", "flipped_byte", "clipped_archive", "cut_body", "html_instead_of_zip"):
        half_a_day.faults.add(name, times=1)

    landed = program.land(folder, request_time_range=2)

    assert landed.exit_code == 0, landed.stderr
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{}", "is no manifest (KeyError: 'version')."),
        (b"[]", "is no manifest (TypeError: list indices must be integers or slices, not str)."),
        (b'{"version": 2}', "has version 2; this program reads version 1."),
    ],
)
@pytest.mark.usefixtures("half_a_day")
def test_a_manifest_that_cannot_be_read_is_named_and_nothing_is_written_until_it_is_gone(
    program: Program, folder: Peer, body: bytes, said: str
) -> None:
    program.land(folder)
    obstore.put(folder.store(), MANIFEST, body)
    before = stored(folder)

    landed, missing = program.land(folder), program.missing(folder)
    left = stored(folder)
    obstore.delete(folder.store(), MANIFEST)
    mended = program.land(folder)

    advice = InvalidManifestError.next_step
    assert [(each.exit_code, each.problem) for each in (landed, missing)] == [(1, f"{MANIFEST} {said} {advice}")] * 2
    assert left == before
    assert (mended.exit_code, program.missing(folder).exit_code) == (0, 0)


def test_an_empty_manifest_as_a_loss_of_power_leaves_it_is_none(
    half_a_day: Emulator, program: Program, every_store: Peer
) -> None:
    program.land(every_store)
    before = stored(every_store)
    obstore.put(every_store.store(), MANIFEST, b"")

    missing, landed = program.missing(every_store), program.land(every_store, "--start", "2026-03-04", "--only-missing")

    assert (missing.exit_code, list(missing.hours.values())) == (1, ["missing"])
    assert landed.exit_code == 0
    assert objects_of(stored(every_store)) == objects_of(before) == oracle(half_a_day.store)
    assert program.missing(every_store).exit_code == 0


def test_files_of_others_in_the_place_are_left_alone(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
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


def test_without_hours_named_everything_since_the_first_landed_hour_is_looked_at(
    half_a_day: Emulator, program: Program, folder: Peer
) -> None:
    half_a_day.store.add_member(datetime(2026, 3, 2, 22, tzinfo=timezone.utc), [{"uuid": "first"}])
    program.land(folder, "--start", "2026-03-02T22", "--end", "2026-03-02T23")
    program.land(folder, "--start", "2026-03-03T00")

    missing = program.run("missing", folder)

    assert (missing.exit_code, missing.hours) == (1, {"2026-03-02T23": "missing"})
    assert missing.stderr.startswith("1 of 36 hours, 2026-03-02 22:00 to 2026-03-04 10:00 UTC, in ")


def test_a_store_without_anything_misses_everything_and_a_folder_that_is_not_there_is_named(
    program: Program, s3: Peer, folder: Peer
) -> None:
    store, nowhere = program.missing(s3), program.missing(folder)

    assert (store.exit_code, set(store.hours.values()), len(store.hours)) == (1, {"missing"}, 10)
    assert (nowhere.exit_code, nowhere.stdout) == (1, "")
    assert nowhere.problem.startswith(f"The folder {folder.url} is not there.")
