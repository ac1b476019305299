from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from source_amplitude.errors import InvalidStateError
from source_amplitude.ledger import Ledger, ReadHour, SavedState, ledger_from_state, state_from_ledger
from source_amplitude.members import Fingerprint, MemberName
from source_amplitude.windows import HOUR, UNIX_EPOCH, HourSet, HourWindow

PROJECT = "100200"
START = datetime(2024, 3, 1, tzinfo=timezone.utc)
NO_GAPS = HourSet()
DELAY = 3


def h(number: int) -> datetime:
    return START + HOUR * number


def settled_before(*until: int) -> Ledger:
    """Return a ledger with all hours before ``datetime(*until)`` settled."""
    end = datetime(*until, tzinfo=timezone.utc)  # type: ignore[arg-type,misc]
    return Ledger(settled=HourSet((HourWindow(UNIX_EPOCH, end),)))


def a_ledger() -> Ledger:
    return Ledger(
        settled=HourSet((HourWindow(h(0), h(5)), HourWindow(h(7), h(8)))),
        open=HourSet((HourWindow(h(5), h(7)),)),
        read_hours={
            h(4): ReadHour(h(8), {str(MemberName(PROJECT, h(4), 5)): Fingerprint(300, 0xDEADBEEF)}),
            h(7): ReadHour(h(11), {"odd.gz": Fingerprint(1, 2, 3)}),
        },
        project=PROJECT,
        newest_with_data=h(7),
        working_hours=(24, 6),
    )


def a_state() -> dict[str, Any]:
    state: dict[str, Any] = json.loads(json.dumps(state_from_ledger(a_ledger(), start=START, accepted_gaps=NO_GAPS)))
    return state


def hour_sets() -> st.SearchStrategy[HourSet]:
    windows = st.builds(
        lambda first, length: HourWindow(h(first), h(first + length)), st.integers(0, 20_000), st.integers(1, 100)
    )
    return st.lists(windows, max_size=8).map(HourSet.of)


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    prints = st.builds(Fingerprint, st.integers(0, 2**40), st.integers(0, 2**32 - 1), st.integers(0, 5))
    read_hours = {}
    for number in draw(st.sets(st.integers(0, 200), max_size=4)):
        regular = st.builds(MemberName, st.just(PROJECT), st.just(h(number)), st.integers(0, 5000)).map(str)
        members = draw(st.dictionaries(regular | st.text(max_size=10), prints, max_size=5))
        read_hours[h(number)] = ReadHour(h(number) + timedelta(seconds=draw(st.integers(0, 10**7))), members)
    moments = st.integers(0, 20_000).map(h)
    return Ledger(
        settled=draw(hour_sets()),
        open=draw(hour_sets()),
        read_hours=read_hours,
        project=PROJECT,
        newest_with_data=draw(st.none() | moments),
        working_hours=draw(st.none() | st.tuples(st.integers(1, 8760), st.integers(1, 8760))),
    )


@given(ledgers(), hour_sets())
@settings(deadline=None)
def test_ledger_survives_a_round_trip_through_json(ledger: Ledger, gaps: HourSet) -> None:
    state = state_from_ledger(ledger, start=START, accepted_gaps=gaps)

    assert ledger_from_state(json.loads(json.dumps(state)), export_delay_hours=DELAY) == SavedState(ledger)


def test_state_is_plain_json_with_two_cursors() -> None:
    state = state_from_ledger(a_ledger(), start=START, accepted_gaps=NO_GAPS)

    assert state == {
        "server_upload_time": "20240301T04",
        "ledger": {
            "version": 1,
            "server_upload_time": "20240301T04",
            "settled": [["20240301T00", "20240301T05"], ["20240301T07", "20240301T08"]],
            "open": [["20240301T05", "20240301T07"]],
            "landed": {
                "20240301T04": {"read_at": "2024-03-01T08:00:00Z", "packed": "BawC776t3g=="},
                "20240301T07": {"read_at": "2024-03-01T11:00:00Z", "packed": "", "named": {"odd.gz": [1, 2, 3]}},
            },
            "project": "100200",
            "newest_landed": "20240301T07",
            "working_hours": [24, 6],
        },
    }


def test_empty_ledger_has_the_hour_before_start_as_cursor() -> None:
    state = state_from_ledger(Ledger(), start=START, accepted_gaps=NO_GAPS)

    assert state == {
        "server_upload_time": "20240229T23",
        "ledger": {"version": 1, "server_upload_time": "20240229T23", "settled": [], "open": [], "landed": {}},
    }
    assert ledger_from_state(state, export_delay_hours=DELAY) == SavedState(Ledger())


def test_rechecks_ignore_fractions_of_a_second() -> None:
    ledger = a_ledger()
    ledger.mark_done(h(4), {}, asked_at=h(11) + timedelta(microseconds=999_999))

    state = state_from_ledger(ledger, start=START, accepted_gaps=NO_GAPS)

    restored = ledger_from_state(state, export_delay_hours=DELAY).ledger
    assert restored.read_hours[h(4)].read_at == h(11)
    assert restored.rechecks_due(HourWindow(h(0), h(99)), (6,), h(50)) == ledger.rechecks_due(
        HourWindow(h(0), h(99)), (6,), h(50)
    )


FULL_READ = SavedState(Ledger())
EVENT_TIME_WARNING = "The state contains only event_time, but exports need upload times. The sync starts at start_date."


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, FULL_READ),
        ({"event_time": "2023-02-15 08:00:00.000000"}, SavedState(Ledger(), (EVENT_TIME_WARNING,))),
        ({"__ab_no_cursor_state_message": True}, FULL_READ),
        ({"__ab_full_refresh_sync_complete": True}, FULL_READ),
        ({"server_upload_time": ""}, FULL_READ),
        ({"server_upload_time": None}, FULL_READ),
        ({"server_upload_time": "2023-08-31 12:00:00.000000"}, SavedState(settled_before(2023, 8, 31, 7))),
        ({"server_upload_time": "2023-08-31 12:59:59.999999"}, SavedState(settled_before(2023, 8, 31, 7))),
        ({"server_upload_time": "2023-08-25T11:05:08.013000+00:00"}, SavedState(settled_before(2023, 8, 25, 6))),
        ({"server_upload_time": "2024-01-01T10:20:30.123456Z"}, SavedState(settled_before(2024, 1, 1, 5))),
        ({"server_upload_time": "2024-01-01T10:20:30+00:00"}, SavedState(settled_before(2024, 1, 1, 5))),
        ({"server_upload_time": "2024-01-01T10:20:30Z"}, SavedState(settled_before(2024, 1, 1, 5))),
        ({"server_upload_time": "2024-01-01 10:20:30"}, SavedState(settled_before(2024, 1, 1, 5))),
        ({"server_upload_time": "2024-01-01T12:20:30+02:00"}, SavedState(settled_before(2024, 1, 1, 5))),
        ({"server_upload_time": "20240101T20"}, SavedState(settled_before(2024, 1, 1, 15))),
        ({"server_upload_time": "20240101T02"}, SavedState(settled_before(2023, 12, 31, 21))),
        ({"server_upload_time": "2024-01-01"}, SavedState(settled_before(2023, 12, 31, 19))),
        ({"server_upload_time": "20141111T20"}, SavedState(settled_before(2014, 11, 11))),
        ({"server_upload_time": "19700101T03"}, FULL_READ),
        (
            {"server_upload_time": "20240101T20", "event_time": "2023-02-15 08:00:00.000000"},
            SavedState(settled_before(2024, 1, 1, 15)),
        ),
        (
            {
                "state_type": "date-range",
                "slices": [
                    {"start": "20240101T00", "end": "20240101T10", "most_recent_cursor_value": "20240101T09"},
                    {"start": "20240101T15", "end": "20240101T20"},
                ],
            },
            SavedState(settled_before(2024, 1, 1, 5)),
        ),
        (
            {
                "state_type": "date-range",
                "slices": [{"start": "2024-01-01 00:00:00.000000", "end": "2024-01-01T10:00:00.000000+00:00"}],
                "legacy": {"server_upload_time": "2023-01-01 00:00:00.000000"},
            },
            SavedState(settled_before(2024, 1, 1, 5)),
        ),
        ({"state_type": "date-range", "slices": []}, FULL_READ),
        ({"state_type": "date-range", "slices": [{}]}, FULL_READ),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_states_of_other_versions_are_read(state: dict[str, Any], expected: SavedState) -> None:
    before = copy.deepcopy(state)

    saved = ledger_from_state(state, export_delay_hours=DELAY)

    assert saved == expected
    assert state == before


def test_earlier_start_date_applies_to_own_states_only() -> None:
    own = ledger_from_state(a_state(), export_delay_hours=DELAY).ledger
    other = ledger_from_state({"server_upload_time": "20240101T20"}, export_delay_hours=10).ledger

    span = HourWindow(datetime(2023, 1, 1, tzinfo=timezone.utc), START)
    assert own.missing(span, NO_GAPS) == HourSet((span,))
    assert other.missing(span, NO_GAPS) == HourSet((HourWindow(datetime(2024, 1, 1, 8, tzinfo=timezone.utc), START),))


RAN_IN_BETWEEN = (
    "The state's server_upload_time is '20240301T20', but its ledger was written for '20240301T04': another version "
    "of this source ran in between"
)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {},
            RAN_IN_BETWEEN,
        ),
        (
            {"ledger": {**a_state()["ledger"], "version": 2}},
            "The state's ledger has version 2; this source reads version 1",
        ),
        ({"ledger": []}, "The state's ledger has version None; this source reads version 1"),
    ],
    ids=["upstream ran in between", "unknown version", "no ledger"],
)
def test_untrusted_ledger_is_ignored_with_a_warning(changed: dict[str, Any], reason: str) -> None:
    state = a_state() | {"server_upload_time": "20240301T20"} | changed

    saved = ledger_from_state(state, export_delay_hours=DELAY)

    warning = f"{reason}. The ledger is ignored: the hours before server_upload_time count as read."
    assert saved == SavedState(settled_before(2024, 3, 1, 15), (warning,))


def test_a_ledger_of_another_version_needs_a_cursor() -> None:
    state = {"ledger": {**a_state()["ledger"], "version": 2}}

    with pytest.raises(InvalidStateError) as raised:
        ledger_from_state(state, export_delay_hours=DELAY)

    assert raised.value.what == "The state has a ledger of version 2, but no server_upload_time."


@pytest.mark.parametrize(
    "state",
    [
        {"server_upload_time": "yesterday"},
        {"server_upload_time": 1693440000},
        {"server_upload_time": True},
        {"server_upload_time": ["20240101T20"]},
        {"server_upload_time": "20240101"},
        {"server_upload_time": "20240101T24"},
        {"server_upload_time": "0001-01-01T00:00:00Z"},
        {"server_upload_time": "19691231T23"},
        {"server_upload_time": "20241301T00"},
        {"server_upload_time": "20240101T20\n"},
        {"date": "2023-02-17"},
        {"state_type": "date-range", "slices": [{"start": 1, "end": 2}]},
        {"state_type": "date-range", "slices": [["20240101T00"]]},
    ],
    ids=json.dumps,
)
def test_unknown_state_is_an_error(state: dict[str, Any]) -> None:
    with pytest.raises(InvalidStateError) as caught:
        ledger_from_state(state, export_delay_hours=DELAY)

    assert caught.value.what.startswith("The state")


def test_error_truncates_long_values() -> None:
    with pytest.raises(InvalidStateError) as caught:
        ledger_from_state({"server_upload_time": "x" * 1000}, export_delay_hours=DELAY)

    assert caught.value.what == f"The state's server_upload_time is '{'x' * 79}..., not a time from 1970 to 2199."


def use(saved: SavedState) -> None:
    """Use a ledger as a sync does, then save and load it."""
    ledger = saved.ledger
    now = h(200)
    ledger.clamp(now, end=h(190))
    span = HourWindow(START, now)
    ledger.missing(span, NO_GAPS)
    ledger.rechecks_due(span, (6, 24), now)
    ledger.known("any")
    ledger.with_malformed_lines()
    ledger.mark_empty_response(HourSet((HourWindow(h(1), h(3)),)), asked_at=now, conclusive_after_hours=24 + DELAY)
    ledger.mark_done(h(0), {str(MemberName(PROJECT, h(0), 1)): Fingerprint(1, 1)}, asked_at=now)
    ledger.forget_final_hours((6, 24))
    state = json.loads(json.dumps(state_from_ledger(ledger, start=START, accepted_gaps=NO_GAPS)))
    assert ledger_from_state(state, export_delay_hours=DELAY).warnings == ()


def outcome(state: dict[str, Any]) -> str:
    try:
        saved = ledger_from_state(state, export_delay_hours=DELAY)
    except InvalidStateError:
        return "rejected"
    use(saved)
    return "usable"


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["20240301T05", "2024-03-01T05:00:00Z", "BQH/////", "100200", "20240301T25", ""])
    | st.sampled_from(["99991231T22", "00010101T00", "0001-01-01T00:00:00Z", "2199-12-31 23:00:00", "21991231T23"])
)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def paths_in(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values in ``value``."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += paths_in(inner, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: object) -> Any:  # noqa: ANN401 - any JSON
    if not path:
        return new
    changed = copy.deepcopy(value)
    target = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = new
    return changed


@given(st.sampled_from(paths_in(a_state())[1:]), JSON_VALUES)
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_in_any_field_is_rejected_or_usable(path: tuple[Any, ...], value: object) -> None:
    state = replaced(a_state(), path, value)

    assert outcome(state) in ("rejected", "usable")


@given(st.dictionaries(st.sampled_from(["server_upload_time", "ledger", "slices", "state_type"]), JSON_VALUES))
@settings(deadline=None)
def test_any_json_as_a_state_is_rejected_or_usable(state: dict[str, Any]) -> None:
    assert outcome(state) in ("rejected", "usable")


REGULAR = str(MemberName(PROJECT, h(7), 0))
NAMED = ("ledger", "landed", "20240301T07", "named")
READ_AT = {"read_at": "2024-03-01T08:00:00Z", "packed": ""}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("ledger", "working_hours"), [-5, 0]),
        (("ledger", "settled"), [["20240301T00", "99990101T00"]]),
        (("ledger", "settled"), [["20240301T05", "20240301T05"]]),
        (("ledger", "open"), [["19700101T00", "99991231T23"]]),
        (("ledger", "newest_landed"), "99991231T23"),
        (("ledger", "project"), "\ud800"),
        (("ledger", "landed", "20240301T04", "malformed"), []),
        (("ledger", "landed"), {"99991231T23": READ_AT}),
    ],
    ids=str,
)
def test_crafted_values_are_rejected_or_usable(path: tuple[str, ...], value: object) -> None:
    state = replaced(a_state(), path, value)

    assert outcome(state) in ("rejected", "usable")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("server_upload_time",), "0001-01-01T00:00:00Z"),
        (("server_upload_time",), "00010101T00"),
        (("ledger", "working_hours"), [float("inf"), 1]),
        (("ledger", "landed", "20240301T04", "malformed"), {"5": float("inf")}),
        (("ledger", "landed", "20240301T04", "read_at"), "0001-01-01T00:00:00Z"),
        (NAMED, {"a": [float("inf"), 1, 0]}),
        (NAMED, {REGULAR: [1, 2**40, 0]}),
        (NAMED, {REGULAR: [1, -1, 0]}),
        (NAMED, {REGULAR: [-1, 1, 0]}),
        (("ledger", "settled"), [["00010101T00", "20240301T05"]]),
        (("ledger", "landed"), {"99981231T22": READ_AT, "99991231T22": READ_AT}),
    ],
    ids=str,
)
def test_values_out_of_range_are_rejected_or_usable(path: tuple[str, ...], value: object) -> None:
    state = replaced(a_state(), path, value)
    if path[-1] == "landed":
        state["ledger"]["settled"] = [["20240301T00", "99991231T23"]]

    assert outcome(state) in ("rejected", "usable")


def test_state_at_the_end_of_the_calendar_is_rejected_or_usable() -> None:
    assert outcome({"server_upload_time": "9999-12-31 23:00:00"}) in ("rejected", "usable")
