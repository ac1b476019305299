"""0.6.19 also reads cohorts, lists and dashboards from the emulator; compare its rows with ours."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from amplitude_emulator import Cohort
from integration_tests.upstream.connectors import CommandResult
from integration_tests.upstream.row_differences import (
    BY_DATE,
    LISTS,
    NEW_IN_OUR_SCHEMAS,
    OTHER_STREAMS,
    RowDifference,
    by_key,
    row_differences,
)
from integration_tests.upstream.scene import open_scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from integration_tests.upstream.connectors import Message
    from integration_tests.upstream.scene import Scene

# The first test creates the environment, which takes minutes on a slow network.
pytestmark = [pytest.mark.upstream, pytest.mark.timeout(900)]

DAY = timedelta(days=1)
LOOKBACK_DAYS = 3
"""Ours repeats the saved date and the two days before it."""
BEFORE_ACTIVITY, WITH_ACTIVITY = 40 * DAY, 60 * DAY
"""Several months for 0.6.19, the first without activity; more than one request for ours too."""
ODD_COHORT = Cohort(
    "odd0000",
    "an unusual cohort",
    overrides={
        "definition": {"null": None, "huge": 2**53 + 1, "float": 1.0, "list": [None, {"": ""}]},
        "owners": ["amp", "é@example.com"],
        "a future key": [1, {"null": None}],
        "description": "",
    },
)


@dataclass(frozen=True)
class Read:
    """The reads of both connectors without a state."""

    scene: Scene
    config: dict[str, Any]
    theirs: CommandResult
    ours: CommandResult

    @property
    def first_active_day(self) -> date:
        return self.scene.emulator.content.settings.first_day

    @property
    def newest_over(self) -> date:
        """The newest day that has ended in all time zones, by the emulator's clock."""
        return (self.scene.emulator.clock.now() - timedelta(hours=12)).date() - DAY


@pytest.fixture(scope="module")
def read(environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:  # noqa: ARG001 - as scene
    """The reads of a shared scene, which tests must not change."""
    with open_scene(tmp_path_factory.mktemp("other")) as scene:
        config = prepare_project(scene)
        yield Read(scene, config, *(each.read(config, streams=OTHER_STREAMS) for each in (scene.upstream, scene.ours)))


def prepare_project(scene: Scene) -> dict[str, Any]:
    """Add unusual items and a first active day to the project; return a configuration that starts before that day.

    The clock is set to yesterday afternoon, so that 0.6.19 always reads future days.
    """
    content, clock = scene.emulator.content, scene.emulator.clock
    clock.set(clock.now().replace(hour=13) - DAY)
    first_day = (scene.first_hour - WITH_ACTIVITY).date()
    content.settings = replace(content.settings, has_limits=False, first_day=first_day)
    content.cohorts.put(ODD_COHORT)
    event, annotation = content.catalog.events[0], content.catalog.annotations[0]
    odd_event = {**event, "id": 2**53 + 1, "totals": 1.5, "display": None, "timeline_hidden": 0, "new key": {"a": None}}
    odd_annotation = {**annotation, "id": 1, "start": "2026-02-20T23:30:00-05:00", "label": None, "details": "é\n"}
    content.catalog = replace(
        content.catalog,
        events=(*content.catalog.events, odd_event),
        annotations=(*content.catalog.annotations, odd_annotation),
    )
    start = scene.first_hour - WITH_ACTIVITY - BEFORE_ACTIVITY
    grouped = {"active_users_group_by_country": True}
    return scene.config | grouped | {"start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}"}


def test_both_read_the_same_rows_of_every_stream(read: Read) -> None:
    found: dict[RowDifference, list[str]] = defaultdict(list)
    for stream in OTHER_STREAMS:
        theirs, ours = by_key(read.theirs, stream), by_key(read.ours, stream)
        for kind, details in row_differences(stream, theirs, ours, read.newest_over).items():
            found[kind] += details

    assert (read.theirs.exit_code, read.ours.exit_code) == (0, 0)
    assert found.pop(RowDifference.UNKNOWN, []) == []
    assert found.keys() == set(RowDifference) - {RowDifference.UNKNOWN}  # every known difference occurs
    assert read.scene.proxy.refused == []


@pytest.mark.parametrize("connector", ["theirs", "ours"])
def test_rows_are_unique_and_counts_are_correct(read: Read, connector: str) -> None:
    result: CommandResult = getattr(read, connector)
    rows = {stream: len(by_key(result, stream)) for stream in OTHER_STREAMS}

    assert rows == {stream: len(result.of_stream(stream).records) for stream in OTHER_STREAMS}
    assert rows == {stream: counted(result.of_stream(stream)) for stream in OTHER_STREAMS}


def test_lists_are_complete(read: Read) -> None:
    content = read.scene.emulator.content
    stored = {
        "cohorts": {cohort.cohort_id for cohort in content.cohorts.all()},
        "events_list": {event["id"] for event in content.catalog.events if not event["hidden"]},
        "annotations": {annotation["id"] for annotation in content.catalog.annotations},
    }

    assert {stream: by_key(read.theirs, stream).keys() for stream in LISTS} == stored
    assert {stream: by_key(read.ours, stream).keys() for stream in LISTS} == stored


@pytest.mark.parametrize("stream", BY_DATE)
def test_ours_has_every_finished_day(read: Read, stream: str) -> None:
    days = by_key(read.ours, stream).keys()

    assert days >= set(days_between(read.first_active_day, read.newest_over))
    assert max(days) == read.newest_over


def test_without_grouping_both_count_all_users(read: Read) -> None:
    config = read.config | {"active_users_group_by_country": False}
    theirs, ours = (
        by_key(each.read(config, streams=["active_users"]), "active_users")
        for each in (read.scene.upstream, read.scene.ours)
    )
    found = row_differences("active_users", theirs, ours, read.newest_over)

    assert found.keys() == {RowDifference.NOT_OVER, RowDifference.EMPTY_MONTH}
    assert {label for row in ours.values() for label in row["statistics"]} == {"0"}


def test_only_ours_applies_the_default_grouping(read: Read) -> None:
    """Upstream's template reads the raw configuration; Airbyte saves the default only when a form is submitted."""
    config = {name: value for name, value in read.config.items() if name != "active_users_group_by_country"}
    theirs, ours = (each.read(config, streams=["active_users"]) for each in (read.scene.upstream, read.scene.ours))

    assert {label for row in theirs.records for label in row["statistics"]} == {"0"}
    assert ours.records == read.ours.of_stream("active_users").records


def test_our_schemas_have_all_columns_of_upstream(scene: Scene) -> None:
    theirs, ours = (each.discover(scene.config).schemas for each in (scene.upstream, scene.ours))

    assert {stream: types_of(ours[stream], of=theirs[stream]) for stream in OTHER_STREAMS} == {
        stream: types_of(theirs[stream], of=theirs[stream]) for stream in OTHER_STREAMS
    }
    assert {stream: ours[stream].keys() - theirs[stream].keys() for stream in OTHER_STREAMS} == NEW_IN_OUR_SCHEMAS


def test_keys_cursors_and_sync_modes_equal_upstream(scene: Scene) -> None:
    theirs, ours = (each.discover(scene.config).streams for each in (scene.upstream, scene.ours))
    # is_resumable is set by the CDK and may differ.
    kept = ("supported_sync_modes", "source_defined_primary_key", "source_defined_cursor", "default_cursor_field")

    assert {stream: [ours[stream].get(name) for name in kept] for stream in OTHER_STREAMS} == {
        stream: [theirs[stream].get(name) for name in kept] for stream in OTHER_STREAMS
    }


@pytest.mark.parametrize("stream", BY_DATE)
@pytest.mark.parametrize("states_before_last", [0, 1])
def test_ours_continues_from_each_upstream_state(read: Read, stream: str, states_before_last: int) -> None:
    state, before = saved_state(read.theirs, stream, states_before_last)
    saved = date.fromisoformat(state["stream"]["stream_state"]["date"][:10])
    result = read.scene.ours.read(read.config, state, streams=[stream])
    again = by_key(result, stream)
    # A future day is reset, because it has no numbers yet.
    first_again = min(saved, read.newest_over) - (LOOKBACK_DAYS - 1) * DAY

    assert result.exit_code == 0
    assert (saved > read.newest_over) == (states_before_last == 0)
    assert set(again) == set(days_between(first_again, read.newest_over))
    assert set(days_between(read.first_active_day, read.newest_over)) <= by_key(before, stream).keys() | again.keys()
    assert all(row == by_key(read.ours, stream)[day] for day, row in again.items())
    assert state_date(result) == read.newest_over


def test_ours_reads_the_day_of_the_state_again(scene: Scene) -> None:
    """0.6.19 read this day before it had ended."""
    config = prepare_project(scene)
    state, before = saved_state(scene.upstream.read(config, streams=["active_users"]), "active_users", 1)
    day = date.fromisoformat(state["stream"]["stream_state"]["date"])
    scene.emulator.content.settings = replace(scene.emulator.content.settings, late_activity={str(day): 1000})
    counted_first = by_key(before, "active_users")[day]["statistics"]
    counted_again = by_key(scene.ours.read(config, state, streams=["active_users"]), "active_users")[day]["statistics"]

    assert counted_again == {label: users + 1000 for label, users in counted_first.items()}


@pytest.mark.parametrize("stream", BY_DATE)
def test_states_work_in_both_directions(read: Read, stream: str) -> None:
    saved = state_date(read.ours.of_stream(stream))
    there = read.scene.upstream.read(read.config, read.ours.of_stream(stream).states[-1], streams=[stream])
    back = read.scene.ours.read(read.config, there.states[-1], streams=[stream])
    days, days_back = by_key(there, stream), by_key(back, stream)

    assert (there.exit_code, back.exit_code) == (0, 0)
    assert set(days) == set(days_between(saved, max(days)))
    assert max(days) > saved
    assert state_date(there) == max(days)
    assert set(days_back) == set(days_between(saved - (LOOKBACK_DAYS - 1) * DAY, read.newest_over))
    assert state_date(back) == saved  # future days that 0.6.19 read are read again


def test_ours_ignores_upstream_states_of_lists(read: Read) -> None:
    states = [read.theirs.of_stream(stream).states[-1] for stream in LISTS]
    result = read.scene.ours.read(read.config, *states, streams=LISTS)

    assert result.records == [record for stream in LISTS for record in read.ours.of_stream(stream).records]


def test_both_read_the_same_annotations_from_v2(scene: Scene) -> None:
    prepare_project(scene)
    scene.emulator.content.settings = replace(scene.emulator.content.settings, annotation_versions=(2,))
    theirs, ours = (
        by_key(each.read(scene.config, streams=["annotations"]), "annotations") for each in (scene.upstream, scene.ours)
    )

    assert row_differences("annotations", theirs, ours, date.max).keys() == {RowDifference.TOP_LEVEL_NULL}


def test_ours_converts_session_lengths_in_objects(scene: Scene) -> None:
    """Amplitude sent objects in 2023; the emulator sends them only with this fault."""
    day = f"{scene.first_hour:%Y-%m-%d}T00:00:00"
    answer = {"data": {"series": [[{"setId": "", "value": 1.5}]], "xValues": [day]}}
    scene.emulator.faults.add("json", path="/api/2/sessions/average", body=answer)
    theirs, ours = (
        each.read(scene.config, streams=["average_session_length"]) for each in (scene.upstream, scene.ours)
    )

    assert theirs.records == [{"date": day, "length": {"setId": "", "value": 1.5}}]
    assert ours.records == [{"date": f"{day}+00:00", "length": 1.5}]


def test_ours_treats_a_null_series_as_no_data(scene: Scene) -> None:
    answer = {"data": {"series": None, "seriesLabels": [], "xValues": [f"{scene.first_hour:%Y-%m-%d}"]}}
    scene.emulator.faults.add("json", path="/api/2/users", body=answer)
    theirs, ours = (each.read(scene.config, streams=["active_users"]) for each in (scene.upstream, scene.ours))

    assert (theirs.exit_code, theirs.records) == (1, [])
    assert (ours.exit_code, ours.records) == (0, [])


@pytest.mark.parametrize("part", ["cohorts", "annotations"])
def test_missing_part_of_the_plan_is_a_config_error(scene: Scene, part: Any) -> None:  # noqa: ANN401 - a literal
    scene.emulator.content.settings = replace(scene.emulator.content.settings, missing_in_plan=(part,))
    theirs, ours = (each.read(scene.config, streams=[part]) for each in (scene.upstream, scene.ours))

    assert [(each.exit_code, (each.failure or {}).get("failure_type")) for each in (theirs, ours)] == [
        (1, "config_error")
    ] * 2


def saved_state(result: CommandResult, stream: str, states_before_last: int) -> tuple[Message, CommandResult]:
    """Return the state ``states_before_last`` before the last one, and all messages before it."""
    messages = result.of_stream(stream).messages
    positions = [position for position, message in enumerate(messages) if message["type"] == "STATE"]
    position = positions[-1 - states_before_last]
    return messages[position]["state"], CommandResult(0, messages[:position], "")


def state_date(result: CommandResult) -> date:
    return date.fromisoformat(result.last_state["date"][:10])


def counted(result: CommandResult) -> int:
    return int(sum(state["sourceStats"]["recordCount"] for state in result.states))


def days_between(first: date, last: date) -> list[date]:
    return [first + number * DAY for number in range((last - first).days + 1)]


def types_of(columns: Mapping[str, Any], *, of: Mapping[str, Any]) -> dict[str, object]:
    """Return the types of the columns that ``of`` also has."""
    return {name: _type(column) for name, column in columns.items() if name in of}


def _type(column: Mapping[str, Any]) -> tuple[object, ...]:
    types = column["type"] if isinstance(column["type"], list) else [column["type"]]
    return sorted(types), column.get("format"), column.get("items")
