"""States saved by commit e2beff4: this version continues from them without loss or duplicates."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from unit_tests.end_to_end.test_interruptions import uuids_of
from unit_tests.older_versions import E2BEFF4, add_late_events, amplitude_as_it_was, at, late_event, saved, uuids_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector, Run

START_DATE = "2026-03-03T06:00:00Z"
MALFORMED_MEMBER = "100200/100200_2026-03-03_12#0.json.gz"
POLICIES = ["fail", "report"]
EVERY_STREAM = "states/every_stream"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with amplitude_as_it_was(tmp_path / "amplitude") as emulator:
        yield emulator


def continue_backfill(connector: Connector, policy: str) -> Run:
    """Read from the saved state of a backfill."""
    arguments = connector.reading(start_date=START_DATE, malformed_lines=policy)
    return connector.run(*arguments, "--state", str(E2BEFF4 / f"states/backfill_{policy}.json"))


def emitted_before(policy: str) -> list[str]:
    uuids: list[str] = saved(f"states/backfill_{policy}.emitted.json")
    return uuids


def stored(emulator: Emulator) -> list[str]:
    return uuids_in(emulator.store.lines())


@pytest.mark.parametrize("policy", POLICIES)
def test_a_backfill_continues_in_a_partial_hour(emulator: Emulator, connector: Connector, policy: str) -> None:
    rest = continue_backfill(connector, policy)
    again = connector.read(rest.states[-1], start_date=START_DATE, malformed_lines=policy)

    assert sorted(emitted_before(policy) + uuids_of(rest)) == stored(emulator)
    assert uuids_of(again) == []
    assert ["2026-03-03 12:00 UTC" in text for run in (rest, again) for text in run.error_texts] == (
        [True, True] if policy == "fail" else []
    )
    assert [MALFORMED_MEMBER in "".join(run.warnings) for run in (rest, again)] == [True, True]


@pytest.mark.parametrize("policy", POLICIES)
def test_no_settled_hour_is_requested(emulator: Emulator, connector: Connector, policy: str) -> None:
    continue_backfill(connector, policy)

    requested = {request.query["start"] for request in emulator.requests if request.query["start"] >= "2026"}
    settled = {f"20260303T{hour:02}" for hour in (6, 7, 8, 9, 13, 14)}
    assert (min(requested), requested & settled) == ("20260303T10", set())


@pytest.mark.parametrize("policy", POLICIES)
def test_late_events_of_done_and_partial_hours_come_once(emulator: Emulator, connector: Connector, policy: str) -> None:
    late = add_late_events(emulator)
    emulator.clock.advance(timedelta(hours=6))

    rest = continue_backfill(connector, policy)

    assert sorted(emitted_before(policy) + uuids_of(rest)) == stored(emulator)
    assert set(late) <= set(uuids_of(rest))


def test_a_fixed_malformed_line_ends_the_failure(emulator: Emulator, connector: Connector) -> None:
    lines = emulator.store.lines(at(3, 12), at(3, 13))[:5]
    fixed = [late_event("fixed") if line.startswith(b'{"uuid":"cut off') else line for line in lines]
    emulator.store.rewrite_lines(at(3, 12), 0, fixed)

    rest = continue_backfill(connector, "fail")
    again = connector.read(rest.states[-1], start_date=START_DATE, malformed_lines="fail")

    twice = Counter(emitted_before("fail") + uuids_of(rest)) - Counter(stored(emulator))
    assert Counter(stored(emulator)) - Counter(emitted_before("fail") + uuids_of(rest)) == Counter()
    assert sorted(twice) == [uuid for uuid in uuids_in(fixed) if uuid != "fixed"]
    assert f"Amplitude has rewritten the member {MALFORMED_MEMBER}" in "\n".join(rest.warnings)
    assert (uuids_of(again), MALFORMED_MEMBER in "".join(again.error_texts)) == ([], False)


@pytest.fixture
def states(tmp_path: Path) -> Path:
    """A copy of the state file of all streams."""
    path = tmp_path / "states.json"
    path.write_bytes((E2BEFF4 / f"{EVERY_STREAM}.json").read_bytes())
    return path


def by_stream(path: Path) -> dict[str, Any]:
    messages = json.loads(path.read_text("utf-8"))
    return {each["stream"]["stream_descriptor"]["name"]: each["stream"]["stream_state"] for each in messages}


def read_with(connector: Connector, states: Path, *names: str) -> Run:
    arguments = connector.reading(streams=names, **saved(f"{EVERY_STREAM}.options.json"))
    return connector.run(*arguments, "--state-file", str(states))


def records_of(run: Run, name: str) -> list[dict[str, Any]]:
    records = [message["record"] for message in run.of_type("RECORD")]
    return [record["data"] for record in records if record["stream"] == name]


def dates_of(run: Run, name: str) -> list[str]:
    return sorted({record["date"][:10] for record in records_of(run, name)})


def march(first: int, last: int) -> list[str]:
    return [f"2026-03-{day:02}" for day in range(first, last + 1)]


def test_every_stream_continues_from_a_state_file(emulator: Emulator, connector: Connector, states: Path) -> None:
    emitted = saved(f"{EVERY_STREAM}.emitted.json")
    emulator.store.append_lines(at(4, 7), 4, [late_event("new")])
    emulator.clock.advance(timedelta(days=5))

    run = read_with(connector, states, *emitted)

    daily = march(2, 8)  # two days again (dashboard_lookback_days) and five new ones
    assert (run.exit_code, run.error_texts) == (0, [])
    assert [record["uuid"] for record in records_of(run, "events")] == ["new"]
    assert sorted([*emitted["events"], "new"]) == stored(emulator)
    assert {name: dates_of(run, name) for name in emitted if saved_date(name)} == {
        "active_users": daily,
        "new_users": daily,
        "weekly_active_users": ["2026-02-23", *march(2, 2)],
        "monthly_active_users": ["2026-02-01"],
        "average_session_length": daily,
        "average_sessions_per_user": daily,
        "session_length_distribution": daily,
        "user_composition": daily,
        "revenue_ltv": ["2026-02-27", "2026-02-28", *march(1, 8)],
    }
    assert {name: state["date"] for name, state in by_stream(states).items() if "date" in state} == {
        **{name: "2026-03-08" for name in emitted if saved_date(name)},
        "monthly_active_users": "2026-02-28",
    }
    lists = {name: count for name, count in emitted.items() if isinstance(count, int)}
    assert {name: len(records_of(run, name)) for name in lists} == lists


def saved_date(name: str) -> str | None:
    """Return the last date in a stream's saved state, if it has one."""
    date: str | None = by_stream(E2BEFF4 / f"{EVERY_STREAM}.json")[name].get("date")
    return date


def test_a_cohort_is_read_again_only_when_recomputed(emulator: Emulator, connector: Connector, states: Path) -> None:
    (cohort_id,) = saved("amplitude/cohorts.json")

    same = read_with(connector, states, "cohort_members")
    emulator.content.cohorts.recompute(cohort_id)
    computed = read_with(connector, states, "cohort_members")

    assert [sorted(record["amplitude_id"] for record in run.records) for run in (same, computed)] == [[], [5001, 5002]]
    assert sorted(saved(f"{EVERY_STREAM}.emitted.json")["cohort_members"]) == [5001, 5002]


def test_states_of_unread_streams_are_not_changed(emulator: Emulator, connector: Connector, states: Path) -> None:
    emulator.store.append_lines(at(4, 7), 4, [late_event("new")])
    before = by_stream(states)

    run = read_with(connector, states, "events")

    after = by_stream(states)
    assert (run.exit_code, uuids_of(run)) == (0, ["new"])
    assert {name: state for name, state in after.items() if name != "events"} == {
        name: state for name, state in before.items() if name != "events"
    }
    assert after["events"] != before["events"]
