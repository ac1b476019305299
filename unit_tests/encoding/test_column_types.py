"""Selections of columns; landing/formats/test_parquet.py tests all columns."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from source_amplitude.encoding import encode_line_by_line
from source_amplitude.encoding.column_types import OTHER, Columns, ColumnType, column_types
from source_amplitude.records import Oddity, OddityKind
from unit_tests.encoding.lines import EVENTS, ODD_LINES, WRITTEN

if TYPE_CHECKING:
    import pyarrow as pa

RECORD = {"uuid": "u", "app": "no number", "data": {"a": 1}, "new": 1}


def rows(wanted: list[str] | None) -> list[dict[str, object]]:
    columns = Columns(wanted)
    table, _ = columns.batch([columns.row(dict(RECORD))])
    return list(table.to_pylist())


def test_only_wanted_columns_are_written_in_order() -> None:
    assert rows(["data", "uuid"]) == [{"data": '{"a":1}', "uuid": "u"}]
    assert [*rows(["data", "uuid"])[0]] == ["data", "uuid"]


def test_misfits_are_kept_in_other_or_left_out() -> None:
    assert rows([OTHER, "app"]) == [{"app": None, OTHER: '{"new":1,"app":"no number"}'}]
    assert rows(["app"]) == [{"app": None}]


def test_misfits_are_counted() -> None:
    found = []
    for wanted in (None, ["app"], ["uuid"]):
        columns = Columns(wanted)
        found.append(columns.batch([columns.row(dict(RECORD))])[1].counts)

    assert found == [{Oddity(OddityKind.IN_OTHER, "app"): 1}, {Oddity(OddityKind.LEFT_OUT, "app"): 1}, {}]


def test_unwanted_columns_are_not_in_other() -> None:
    assert rows([OTHER]) == [{OTHER: '{"new":1}'}]


def test_empty_selection_has_no_columns() -> None:
    assert Columns([]).schema.names == []
    assert Columns().schema.names == [*column_types(), OTHER]


JSON_COLUMNS = {OTHER, *(name for name, kind in column_types().items() if kind is ColumnType.JSON)}


def decoded_rows(table: pa.RecordBatch) -> list[dict[str, Any]]:
    return [
        {
            name: json.loads(value, parse_float=Decimal) if name in JSON_COLUMNS and value is not None else value
            for name, value in row.items()
        }
        for row in table.to_pylist()
    ]


@pytest.mark.parametrize(
    "wanted", [None, [OTHER], ["data"], ["event_time"], ["session_id", "city", "event_properties"], ["app", OTHER]]
)
@given(lines=st.lists(EVENTS | WRITTEN | WRITTEN | ODD_LINES, max_size=8))
@example(
    lines=[b'{"session_id":1,"data":{"a":1}}', b'{"data":{"b":"\xff"},"new":1}', b"{", b'{"data":{"c":2},"new":2}']
)
@settings(deadline=None, max_examples=100)
def test_both_ways_have_the_same_rows(wanted: list[str] | None, lines: list[bytes]) -> None:
    columns, body = Columns(wanted, is_typed_strictly=True), b"\n".join(lines)

    quick, slow = columns.encode(body), encode_line_by_line(body, columns.row)

    expected, unfit = columns.batch(slow.payload)
    assert decoded_rows(quick.payload) == decoded_rows(expected)
    assert quick.payload.schema == expected.schema
    assert (quick.records, quick.lines, quick.malformed) == (slow.records, slow.lines, slow.malformed)
    assert quick.findings == slow.findings.followed_by(unfit)
