"""``land`` without ``--format`` uses the format of the destination."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import obstore
import pytest

from source_amplitude.landing.formats import FORMAT_NAMES
from source_amplitude.landing.layout import PLACE_PATH
from unit_tests.landing.program import HOURS, objects_of, oracle, place_of, stored

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import Peer

ONE_HOUR = ("--start", "2026-03-04T05", "--end", "2026-03-04T06")
SUFFIXES = {"raw": "json.gz", "json": "json.gz", "jsonl": "jsonl.gz", "parquet": "parquet"}


def suffixes(peer: Peer) -> set[str]:
    return {path.rpartition("/")[2].partition(".")[2] for path in objects_of(stored(peer))}


@pytest.mark.usefixtures("half_a_day")
@pytest.mark.parametrize("has_marker", [True, False], ids=["marker", "no marker"])
@pytest.mark.parametrize("format_", FORMAT_NAMES)
def test_later_runs_need_no_format(program: Program, folder: Peer, format_: str, *, has_marker: bool) -> None:
    program.land(folder, *ONE_HOUR, "--format", format_)
    if not has_marker:  # as an earlier version leaves it
        obstore.delete(folder.store(), PLACE_PATH)

    again = program.land(folder, *HOURS)

    content = stored(folder)
    hours = {path.rpartition("/")[0] for path in objects_of(content)}
    assert (again.exit_code, len(hours), suffixes(folder)) == (0, 8, {SUFFIXES[format_]})
    types = {"types": 2} if format_ == "parquet" and has_marker else {}
    assert place_of(content) == {"version": 1, "format": format_, "project": "100200", **types}
    if format_ == "json":
        assert len(json.loads(content["json/date=2026-03-04.json"])) == 320


def test_new_destination_is_raw(half_a_day: Emulator, program: Program, every_store: Peer) -> None:
    program.land(every_store)

    content = stored(every_store)
    assert objects_of(content) == oracle(half_a_day.store)
    assert place_of(content) == {"version": 1, "format": "raw", "project": "100200"}


@pytest.mark.usefixtures("half_a_day")
def test_format_of_a_lone_marker_is_used(program: Program, folder: Peer) -> None:
    marker = {"version": 1, "format": "jsonl", "project": None}
    obstore.put(folder.store(), PLACE_PATH, json.dumps(marker).encode())

    landed = program.land(folder, *ONE_HOUR)

    assert (landed.exit_code, suffixes(folder)) == (0, {"jsonl.gz"})


@pytest.mark.usefixtures("half_a_day")
def test_format_that_disagrees_is_refused(program: Program, folder: Peer) -> None:
    program.land(folder, *ONE_HOUR, "--format", "jsonl")
    before = stored(folder)

    landed = program.land(folder, *HOURS, "--format", "raw")

    assert (landed.exit_code, stored(folder)) == (1, before)
    assert landed.problem == f"{folder.url} already contains jsonl files. Use --format jsonl, or another folder."


@pytest.mark.usefixtures("half_a_day")
def test_format_of_a_later_version_is_refused(program: Program, folder: Peer) -> None:
    body = json.dumps({"version": 1, "format": "avro", "project": None}).encode()
    obstore.put(folder.store(), PLACE_PATH, body)

    landed = program.land(folder)

    assert (landed.exit_code, stored(folder)) == (1, {PLACE_PATH: body})
    assert landed.problem == (
        f"{folder.url} is used for avro files, which this version cannot write. No object was written. "
        "Install the version that began this destination, or use another --to."
    )
