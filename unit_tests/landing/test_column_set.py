"""The column types of Parquet destinations: new ones, and those begun by earlier versions."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from source_amplitude.landing.layout import PLACE_PATH
from unit_tests.landing.program import HOURS, objects_of, place_of, stored

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import Peer

FIVE = ("--start", "2026-03-04T05", "--end", "2026-03-04T06", "--format", "parquet")
MARKER = {"version": 1, "format": "parquet", "project": "100200"}
JSON_TYPE = pa.json_() if hasattr(pa, "json_") else pa.string()


def types_in(peer: Peer) -> set[tuple[pa.DataType, ...]]:
    """Return the types of some columns of each file."""
    schemas = [pq.read_schema(io.BytesIO(body)) for body in objects_of(stored(peer)).values()]
    names = ("session_id", "amplitude_id", "event_properties", "_other", "uuid")
    return {tuple(schema.field(name).type for name in names) for schema in schemas}


FIRST = (pa.float64(), pa.int64(), pa.string(), pa.string(), pa.string())
SECOND = (pa.int64(), pa.int64(), JSON_TYPE, JSON_TYPE, pa.string())


def test_new_destination_has_whole_sessions_and_json(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    program.land(folder, *FIVE)
    program.land(folder, *HOURS)

    content = stored(folder)
    tables = [pq.read_table(io.BytesIO(body)) for body in objects_of(content).values()]
    sessions = [value for table in tables for value in table["session_id"].to_pylist()]
    assert (types_in(folder), place_of(content)) == ({SECOND}, {**MARKER, "types": 2})
    assert sorted(sessions) == sorted(int(str(event["session_id"])) for event in half_a_day.store.events())


@pytest.mark.usefixtures("half_a_day")
def test_destination_with_an_older_marker_keeps_its_types(program: Program, folder: Peer) -> None:
    obstore.put(folder.store(), PLACE_PATH, json.dumps(MARKER).encode())

    program.land(folder, *FIVE)
    program.land(folder, *HOURS)

    assert (types_in(folder), place_of(stored(folder))) == ({FIRST}, MARKER)


@pytest.mark.usefixtures("half_a_day")
def test_destination_without_marker_keeps_its_types(program: Program, folder: Peer) -> None:
    obstore.put(folder.store(), PLACE_PATH, json.dumps(MARKER).encode())
    program.land(folder, *FIVE)
    obstore.delete(folder.store(), PLACE_PATH)  # as an earlier version leaves it

    program.land(folder, *HOURS)

    assert (types_in(folder), place_of(stored(folder))) == ({FIRST}, MARKER)


@pytest.mark.usefixtures("half_a_day")
@pytest.mark.parametrize("types", [3, "2", True])
def test_types_of_a_later_version_are_refused(program: Program, folder: Peer, types: object) -> None:
    obstore.put(folder.store(), PLACE_PATH, json.dumps({**MARKER, "types": types}).encode())

    landed = program.land(folder, *FIVE)

    assert (landed.exit_code, objects_of(stored(folder))) == (1, {})
    assert landed.problem.startswith(f"The marker of the destination names the column types {types!r}. No object ")
