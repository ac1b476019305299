"""Verify the emulator with the unmodified airbyte-source-amplitude 0.6.19, and compare its records with ours."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import ExportOptions
from integration_tests.upstream.differences import NEW_IN_OUR_SCHEMA, Difference, differences
from integration_tests.upstream.environment import changed_files
from integration_tests.upstream.scene import EMPTY_HOURS, HOUR, ODD_HOUR, by_uuid

if TYPE_CHECKING:
    from datetime import datetime

    from integration_tests.upstream.conftest import FirstReads
    from integration_tests.upstream.connectors import CommandResult
    from integration_tests.upstream.scene import Scene

# The first test creates the environment, which takes minutes on a slow network.
pytestmark = [pytest.mark.upstream, pytest.mark.timeout(900)]

ACCESS_DENIED = "Access denied due to lack of permission or invalid API/Secret key or wrong data region."
STALE_HOURS = 5
"""How many hours our connector rewinds upstream's cursor: export_delay_hours plus two."""


@pytest.mark.usefixtures("environment")
def test_package_files_are_unmodified() -> None:
    assert changed_files() == []


def test_check_and_discover_use_only_amplitudes_host(scene: Scene) -> None:
    checked = scene.upstream.check(scene.config)
    discovered = scene.upstream.discover(scene.config)

    assert checked.connection_status == {"status": "SUCCEEDED"}
    assert "events" in discovered.schemas
    # Its check requests active users and takes a 404 as "no data", so it does not verify the keys.
    assert [request.path for request in scene.emulator.requests] == ["/us/api/2/users"]
    assert scene.proxy.refused == []


def test_our_events_have_all_columns_of_upstream(scene: Scene) -> None:
    theirs, ours = (connector.discover(scene.config).schemas["events"] for connector in (scene.upstream, scene.ours))

    assert ours.keys() - theirs.keys() == NEW_IN_OUR_SCHEMA
    assert theirs.keys() - ours.keys() == set()


def test_upstream_reads_every_published_event(sample: Scene, first_reads: FirstReads) -> None:
    published = sample.uuids(sample.first_hour, first_reads.newest_hour)
    published -= sample.uuids(first_reads.late_hour, first_reads.late_hour)

    assert first_reads.upstream.exit_code == 0
    assert Counter(record["uuid"] for record in first_reads.upstream.records) == Counter(published)
    assert sample.proxy.refused == []


def test_sample_covers_the_compared_cases(sample: Scene, first_reads: FirstReads) -> None:
    records = first_reads.upstream.records
    members = sample.emulator.store.members(sample.first_hour, first_reads.newest_hour + HOUR)
    partitions: dict[datetime, list[int]] = defaultdict(list)
    for member in members:
        partitions[member.name.hour].append(member.name.partition)

    assert {record.get("$schema") for record in records} == {None, 13}
    assert partitions.keys().isdisjoint(sample.first_hour + number * HOUR for number in EMPTY_HOURS)
    assert any(max(numbers) - min(numbers) >= len(numbers) > 1 for numbers in partitions.values())
    assert sample.first_hour + ODD_HOUR * HOUR in partitions


def test_both_connectors_read_the_same_records(first_reads: FirstReads) -> None:
    theirs, ours = by_uuid(first_reads.upstream), by_uuid(first_reads.ours)
    found: dict[Difference, list[str]] = defaultdict(list)
    for uuid in theirs.keys() & ours.keys():
        for field, difference in differences(theirs[uuid], ours[uuid]):
            found[difference].append(f"{uuid} {field}: {theirs[uuid].get(field)!r} {ours[uuid].get(field)!r}")

    assert theirs.keys() == ours.keys()
    assert found.pop(Difference.UNKNOWN, []) == []
    assert found.keys() == set(Difference) - {Difference.UNKNOWN}  # every known difference occurs


@pytest.mark.parametrize("connector", ["upstream", "ours"])
def test_record_counts_in_the_states_are_correct(first_reads: FirstReads, connector: str) -> None:
    result: CommandResult = getattr(first_reads, connector)

    assert sum(state["sourceStats"]["recordCount"] for state in result.states) == len(result.records)


def test_upstream_reads_the_same_by_hours_and_by_days(sample: Scene, first_reads: FirstReads) -> None:
    empty_hours = [sample.first_hour + number * HOUR for number in EMPTY_HOURS]

    assert by_uuid(first_reads.hourly) == by_uuid(first_reads.upstream)
    assert {f"{hour:%Y%m%dT%H}" for hour in (*empty_hours, first_reads.late_hour)} <= first_reads.hours_without_files


def test_ours_continues_from_upstream_without_gaps(sample: Scene, after: FirstReads) -> None:
    state = after.upstream.states[-1]
    cursor = state["stream"]["stream_state"]["server_upload_time"]
    result = sample.ours.read(sample.config, state)
    read_again = by_uuid(after.upstream).keys() & by_uuid(result).keys()
    oldest = after.newest_hour - STALE_HOURS * HOUR

    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", cursor)
    assert cursor.startswith(f"{after.newest_hour:%Y-%m-%d %H:}")
    assert result.exit_code == 0
    assert_nothing_is_missing(sample, after.upstream, result)
    assert sample.uuids(after.late_hour, after.late_hour) <= by_uuid(result).keys()
    assert read_again <= sample.uuids(oldest, after.newest_hour)


def test_upstream_misses_hours_published_late(sample: Scene, after: FirstReads) -> None:
    """This is why ours rewinds upstream's cursor; the emulator behaves like Amplitude here."""
    result = sample.upstream.read(sample.config, after.upstream.states[-1])
    missing = sample.uuids(sample.first_hour, sample.newest_hour) - seen(after.upstream, result)

    assert result.exit_code == 0
    assert missing == sample.uuids(after.late_hour, after.late_hour)


def test_states_work_in_both_directions(sample: Scene, after: FirstReads) -> None:
    there = sample.upstream.read(sample.config, after.ours.states[-1])
    back = sample.ours.read(sample.config, there.states[-1])

    assert (there.exit_code, back.exit_code) == (0, 0)
    assert_nothing_is_missing(sample, after.ours, there)
    # Its new cursor is the greater text of both: an hour without dashes is greater than any day of the same year.
    assert there.last_state.keys() == {"server_upload_time"}
    assert_nothing_is_missing(sample, after.ours, there, back)
    assert back.last_state["server_upload_time"] > after.ours.last_state["server_upload_time"]


def test_upstream_reads_a_european_project(scene: Scene) -> None:
    project = scene.emulator.add_project(project_id=300400, region="eu")
    scene.emulator.store_of(project).add_member(scene.first_hour, [event(scene, "a"), event(scene, "b")])
    result = scene.upstream.read(scene.config_of(project) | {"data_region": "EU Residency Server"})

    assert by_uuid(result).keys() == {"a", "b"}
    assert {request.path for request in scene.emulator.requests} == {"/eu/api/2/export"}


@pytest.mark.parametrize(
    "mistake", [{"api_key": "0" * 32}, {"secret_key": "0" * 32}, {"data_region": "EU Residency Server"}]
)
def test_upstream_reports_wrong_keys_and_regions(scene: Scene, mistake: dict[str, str]) -> None:
    result = scene.upstream.read(scene.config | mistake)

    assert failure_of(result) == ("config_error", ACCESS_DENIED)


def test_upstream_reports_too_large_archives(scene: Scene) -> None:
    scene.emulator.store.add_member(scene.first_hour, [event(scene, "a")])
    scene.emulator.options = ExportOptions(archive_limit_bytes=10)
    kind, message = failure_of(scene.upstream.read(scene.config))

    assert kind == "config_error"
    assert message.startswith("The file size of the exported data is too large.")


def test_upstream_reports_a_gateway_timeout(scene: Scene) -> None:
    scene.emulator.faults.add("gateway_timeout_above_hours", hours=1)
    kind, message = failure_of(scene.upstream.read(scene.config))

    assert kind == "config_error"
    assert message.startswith("The amount of data is large and may be causing a timeout.")


def test_upstream_logs_an_invalid_zip_and_succeeds(scene: Scene) -> None:
    scene.emulator.store.add_member(scene.first_hour, [event(scene, "a")])
    scene.emulator.faults.add("html_instead_of_zip")
    result = scene.upstream.read(scene.config)

    assert "Received an invalid zip file in response to URL" in result.log
    # It succeeds without the event: data loss that later versions and our connector prevent.
    assert (result.exit_code, result.records) == (0, [])


@pytest.mark.parametrize("options", [ExportOptions(directory_entry=True), ExportOptions(deflated=True)])
def test_upstream_reads_other_zip_variants(scene: Scene, options: ExportOptions) -> None:
    scene.emulator.store.add_member(scene.first_hour, [event(scene, "a"), event(scene, "b")])
    scene.emulator.options = options

    assert by_uuid(scene.upstream.read(scene.config)).keys() == {"a", "b"}


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(b"\n", id="blank line"),
        pytest.param(rb'{"uuid":"b","server_upload_time":"%s","event_type":"\ud800"}', id="lone surrogate"),
        pytest.param(b'{"uuid":"b","server_upload_time":"%s","event_time":"yesterday"}', id="no time"),
        pytest.param(b'{"uuid":"b"}', id="no upload time"),
    ],
)
def test_ours_reads_past_lines_that_stop_upstream(scene: Scene, odd: bytes) -> None:
    whole = json.dumps(event(scene, "a")).encode(), json.dumps(event(scene, "c")).encode()
    odd = odd.replace(b"%s", f"{scene.first_hour:%Y-%m-%d %H:%M:%S.%f}".encode())
    scene.emulator.store.put_content(scene.first_hour, 1, b"\n".join((whole[0], odd, whole[1])))
    theirs, ours = scene.upstream.read(scene.config), scene.ours.read(scene.config)

    assert theirs.exit_code == 1
    assert ours.exit_code == 0
    assert by_uuid(ours).keys() == {"a", "c"} | ({"b"} if b"uuid" in odd else set())


def event(scene: Scene, uuid: str) -> dict[str, str]:
    return {"uuid": uuid, "server_upload_time": f"{scene.first_hour:%Y-%m-%d %H:%M:%S.%f}"}


def failure_of(result: CommandResult) -> tuple[str, str]:
    assert result.exit_code == 1
    assert result.failure is not None
    return result.failure["failure_type"], result.failure["message"]


def seen(*results: CommandResult) -> set[str]:
    return {uuid for result in results for uuid in by_uuid(result)}


def assert_nothing_is_missing(scene: Scene, *results: CommandResult) -> None:
    assert seen(*results) == scene.uuids(scene.first_hour, scene.newest_hour)
