"""Streaming queries on two threads."""

from __future__ import annotations

import json
import shutil
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from integration_tests.spark.conftest import FIRST, NOON, fill

if TYPE_CHECKING:
    from pyspark.sql.streaming.query import StreamingQuery

    from integration_tests.spark.desk import Desk

pytestmark = [pytest.mark.spark, pytest.mark.timeout(300)]

EVERY_WAY = pytest.mark.parametrize("late_files", ["ignore", "executors", "driver"])
WITH_LATE_FILES = pytest.mark.parametrize("late_files", ["executors", "driver"])


def planned(desk: Desk) -> list[str]:
    """Return the numbers of the batches in the checkpoint, in order."""
    return sorted((path.name for path in (desk.checkpoint / "offsets").glob("[0-9]*")), key=int)


def forget_the_last_batch(desk: Desk) -> None:
    """Restore the checkpoint and the sink of a driver that was killed after planning a batch and before writing it."""
    last = planned(desk)[-1]
    log = desk.table / "_spark_metadata" / last
    for line in log.read_text(encoding="utf-8").splitlines()[1:]:
        (desk.table / json.loads(line)["path"].rsplit("/", 1)[1]).unlink()
    for path in (log, desk.checkpoint / "commits" / last):
        path.unlink()
        path.with_name(f".{last}.crc").unlink(missing_ok=True)


def advance(desk: Desk, hours: int) -> None:
    desk.emulator.clock.advance(timedelta(hours=hours))


def late(uuid: str, hour: int) -> dict[str, str]:
    moment = FIRST + timedelta(hours=hour)
    return {"uuid": uuid, "server_upload_time": f"{moment:%Y-%m-%d %H:%M:%S.%f}"}


@EVERY_WAY
def test_a_stream_of_limited_batches_has_the_records_of_read(desk: Desk, late_files: str) -> None:
    desk.stream(late_files=late_files, windows_per_batch=2)

    assert desk.written() == desk.read()
    assert planned(desk) == ["0", "1", "2"]


@EVERY_WAY
def test_a_restarted_query_continues(desk: Desk, late_files: str) -> None:
    desk.options = {"start_date": desk.options["start_date"]}
    for _ in range(3):
        desk.stream(late_files=late_files)
        advance(desk, 5)
        fill(desk.emulator, *hours_of(desk))
    advance(desk, 30)
    desk.emulator.store.append_lines(NOON + timedelta(days=2, hours=1), 1, [late("newest", 61)])
    desk.stream(late_files=late_files)

    assert desk.written() == desk.read(end=None)


def hours_of(desk: Desk) -> tuple[int, int]:
    """Return the next hours to fill; they are not published yet."""
    stored = max(member.name.hour for member in desk.emulator.store.members())
    first = (stored - FIRST) // timedelta(hours=1) + 1
    return first, first + 5


@EVERY_WAY
def test_a_query_waits_for_late_hours(desk: Desk, late_files: str) -> None:
    desk.options = {"start_date": desk.options["start_date"], "end_date": "2026-03-04T06:00:00Z"}
    for hour in (20, 26, 27):
        desk.emulator.store.publish_at(FIRST + timedelta(hours=hour), NOON + timedelta(hours=4))
    desk.stream(late_files=late_files)
    before = desk.written()
    advance(desk, 6)
    desk.stream(late_files=late_files)

    assert len(before) < len(desk.written())
    assert desk.written() == desk.read(end="2026-03-04T06:00:00Z")


@WITH_LATE_FILES
def test_late_files_are_read_once_on_request(desk: Desk, late_files: str) -> None:
    desk.stream(late_files=late_files)
    desk.emulator.store.append_lines(FIRST + timedelta(hours=20), 1, [late("a grown file", 20)])
    desk.emulator.store.add_member(FIRST + timedelta(hours=21), [late("a new file", 21)])
    for _ in range(3):
        advance(desk, 12)
        desk.stream(late_files=late_files)

    assert desk.written() == desk.read()


def test_late_files_are_ignored_by_default(desk: Desk) -> None:
    desk.stream()
    before = desk.written()
    desk.emulator.store.append_lines(FIRST + timedelta(hours=20), 1, [late("a grown file", 20)])
    advance(desk, 30)
    desk.stream()

    assert desk.written() == before


@WITH_LATE_FILES
def test_a_batch_repeated_after_a_restart_has_the_same_rows(desk: Desk, late_files: str) -> None:
    desk.stream(late_files=late_files)
    before = desk.written()
    forget_the_last_batch(desk)
    desk.emulator.store.append_lines(FIRST + timedelta(hours=20), 1, [late("a grown file", 20)])
    desk.emulator.store.add_member(FIRST + timedelta(hours=21), [late("a new file", 21)])
    desk.stream(late_files=late_files)
    repeated = desk.written()
    advance(desk, 36)
    desk.stream(late_files=late_files)

    assert repeated == before
    assert desk.written() == desk.read()


def test_a_repeated_batch_of_probed_hours_reads_current_files(desk: Desk) -> None:
    desk.stream()
    forget_the_last_batch(desk)
    desk.emulator.store.append_lines(FIRST + timedelta(hours=20), 1, [late("a grown file", 20)])
    desk.stream()

    assert desk.written() == desk.read()


@EVERY_WAY
def test_without_its_checkpoint_a_query_starts_again(desk: Desk, late_files: str) -> None:
    desk.stream(late_files=late_files)
    shutil.rmtree(desk.checkpoint)
    shutil.rmtree(desk.table)
    desk.stream(late_files=late_files)

    assert desk.written() == desk.read()


@EVERY_WAY
def test_a_continuous_query_reads_hours_after_publication(desk: Desk, late_files: str) -> None:
    desk.options = {"start_date": desk.options["start_date"], "poll_seconds": "1"}
    query = (
        desk.spark.readStream.format("amplitude")
        .options(**desk.given(late_files=late_files))
        .load()
        .writeStream.format("parquet")
        .option("checkpointLocation", str(desk.checkpoint))
        .start(str(desk.table))
    )
    try:
        wait_for_records(desk, query)
        advance(desk, 2)
        wait_for_records(desk, query)
        asked = len(key_checks(desk))
        time.sleep(5)  # noqa: TID251 - Spark's own clock drives the query
        polls = len(key_checks(desk)) - asked
    finally:
        query.stop()

    assert desk.written() == desk.read(end=None)
    assert 1 <= polls <= 6


def key_checks(desk: Desk) -> list[str]:
    """Return the checks of the keys; each poll begins with one."""
    return [seen.query["start"] for seen in desk.emulator.requests if seen.query["start"].startswith("2014")]


def wait_for_records(desk: Desk, query: StreamingQuery, seconds: float = 60) -> None:
    """Wait until the table has all published records."""
    published = len(desk.read(end=None))
    deadline = time.monotonic() + seconds
    while not (desk.table / "_spark_metadata" / "0").exists() or len(desk.written()) < published:
        assert query.isActive, query.exception()
        assert time.monotonic() < deadline
        time.sleep(0.5)  # noqa: TID251 - as above
