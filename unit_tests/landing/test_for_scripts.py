"""The output of `land`, `missing` and `report` for scripts: ``--quiet``, ``--json`` and runs without work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from unit_tests.landing.program import DAY, HOURS, at, manifests_of, stored

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Ended, Program
    from unit_tests.peers.peer import Peer

FIVE = ("--start", "2026-03-04T05", "--end", "2026-03-04T06")


def one_object(ended: Ended) -> dict[str, Any]:
    assert ended.stdout.count("\n") == 1
    loaded: dict[str, Any] = json.loads(ended.stdout)
    return loaded


@pytest.mark.usefixtures("half_a_day")
def test_run_without_work_is_reported_as_up_to_date(program: Program, every_store: Peer) -> None:
    program.land(every_store)

    again = program.land(every_store, *HOURS, "--only-missing")

    said = "Up to date: 8 hours, 320 events; 2 not published yet.\n"
    assert (again.exit_code, again.stdout, again.stderr) == (0, said, "")


@pytest.mark.usefixtures("half_a_day")
def test_quiet_prints_nothing_without_a_problem(program: Program, folder: Peer, tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    ended = [
        program.land(folder, *HOURS, "--quiet"),
        program.land(folder, *HOURS, "--only-missing", "--quiet"),
        program.missing(folder, *HOURS, "--quiet"),
        program.run("report", folder, "--out", str(page), "--quiet"),
    ]

    assert [(each.exit_code, each.stdout, each.stderr) for each in ended] == [(0, "", "")] * 4
    assert page.exists()


def test_quiet_prints_problems(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    half_a_day.faults.add("server_error", hour=at(6))

    landed = program.land(folder, *HOURS, "--quiet", request_time_range=1)
    missing = program.missing(folder, *HOURS, "--quiet")

    assert (landed.exit_code, landed.stdout) == (1, "")
    assert landed.problem.startswith("1 window of the export could not be read.")
    assert (missing.exit_code, missing.hours) == (1, {"2026-03-04T06": "failed"})


@pytest.mark.usefixtures("half_a_day")
def test_land_prints_its_result_as_json(program: Program, folder: Peer) -> None:
    landed = program.land(folder, *HOURS, "--json")
    again = program.land(folder, *HOURS, "--only-missing", "--json")

    first, second = one_object(landed), one_object(again)
    objects = [each for manifest in manifests_of(stored(folder)).values() for each in manifest["objects"]]
    assert {name: value for name, value in first.items() if name != "seconds"} == {
        "destination": folder.url,
        "start": "2026-03-04T00",
        "end": "2026-03-04T10",
        "complete": True,
        "up_to_date": False,
        "objects_written": len(objects),
        "objects_replaced": 0,
        "objects_unchanged": 0,
        "bytes_written": sum(each["bytes"] for each in objects),
        "hours_done": 8,
        "events": 320,
        "hours_empty": 0,
        "hours_open": 2,
        "hours_failed": 0,
        "malformed_lines": 0,
        "known_hours": 8,
        "known_events": 320,
    }
    assert [second[name] for name in ("up_to_date", "hours_done", "known_hours")] == [True, 0, 8]


@pytest.mark.usefixtures("half_a_day")
def test_missing_prints_its_spans_as_json(program: Program, folder: Peer) -> None:
    program.land(folder, *FIVE)

    missing = program.missing(folder, *HOURS, "--json")

    reason = {"condition": "missing", "reason": "never landed"}
    assert (missing.exit_code, missing.stderr) == (1, "")
    assert one_object(missing) == {
        "destination": folder.url,
        "start": "2026-03-04T00",
        "end": "2026-03-04T10",
        "hours": 10,
        "is_landed": True,
        "missing_hours": 9,
        "missing": [
            {"start": "2026-03-04T00", "end": "2026-03-04T05", "hours": 5, **reason},
            {"start": "2026-03-04T06", "end": "2026-03-04T10", "hours": 4, **reason},
        ],
        "command": f"source-amplitude land --config config.json --to {folder.url} --start 2026-03-04T00 "
        "--end 2026-03-04T10 --only-missing",
    }


@pytest.mark.usefixtures("half_a_day")
def test_report_prints_its_hours_as_json(program: Program, folder: Peer) -> None:
    program.land(folder)
    manifest = manifests_of(stored(folder))["2026-03-04T05"]

    report = one_object(program.run("report", folder, "--start", DAY, "--json"))

    hours = report.pop("hours")
    assert report == {
        "destination": folder.url,
        "start": "2026-03-04T00",
        "end": "2026-03-04T10",
        "is_landed": True,
        "events": 320,
        "bytes": sum(each["bytes"] for each in manifests_of(stored(folder)).values()),
        "conditions": {"done": 8, "open": 2},
        "command": None,
    }
    assert [each["start"] for each in hours] == [f"2026-03-04T{hour:02}" for hour in range(10)]
    assert hours[5] == {
        "start": "2026-03-04T05",
        "hours": 1,
        "condition": "done",
        "events": 40,
        "bytes": manifest["bytes"],
        "objects": len(manifest["objects"]),
        "reason": "",
    }


def test_long_gap_is_one_line(program: Program, s3: Peer) -> None:
    missing = program.missing(s3, "--start", "2020-01-01")

    assert missing.exit_code == 1
    assert missing.stdout == "2020-01-01T00\t2026-03-04T10\t54106\tmissing\tnever landed\n"


def test_report_says_that_nothing_has_been_landed(program: Program, s3: Peer) -> None:
    report = program.run("report", s3)

    assert report.exit_code == 0
    assert report.stdout.startswith(f"Nothing has been landed in {s3.url}.\n")


@pytest.mark.parametrize(("fields", "exit_code"), [({"recheck_hours": "x"}, 3), ({}, 3), (None, 2)])
def test_missing_with_an_invalid_configuration(
    program: Program, folder: Peer, fields: dict[str, object] | None, exit_code: int
) -> None:
    config = "absent.json" if fields is None else program.config(**(fields or {"api_key": None}))

    missing = program.missing(folder, *HOURS, "--config", config)

    assert (missing.exit_code, missing.stdout) == (exit_code, "")
    assert missing.problem.startswith("The configuration has 1 problem: ")
