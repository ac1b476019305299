"""Selections of columns; landing/formats/test_parquet.py tests all columns."""

from __future__ import annotations

from source_amplitude.encoding.column_types import OTHER, Columns, column_types
from source_amplitude.records import Oddity, OddityKind

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
