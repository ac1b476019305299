"""Reading events through the command line: every event once, in any number of syncs."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from unit_tests.conftest import NOON, fill
from unit_tests.end_to_end.connector import PROJECT, SHARING_COMMAND, Connector, Record, Run, by_uuid, expected_record

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator, Member


def test_every_field_of_every_event_arrives_once(half_a_day: Emulator, connector: Connector) -> None:
    run = connector.read()

    assert run.exit_code == 0, run.logs
    assert run.statuses == ["STARTED", "RUNNING", "COMPLETE"]
    assert by_uuid(run.records) == by_uuid([expected_record(line) for line in half_a_day.store.lines()])


def test_records_come_by_hour_then_partition_then_line(half_a_day: Emulator, connector: Connector) -> None:
    members = sorted(half_a_day.store.members(), key=lambda member: (member.name.hour, member.name.partition))
    expected = [expected_record(line) for member in members for line in _lines_of(half_a_day, member)]

    run = connector.read()

    assert run.records == expected


def test_main_py_prints_the_same_records(half_a_day: Emulator, connector: Connector) -> None:
    ours = connector.run(*connector.reading(), program=PROJECT / "main.py")

    assert ours.exit_code == 0
    assert ours.records == connector.read().records
    assert len(ours.records) == len(half_a_day.store.lines())


def test_a_second_sync_emits_nothing(half_a_day: Emulator, connector: Connector) -> None:
    first = connector.read()
    half_a_day.clear_requests()

    second = connector.read(first.states[-1])

    assert second.exit_code == 0
    assert second.records == []
    assert second.states == [first.states[-1]]
    requested = [(seen.query.get("start"), seen.query.get("end")) for seen in half_a_day.requests]
    assert requested == [("20141113T00", "20141113T00"), ("20260304T03", "20260304T04")]


def test_the_next_sync_emits_only_new_hours(half_a_day: Emulator, connector: Connector) -> None:
    first = connector.read()
    fill(half_a_day, 10, 12)
    half_a_day.clock.advance(timedelta(hours=2))

    second = connector.read(first.states[-1])

    new = half_a_day.store.lines(NOON.replace(hour=10), NOON)
    assert by_uuid(second.records) == by_uuid([expected_record(line) for line in new])


def test_every_state_covers_exactly_the_records_before_it(half_a_day: Emulator, connector: Connector) -> None:
    run = connector.read(request_time_range=1, num_workers=1)
    everything = by_uuid([expected_record(line) for line in half_a_day.store.lines()])

    for state, before in _states_with_records_before(run):
        rest = connector.read(state).records
        assert by_uuid(before + rest) == everything


def test_states_count_their_records(half_a_day: Emulator, connector: Connector) -> None:
    run = connector.read()

    counts = [message["state"]["sourceStats"]["recordCount"] for message in run.of_type("STATE")]
    assert sum(counts) == len(half_a_day.store.lines())
    assert [count for _, count in _records_before_each_state(run)] == counts


def test_unpublished_hours_come_with_a_later_sync(half_a_day: Emulator, connector: Connector) -> None:
    half_a_day.store.publish_at(NOON.replace(hour=6), NOON + timedelta(hours=5))
    late = half_a_day.store.lines(NOON.replace(hour=6), NOON.replace(hour=7))
    first = connector.read()
    half_a_day.clock.advance(timedelta(hours=5))

    second = connector.read(first.states[-1])

    assert by_uuid(second.records) == by_uuid([expected_record(line) for line in late])
    assert len(first.records) + len(late) == len(half_a_day.store.lines())


def test_only_late_lines_and_members_are_emitted(half_a_day: Emulator, connector: Connector) -> None:
    hour = NOON.replace(hour=7)
    first = connector.read()
    old = half_a_day.store.lines()
    member = half_a_day.store.members(hour, NOON.replace(hour=8))[0]
    event = json.loads(old[0])
    half_a_day.store.append_lines(hour, member.name.partition, [event | {"uuid": "late-line"}])
    half_a_day.store.add_member(hour, [event | {"uuid": "late-member"}], partition=9999)
    half_a_day.clock.advance(timedelta(hours=3))

    second = connector.read(first.states[-1])
    third = connector.read(second.states[-1])

    assert sorted(record["uuid"] for record in second.records) == ["late-line", "late-member"]
    assert third.records == []


def test_end_date_and_start_date_do_not_overlap(half_a_day: Emulator, connector: Connector) -> None:
    early = connector.read(end_date="2026-03-04T05:30:00Z")
    late = connector.read(start_date="2026-03-04T05:30:00Z")

    assert by_uuid(early.records + late.records) == by_uuid([expected_record(x) for x in half_a_day.store.lines()])
    assert max(record["server_upload_time"][:13] for record in early.records) == "2026-03-04T02"


def test_a_full_refresh_resumes_from_its_own_state(half_a_day: Emulator, connector: Connector) -> None:
    full = connector.read(mode="full_refresh")
    resumed = connector.read(full.states[-1], mode="full_refresh", end_date="2026-03-04T03:00:00Z")

    assert by_uuid(full.records) == by_uuid([expected_record(line) for line in half_a_day.store.lines()])
    assert resumed.records == []
    assert any("Clear the stream's state" in warning for warning in resumed.warnings)


@pytest.mark.parametrize(
    ("state", "first_hour"),
    [
        pytest.param({"server_upload_time": "20260304T11"}, "2026-03-04T06", id="upstream 0.7"),
        pytest.param({"server_upload_time": "2026-03-04 11:12:13.000000"}, "2026-03-04T06", id="0.2.3 to 0.6"),
        pytest.param({"server_upload_time": "2026-03-04T11:05:08.013000+00:00"}, "2026-03-04T06", id="0.2.0"),
        pytest.param({"event_time": "2026-03-04 08:00:00.000000"}, "2026-03-04T00", id="0.1"),
    ],
)
def test_a_state_of_airbytes_connector_continues_without_a_gap(
    half_a_day: Emulator, connector: Connector, state: Record, first_hour: str
) -> None:
    run = connector.read(state)

    wanted = [expected_record(line) for line in half_a_day.store.lines()]
    assert by_uuid(run.records) == by_uuid([each for each in wanted if each["server_upload_time"] >= first_hour])


def test_several_processes_print_the_same_lines(half_a_day: Emulator, connector: Connector) -> None:
    shared = connector.run(*connector.reading(num_processes=3), program=SHARING_COMMAND)

    alone = connector.read()
    assert shared.exit_code == 0, shared.logs
    assert [record["uuid"] for record in shared.records] == [record["uuid"] for record in alone.records]
    assert by_uuid(shared.records) == by_uuid([expected_record(line) for line in half_a_day.store.lines()])
    assert shared.states[-1] == alone.states[-1]
    assert sum(m["state"]["sourceStats"]["recordCount"] for m in shared.of_type("STATE")) == len(shared.records)
    assert not shared.stderr


def test_the_cdks_launcher_prints_the_same(half_a_day: Emulator, connector: Connector, tmp_path: Path) -> None:
    assert half_a_day.store.lines()
    code = (
        "import sys\n"
        "from airbyte_cdk.entrypoint import launch\n"
        "from source_amplitude import SourceAmplitude\n"
        "launch(SourceAmplitude(), sys.argv[1:])\n"
    )
    stock = tmp_path / "stock.py"
    stock.write_text(code, encoding="utf-8")

    ordinary, ours = connector.run(*connector.reading(), program=stock), connector.read()

    assert ordinary.exit_code == ours.exit_code == 0
    assert [*map(json.loads, _lines_without_time(ordinary))] == [*map(json.loads, _lines_without_time(ours))]
    assert ordinary.states[-1] == ours.states[-1]


def _lines_of(emulator: Emulator, member: Member) -> list[bytes]:
    return gzip.decompress(emulator.store.read(member.name) or b"").removesuffix(b"\n").split(b"\n")


def _states_with_records_before(run: Run) -> list[tuple[dict[str, object], list[Record]]]:
    result, records = [], []
    for message in run.messages:
        if message["type"] == "RECORD":
            records.append(message["record"]["data"])
        elif message["type"] == "STATE":
            result.append((message["state"]["stream"]["stream_state"], list(records)))
    return result


def _records_before_each_state(run: Run) -> list[tuple[dict[str, object], int]]:
    result, count = [], 0
    for message in run.messages:
        if message["type"] == "RECORD":
            count += 1
        elif message["type"] == "STATE":
            result.append((message, count))
            count = 0
    return result


def _lines_without_time(run: Run) -> list[bytes]:
    lines = [line for line in run.stdout.splitlines() if line.startswith(b'{"type":"RECORD"')]
    return [line[: line.rindex(b',"emitted_at":')] + b"}}" for line in lines]
