"""`--format json`: the raw hours of a folder, and an up-to-date array for each day."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amplitude_emulator import generate_hours
from unit_tests.conftest import NOON, fill
from unit_tests.end_to_end.connector import by_uuid, expected_record
from unit_tests.landing.program import objects_of, oracle, stored

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import Peer

MIDNIGHT = NOON.replace(hour=0)


def array_of(folder: Peer, day: str = "2026-03-04") -> Path:
    return Path(folder.url) / "json" / f"date={day}.json"


def records_in(array: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(array.read_bytes())
    return records


def expected(emulator: Emulator) -> list[dict[str, Any]]:
    return by_uuid([expected_record(line) for line in emulator.store.lines()])


def test_array_of_a_day_has_the_records_of_read(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    landed = program.land(folder, "--format", "json", "--start", "2026-03-04")

    assert landed.exit_code == 0, landed.stderr
    assert by_uuid(records_in(array_of(folder))) == expected(half_a_day)
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


def test_every_day_has_its_own_array(emulator: Emulator, program: Program, folder: Peer) -> None:
    before = MIDNIGHT - timedelta(hours=2)
    generate_hours(emulator.store, seed=9, start=before, end=MIDNIGHT + timedelta(hours=3), total_events=50)

    program.land(folder, "--format", "json", "--start", "2026-03-03")

    arrays = [records_in(array_of(folder, day)) for day in ("2026-03-03", "2026-03-04")]
    days = [{record["server_upload_time"][:10] for record in records} for records in arrays]
    assert days == [{"2026-03-03"}, {"2026-03-04"}]
    assert by_uuid([record for records in arrays for record in records]) == expected(emulator)


def test_array_is_rewritten_only_if_its_hours_changed(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    options = ("--format", "json", "--start", "2026-03-04")
    program.land(folder, *options)
    first = array_of(folder).stat()
    program.land(folder, *options)
    second = array_of(folder).stat()
    fill(half_a_day, 3, 4)
    program.land(folder, *options, "--only-missing")

    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)
    assert by_uuid(records_in(array_of(folder))) == expected(half_a_day)


def test_arrays_of_raw_hours_need_no_download(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    program.land(folder, "--start", "2026-03-04")

    again = program.land(folder, "--format", "json", "--start", "2026-03-04", "--only-missing")

    assert again.summary.startswith("Up to date: ")
    assert by_uuid(records_in(array_of(folder))) == expected(half_a_day)


def test_array_has_the_other_hours_if_a_window_fails(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.faults.add("server_error", hour=NOON.replace(hour=7))

    landed = program.land(folder, "--format", "json", "--start", "2026-03-04", request_time_range=1)

    hours = {record["server_upload_time"][11:13] for record in records_in(array_of(folder))}
    assert landed.exit_code == 1
    assert hours == {"00", "01", "02", "05", "06", "08", "09"}


@pytest.mark.parametrize(("policy", "exit_code"), [("report", 1), ("skip", 0)])
def test_array_leaves_out_and_reports_invalid_json_lines(
    half_a_day: Emulator, program: Program, folder: Peer, policy: str, exit_code: int
) -> None:
    half_a_day.store.put_content(MIDNIGHT, 9000, b'{"uuid": "cut\n{"uuid": "whole"}\n')

    landed = program.land(folder, "--format", "json", "--start", "2026-03-04", malformed_lines=policy)

    uuids = [record["uuid"] for record in records_in(array_of(folder))]
    assert (landed.exit_code, len(uuids), "whole" in uuids) == (exit_code, 321, True)
    assert landed.problem.startswith(
        "1 line is not a JSON object, in 100200_2026-03-04_00_9000.json.gz. The arrays of these days leave them out; "
    ) == bool(exit_code)


def test_arrays_need_a_folder(half_a_day: Emulator, program: Program, s3: Peer) -> None:
    landed = program.land(s3, "--format", "json", "--start", "2026-03-04")

    assert (landed.exit_code, landed.stdout, stored(s3)) == (2, "", {})
    assert "--format: json" in landed.problem
    assert len(half_a_day.store.members()) > 0
