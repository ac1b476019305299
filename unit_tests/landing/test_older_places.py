"""Folders landed by commit e2beff4: missing hours are found and landed, and nothing else is written."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import pyarrow.parquet as pq
import pytest

from unit_tests.landing.program import manifests_of, place_of, stored
from unit_tests.older_versions import (
    COMPLETED_LATER,
    E2BEFF4,
    amplitude_as_it_was,
    at,
    complete_the_half_line,
    late_event,
    uuids_in,
)
from unit_tests.peers.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Ended, Program

FORMATS = ["raw", "jsonl", "parquet", "json"]
SPAN = ("--start", "2026-03-03T06", "--end", "2026-03-03T15")
ARRAY = "json/date=2026-03-03.json"
PLACE = "_manifest/place.json"
LANDED_SECONDS, ARRAY_SECONDS = 1_772_625_600, 1_772_625_660


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with amplitude_as_it_was(tmp_path / "amplitude") as emulator:
        yield emulator


@pytest.fixture(params=FORMATS)
def format_(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def destination(format_: str, tmp_path: Path) -> Peer:
    """A copy of the folder; as after `land`, the array of the day is newer than the objects."""
    folder = Path(shutil.copytree(E2BEFF4 / "places" / format_, tmp_path / "landed"))
    for path in files_in(folder):
        seconds = ARRAY_SECONDS if path.match(ARRAY) else LANDED_SECONDS
        os.utime(path, (seconds, seconds))
    return Peer(str(folder))


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]


def land(program: Program, destination: Peer, format_: str, *options: str) -> Ended:
    return program.land(
        destination, *SPAN, "--format", format_, *options, start_date="2026-03-03T06:00:00Z", malformed_lines="skip"
    )


def snapshot(destination: Peer) -> dict[str, tuple[bytes, int]]:
    """Return each file's content and modification time."""
    root = Path(destination.url)
    return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files_in(root)}


def written(destination: Peer, before: dict[str, tuple[bytes, int]]) -> list[str]:
    """Return the files that were added, changed or deleted since ``before``."""
    after = snapshot(destination)
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def landed_uuids(destination: Peer) -> list[str]:
    """Return the sorted uuids of the events in all objects, in any format."""
    found: list[str] = []
    for path, body in stored(destination).items():
        if path.startswith("events/") and path.endswith(".parquet"):
            found += pq.read_table(io.BytesIO(body), columns=["uuid"])["uuid"].to_pylist()
        elif path.startswith("events/"):
            found += uuids_in(gzip.decompress(body).splitlines())
    return sorted(found)


def uuids_at_amplitude(emulator: Emulator) -> list[str]:
    return uuids_in(emulator.store.lines(at(3, 6), at(3, 15)))


def hour_of(path: str) -> str:
    return path.partition("hour=")[2][:2]


def test_missing_finds_exactly_the_missing_hours(program: Program, destination: Peer) -> None:
    before = snapshot(destination)

    usual, strict = program.missing(destination, *SPAN), program.missing(destination, *SPAN, "--strict")

    missing = {"2026-03-03T09": "short", "2026-03-03T11": "failed", "2026-03-03T13": "missing"}
    assert (usual.exit_code, usual.hours) == (1, missing)
    assert (strict.exit_code, strict.hours) == (1, {**missing, "2026-03-03T10": "open"})
    assert written(destination, before) == []


def test_only_missing_writes_only_the_missing_hours(
    emulator: Emulator, program: Program, destination: Peer, format_: str
) -> None:
    before = snapshot(destination)

    landed = land(program, destination, format_, "--only-missing")
    missing = program.missing(destination, *SPAN)

    changed = written(destination, before)
    assert (landed.exit_code, missing.exit_code, missing.hours) == (0, 0, {})
    assert {hour_of(path) for path in changed if path not in (ARRAY, PLACE)} == {"09", "11", "13"}
    assert [path for path in changed if path == ARRAY] == [ARRAY] * (format_ == "json")
    assert landed_uuids(destination) == uuids_at_amplitude(emulator)
    assert place_of(stored(destination)) == {"version": 1, "format": format_, "project": "100200"}
    assert {hour[-2:]: manifest["state"] for hour, manifest in manifests_of(stored(destination)).items()} == {
        **dict.fromkeys(("06", "08", "09", "11", "12", "13", "14"), "done"),
        "07": "empty",
        "10": "open",
    }


def test_full_landing_rewrites_no_unchanged_object(
    emulator: Emulator, program: Program, destination: Peer, format_: str
) -> None:
    before = snapshot(destination)

    first = land(program, destination, format_)
    changed = written(destination, before)
    between = snapshot(destination)
    second = land(program, destination, format_)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert {hour_of(path) for path in changed if path not in (ARRAY, PLACE)} == {"09", "11", "13"}
    assert written(destination, between) == []
    assert second.summary.startswith("nothing new (")
    assert landed_uuids(destination) == uuids_at_amplitude(emulator)


def test_late_files_replace_only_their_own_objects(
    emulator: Emulator, program: Program, destination: Peer, format_: str
) -> None:
    land(program, destination, format_, "--only-missing")
    before = snapshot(destination)
    emulator.store.append_lines(at(3, 14), 0, [late_event("late-grown")])
    complete_the_half_line(emulator)
    program.pass_time(hours=6)

    late = land(program, destination, format_, "--only-missing")

    objects = [path for path in written(destination, before) if path.startswith("events/")]
    assert late.exit_code == 0
    assert [path.rpartition("/")[2].partition(".")[0] for path in objects] == [
        "100200_2026-03-03_12_7",
        "100200_2026-03-03_14_0",
    ]
    assert {"late-grown", COMPLETED_LATER} <= set(landed_uuids(destination))
    assert landed_uuids(destination) == uuids_at_amplitude(emulator)
    assert program.missing(destination, *SPAN).exit_code == 0


@pytest.mark.parametrize("format_", ["json"])
def test_array_of_the_day_has_every_event_once(
    emulator: Emulator, program: Program, destination: Peer, format_: str
) -> None:
    land(program, destination, format_, "--only-missing")

    array = json.loads(bytes(obstore.get(destination.store(), ARRAY).bytes()))

    assert sorted(event["uuid"] for event in array) == uuids_at_amplitude(emulator)


def test_report_shows_the_hours(program: Program, destination: Peer) -> None:
    page = Path(destination.url).with_name("report.html")

    report = program.run("report", destination, *SPAN, "--out", str(page))

    assert (report.exit_code, report.stdout) == (0, f"{page}\n")
    assert "100200_2026-03-03_09_4" in page.read_text("utf-8")


@pytest.mark.parametrize(("format_", "other"), [("raw", "json"), ("json", "raw")])
def test_raw_and_json_go_on_in_one_folder(
    emulator: Emulator, program: Program, destination: Peer, format_: str, other: str
) -> None:
    landed = [land(program, destination, each, "--only-missing") for each in (other, format_)]

    assert [each.exit_code for each in landed] == [0, 0]
    assert landed_uuids(destination) == uuids_at_amplitude(emulator)
    assert place_of(stored(destination)) == {"version": 1, "format": "json", "project": "100200"}
    assert program.missing(destination, *SPAN).exit_code == 0


def test_marker_is_not_written_if_manifests_disagree(program: Program, destination: Peer, format_: str) -> None:
    path = Path(destination.url) / "_manifest/date=2026-03-03/hour=08.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"project": "7"}), encoding="utf-8")
    before = snapshot(destination)

    landed = land(program, destination, format_)

    assert landed.problem.startswith(f"{destination.url} contains hours of projects 100200 and 7.")
    assert written(destination, before) == []


def test_other_format_is_refused(program: Program, destination: Peer, format_: str) -> None:
    before = snapshot(destination)

    landed = land(program, destination, "parquet" if format_ == "jsonl" else "jsonl")

    assert landed.exit_code == 1
    assert written(destination, before) == []
