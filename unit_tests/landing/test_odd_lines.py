"""Lines and values that strict readers refuse, landed in each format that contains records."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from unit_tests.fakes.odd_lines import AT, LINES, RECORDS, REPAIRED, WARNINGS
from unit_tests.landing.formats.rendering import record_of
from unit_tests.landing.program import objects_of, stored

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import Peer

Reader = Callable[["Peer"], list[dict[str, Any]]]

SPAN = ("--start", "2026-03-04T06", "--end", "2026-03-04T07")
HOUR = "2026-03-04 06:00 UTC"
OBJECT = "100200_2026-03-04_06_0.json.gz"
IN_OTHER = (
    "Values that do not fit the type of their column are in the column _other: app (1), paying (1), "
    "user_creation_time (1)."
)


def in_jsonl(folder: Peer) -> list[dict[str, Any]]:
    (body,) = objects_of(stored(folder)).values()
    return [orjson.loads(line) for line in gzip.decompress(body).splitlines()]


def in_parquet(folder: Peer) -> list[dict[str, Any]]:
    (body,) = objects_of(stored(folder)).values()
    return [*map(record_of, parquet.read_table(pa.BufferReader(body)).to_pylist())]


def in_array(folder: Peer) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = orjson.loads((Path(folder.url) / "json" / "date=2026-03-04.json").read_bytes())
    return records


@pytest.mark.parametrize(
    ("format_", "records_in", "source", "more"),
    [("jsonl", in_jsonl, HOUR, ()), ("parquet", in_parquet, HOUR, (IN_OTHER,)), ("json", in_array, "json/", ())],
)
def test_odd_lines_are_landed_as_read_emits_them(
    emulator: Emulator,
    program: Program,
    folder: Peer,
    format_: str,
    records_in: Reader,
    source: str,
    more: tuple[str, ...],
) -> None:
    emulator.store.put_content(AT, 0, b"\n".join(LINES) + b"\n")

    landed = program.land(folder, *SPAN, "--format", format_)

    repaired = REPAIRED.replace(f"{HOUR}, member 100200/100200_2026-03-04_6#0.json.gz", OBJECT)
    warnings = [repaired if format_ == "json" else REPAIRED, *WARNINGS, *more]
    assert landed.exit_code == 0, landed.stderr
    assert records_in(folder) == RECORDS
    assert landed.warnings == [f"{source}: {text}" for text in warnings]
    assert ("4 lines repaired" in landed.summary) == (format_ != "json")
