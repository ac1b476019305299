"""Batch queries on two threads."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from integration_tests.spark.conftest import FIRST, NOON, PUSHDOWN
from source_amplitude.encoding.column_types import OTHER, ColumnType, column_types

if TYPE_CHECKING:
    from integration_tests.spark.desk import Desk

pytestmark = [pytest.mark.spark, pytest.mark.timeout(300)]


def asked(desk: Desk) -> list[tuple[str, str]]:
    """Return the first and last hour of every export since the requests were cleared, without the check of the keys."""
    windows = [(seen.query["start"], seen.query["end"]) for seen in desk.emulator.requests]
    return sorted(window for window in windows if not window[0].startswith("2014"))


def test_a_table_has_the_records_of_read(desk: Desk) -> None:
    desk.load().write.parquet(str(desk.table))

    records = desk.written()
    assert records == desk.read()
    assert len(records) == len(desk.emulator.store.lines(FIRST, FIRST + timedelta(days=1)))


def test_columns_have_the_types_of_the_schema(desk: Desk) -> None:
    types = dict(desk.load().dtypes)

    of_kind = {
        ColumnType.TEXT: "string",
        ColumnType.TIME: "timestamp",
        ColumnType.INTEGER: "bigint",
        ColumnType.NUMBER: "double",
        ColumnType.BOOLEAN: "boolean",
        ColumnType.JSON: "string",
    }
    assert types == {**{name: of_kind[kind] for name, kind in column_types().items()}, OTHER: "string"}


def test_a_schema_selects_the_columns_to_read(desk: Desk) -> None:
    chosen = desk.load("server_upload_time TIMESTAMP, _other STRING, uuid STRING, event_properties VARIANT")

    rows = chosen.selectExpr("uuid", "to_json(event_properties) AS properties", "_other").collect()
    stored = {
        event["uuid"]: event["event_properties"]
        for event in desk.emulator.store.events(FIRST, FIRST + timedelta(days=1))
    }
    assert chosen.columns == ["server_upload_time", "_other", "uuid", "event_properties"]
    assert {row.uuid: json.loads(row.properties) for row in rows} == stored


def test_nested_values_are_variants_on_request(desk: Desk) -> None:
    rows = desk.load(properties="variant").selectExpr("uuid", "user_properties", "data").collect()

    stored = {event["uuid"]: event for event in desk.emulator.store.events(FIRST, FIRST + timedelta(days=1))}
    assert {row.uuid: json.loads(row.data.toJson()) for row in rows} == {
        uuid: event["data"] for uuid, event in stored.items()
    }
    assert len(rows) == len(stored)


@pytest.mark.parametrize("is_on", [True, False])
def test_bounds_on_the_upload_time_request_fewer_windows(desk: Desk, *, is_on: bool) -> None:
    query = desk.load().where(
        "server_upload_time >= '2026-03-03T09:30:00Z' AND server_upload_time < '2026-03-03T12:00:00Z' AND app > 0"
    )
    desk.spark.conf.set(PUSHDOWN, str(is_on).lower())

    rows = query.collect()

    first, end = datetime(2026, 3, 3, 9, 30), datetime(2026, 3, 3, 12)  # noqa: DTZ001 - Spark's rows have no zone
    uploaded = [datetime.fromisoformat(str(event["server_upload_time"])) for event in desk.emulator.store.events()]
    assert len(rows) == sum(first <= moment < end for moment in uploaded)
    assert asked(desk) == (
        [("20260303T09", "20260303T11")]
        if is_on
        else [(f"20260303T{h:02}", f"20260303T{h + 3:02}") for h in range(0, 24, 4)]
    )


def test_a_filter_that_excludes_every_hour_sends_no_request(desk: Desk) -> None:
    assert desk.load().where("server_upload_time > '2027-01-01T00:00:00Z'").count() == 0
    assert asked(desk) == []


@pytest.mark.parametrize("num_workers", [1, 3])
def test_num_workers_limits_the_tasks(desk: Desk, num_workers: int) -> None:
    query = desk.load(num_workers=num_workers, request_time_range=1)

    assert query.rdd.getNumPartitions() == num_workers
    assert query.count() == len(desk.emulator.store.lines(FIRST, FIRST + timedelta(days=1)))
    assert asked(desk) == [(f"20260303T{hour:02}", f"20260303T{hour:02}") for hour in range(24)]


def test_without_an_end_everything_published_is_read(desk: Desk) -> None:
    count = desk.load(end_date=None).count()

    assert count == len(desk.emulator.store.lines(FIRST, NOON - timedelta(hours=2)))


def test_a_table_is_empty_before_the_first_publication(desk: Desk) -> None:
    assert desk.load(start_date="2026-03-04T11:00:00Z", end_date=None).count() == 0


def test_days_before_hour_files_are_read_by_day(desk: Desk) -> None:
    day = datetime(2014, 3, 3, tzinfo=timezone.utc)
    desk.emulator.store.add_member(day, [b'{"uuid":"old","server_upload_time":"2014-03-03 07:00:00.000000"}'])

    query = desk.load("uuid STRING", start_date="2014-03-02T00:00:00Z", end_date="2014-03-05T00:00:00Z")

    assert [row.uuid for row in query.collect()] == ["old"]


def test_the_session_also_masks_the_api_key(desk: Desk) -> None:
    from integration_tests.spark.quick_amplitude import QuickAmplitude  # noqa: PLC0415 - PySpark is in .venv-spark
    from source_amplitude.spark import register  # noqa: PLC0415 - as above

    register(desk.spark, QuickAmplitude)  # as the session did when it began

    assert desk.spark.conf.get("spark.sql.redaction.options.regex") == "(?i)url|(?i)api_key"


def test_accepted_gaps_are_left_out(desk: Desk) -> None:
    desk.load(accepted_gaps="2026-03-03T05/2026-03-03T07").write.parquet(str(desk.table))

    left_out = len(desk.emulator.store.lines(FIRST + timedelta(hours=5), FIRST + timedelta(hours=7)))
    stored = len(desk.emulator.store.lines(FIRST, FIRST + timedelta(days=1)))
    assert len(desk.written()) == stored - left_out
