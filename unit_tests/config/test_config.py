from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pendulum
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.config import (
    AMPLITUDE_BEGINNING,
    BackfillOrder,
    Config,
    Keys,
    MalformedLines,
    Region,
    parse_config,
)
from source_amplitude.errors import InvalidConfigError
from source_amplitude.windows import DAY_FILES_END, HOUR, HourSet, HourWindow

SPEC_FILE = Path(__file__).parents[2] / "source_amplitude" / "spec.json"
SPEC: dict[str, Any] = json.loads(SPEC_FILE.read_bytes())["connectionSpecification"]
PROPERTIES: dict[str, Any] = SPEC["properties"]

MINIMAL = {"api_key": "the-api-key", "secret_key": "the-secret", "start_date": "2024-03-01T05:30:00Z"}
FIVE = datetime(2024, 3, 1, 5, tzinfo=timezone.utc)


def config(**changes: object) -> Config:
    return parse_config({**MINIMAL, **changes})


def problems(**changes: object) -> tuple[str, ...]:
    with pytest.raises(InvalidConfigError) as caught:
        config(**changes)
    return caught.value.problems


def test_the_three_required_values_suffice() -> None:
    assert parse_config(MINIMAL) == Config(
        keys=Keys("the-api-key", "the-secret"),
        region=Region.STANDARD,
        start=FIVE,
        end=None,
        window_hours=4,
        active_users_group_by_country=True,
        export_delay_hours=3,
        recheck_hours=(6, 24),
        accepted_gaps=HourSet(),
        malformed_lines=MalformedLines.REPORT,
        backfill_order=BackfillOrder.OLDEST_FIRST,
        num_workers=4,
        num_processes=None,
        dashboard_lookback_days=3,
        project_time_zone=None,
        cohort_ids=(),
        cohort_properties=(),
        composition_properties=(),
        chart_ids=(),
    )


def test_every_value_can_be_set() -> None:
    parsed = config(
        data_region="EU Residency Server",
        end_date="2024-03-02T00:59:59Z",
        request_time_range=24,
        active_users_group_by_country=False,
        export_delay_hours=5,
        recheck_hours=[48, 6, 6],
        accepted_gaps=["2024-03-01T05", "2024-03-01T06/2024-03-01T09", "2024-03-01T20Z"],
        malformed_lines="skip",
        backfill_order="newest-first",
        num_workers=5,
        num_processes=2,
        dashboard_lookback_days=90,
        project_time_zone="Europe/Berlin",
        cohort_ids=["k3x9ab2", " m7 ", "k3x9ab2"],
        cohort_properties=["plan", "é +"],
        composition_properties=["country", "gp:plan"],
        chart_ids=["abc123"],
    )

    assert parsed == Config(
        keys=Keys("the-api-key", "the-secret"),
        region=Region.EU,
        start=FIVE,
        end=datetime(2024, 3, 2, tzinfo=timezone.utc),
        window_hours=24,
        active_users_group_by_country=False,
        export_delay_hours=5,
        recheck_hours=(6, 48),
        accepted_gaps=HourSet((HourWindow(FIVE, FIVE + 4 * HOUR), HourWindow(FIVE + 15 * HOUR, FIVE + 16 * HOUR))),
        malformed_lines=MalformedLines.SKIP,
        backfill_order=BackfillOrder.NEWEST_FIRST,
        num_workers=5,
        num_processes=2,
        dashboard_lookback_days=90,
        project_time_zone=pendulum.timezone("Europe/Berlin"),
        cohort_ids=("k3x9ab2", "m7"),
        cohort_properties=("plan", "é +"),
        composition_properties=("country", "gp:plan"),
        chart_ids=("abc123",),
    )


@pytest.mark.parametrize("name", [name for name in PROPERTIES if name not in SPEC["required"]])
def test_a_null_optional_value_is_the_default(name: str) -> None:
    assert config(**{name: None}) == parse_config(MINIMAL)


def test_unknown_fields_are_ignored() -> None:
    assert config(__injected_declarative_manifest={}, lookback=7) == parse_config(MINIMAL)


def test_whitespace_around_keys_is_removed() -> None:
    assert config(api_key=" a b\n", secret_key="\tc").keys == Keys("a b", "c")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("2024-03-01T05:59:59Z", FIVE),
        ("2024-03-01T05:00:00Z", FIVE),
        ("2024-03-01", FIVE.replace(hour=0)),
        ("2024-03-01T07:15:00+02:00", FIVE),
        ("2024-03-01 05:15:00.123456", FIVE),
        ("2014-11-11T23:00:00Z", datetime(2014, 11, 11, tzinfo=timezone.utc)),
        ("2014-11-12T00:59:00Z", DAY_FILES_END),
    ],
)
def test_dates_are_rounded_down_to_the_hour_or_day(text: str, start: datetime) -> None:
    assert config(start_date=text).start == start
    assert config(start_date="2012-01-01T00:00:00Z", end_date=text).end == start


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"api_key": None}, ("api_key is missing",)),
        ({"api_key": ""}, ("api_key is empty",)),
        ({"secret_key": "  "}, ("secret_key is blank or not a string",)),
        ({"secret_key": 5}, ("secret_key is blank or not a string",)),
        ({"start_date": None}, ("start_date is missing",)),
        ({"start_date": ""}, ("start_date: '' is not a UTC time of the form 2021-01-25T00:00:00Z",)),
        (
            {"start_date": "2024-02-30T00:00:00Z"},
            ("start_date: '2024-02-30T00:00:00Z' is not a UTC time of the form 2021-01-25T00:00:00Z",),
        ),
        ({"start_date": 20240301}, ("start_date: 20240301 is not a UTC time of the form 2021-01-25T00:00:00Z",)),
        ({"end_date": "soon"}, ("end_date: 'soon' is not a UTC time of the form 2021-01-25T00:00:00Z",)),
        (
            {"end_date": "2024-03-01T05:59:00Z"},
            ("end_date: '2024-03-01T05:59:00Z' is not after start_date, both rounded down to the hour",),
        ),
        (
            {"data_region": "mars"},
            ("data_region: 'mars' is not one of 'Standard Server', 'EU Residency Server', 'US', 'EU'",),
        ),
        (
            {"data_region": ["EU"]},
            ("data_region: ['EU'] is not one of 'Standard Server', 'EU Residency Server', 'US', 'EU'",),
        ),
        ({"backfill_order": "newest"}, ("backfill_order: 'newest' is not one of 'oldest_first', 'newest_first'",)),
        ({"malformed_lines": "ignore"}, ("malformed_lines: 'ignore' is not one of 'report', 'fail', 'skip'",)),
        (
            {"active_users_group_by_country": "yes"},
            ("active_users_group_by_country: 'yes' is neither true nor false",),
        ),
        ({"active_users_group_by_country": 1}, ("active_users_group_by_country: 1 is neither true nor false",)),
        ({"recheck_hours": 6}, ("recheck_hours: 6 is not a list of whole numbers from 1 to 720",)),
        ({"recheck_hours": [6, 0]}, ("recheck_hours: [6, 0] is not a list of whole numbers from 1 to 720",)),
        ({"recheck_hours": [721]}, ("recheck_hours: [721] is not a list of whole numbers from 1 to 720",)),
        ({"recheck_hours": [[6]]}, ("recheck_hours: [[6]] is not a list of whole numbers from 1 to 720",)),
        ({"recheck_hours": [True]}, ("recheck_hours: [True] is not a list of whole numbers from 1 to 720",)),
        ({"accepted_gaps": "2024-03-01T05"}, ("accepted_gaps: '2024-03-01T05' is not a list of hours",)),
    ],
)
def test_an_invalid_value_is_reported_with_its_field(changes: dict[str, object], expected: tuple[str, ...]) -> None:
    assert problems(**changes) == expected


@pytest.mark.parametrize("value", [0, -1, 99999, 4.5, 24.0, "24", True, [4], {}], ids=repr)
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("request_time_range", 1, 8760),
        ("export_delay_hours", 1, 168),
        ("num_workers", 1, 5),
        ("num_processes", 1, 16),
        ("dashboard_lookback_days", 1, 90),
    ],
)
def test_a_number_out_of_range_is_reported_with_its_field(name: str, least: int, most: int, value: object) -> None:
    assert problems(**{name: value}) == (f"{name}: {value!r} is not a whole number from {least} to {most}",)


@pytest.mark.parametrize(
    "gap",
    [
        5,
        None,
        "",
        "/",
        "2024-03-01",
        "2024-03-01T24",
        "2024-03-01T05:30",
        "2024-02-30T05",
        "2024-03-01T05/2024-03-01T05",
        "2024-03-01T05/2024-03-01T04",
        "2024-03-01T05/never",
        "/2024-03-01T05",
    ],
    ids=repr,
)
def test_an_invalid_gap_is_reported(gap: object) -> None:
    assert problems(accepted_gaps=["2024-03-01T04", gap]) == (
        f"accepted_gaps: {gap!r} is not an hour (2024-03-01T05) or a range of hours (2024-03-01T05/2024-03-01T09)",
    )


def test_a_gap_at_the_end_of_the_calendar_is_reported() -> None:
    [problem] = problems(accepted_gaps=["9999-12-31T23"])

    assert problem.startswith("accepted_gaps: '9999-12-31T23' is not an hour (2024-03-01T05) or a range of hours")


def test_a_gap_in_a_day_file_is_the_whole_day() -> None:
    day = HourWindow(datetime(2014, 3, 1, tzinfo=timezone.utc), datetime(2014, 3, 2, tzinfo=timezone.utc))

    assert config(accepted_gaps=["2014-03-01T05"]).accepted_gaps == HourSet((day,))


def test_a_start_before_1970_is_invalid_and_2010_is_the_earliest() -> None:
    assert problems(start_date="0001-01-01T00:00:00Z") == ("start_date: '0001-01-01T00:00:00Z' is before 1970",)
    assert config(start_date="1970-01-01T00:00:00Z").start == datetime(2010, 1, 1, tzinfo=timezone.utc)


def test_only_reading_needs_a_start_date() -> None:
    keys = {"api_key": "the-api-key", "secret_key": "the-secret"}

    assert parse_config(keys, needs_start=False) == Config(
        Keys("the-api-key", "the-secret"), Region.STANDARD, AMPLITUDE_BEGINNING
    )
    assert parse_config(MINIMAL, needs_start=False) == parse_config(MINIMAL)


def test_a_key_that_cannot_be_encoded_is_reported() -> None:
    assert problems(api_key="\ud800") == ("api_key is blank or not a string",)


@pytest.mark.parametrize("name", ["cohort_ids", "cohort_properties", "composition_properties", "chart_ids"])
@pytest.mark.parametrize("value", ["k3x9ab2", {}, 5, [5], [None], [""], ["a", " \t"], [["a"]], ["\ud800"]], ids=repr)
def test_an_invalid_list_of_names_is_reported(name: str, value: object) -> None:
    assert problems(**{name: value}) == (f"{name}: {value!r} is not a list of non-empty strings",)


@pytest.mark.parametrize("name", ["cohort_ids", "cohort_properties", "composition_properties", "chart_ids"])
def test_names_are_trimmed_and_unique_in_their_order(name: str) -> None:
    assert getattr(config(**{name: [" b", "a\n", "b", "c d"]}), name) == ("b", "a", "c d")
    assert getattr(config(**{name: []}), name) == ()


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+12"])
def test_a_time_zone_is_found_by_its_name(name: str) -> None:
    zone = config(project_time_zone=name).project_time_zone

    assert zone == pendulum.timezone(name)


def test_an_empty_time_zone_is_none() -> None:
    assert config(project_time_zone="").project_time_zone is None


@pytest.mark.parametrize(
    "value",
    [
        "Berlin",
        "Europe",
        "Europe/Berlin ",
        " ",
        "../etc/passwd",
        "/etc/passwd",
        "x" * 50,
        "\0",
        "CEST+",
        2,
        True,
        ["UTC"],
    ],
    ids=repr,
)
def test_an_unknown_time_zone_is_reported(value: object) -> None:
    assert problems(project_time_zone=value) == (
        f"project_time_zone: {value!r} is not a time zone such as Europe/Berlin",
    )


def test_all_problems_are_reported_together_without_keys() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse_config({"api_key": 7351, "data_region": "mars", "num_workers": 9, "accepted_gaps": ["x", "y"]})

    assert caught.value.problems == (
        "start_date is missing",
        "api_key is blank or not a string",
        "secret_key is missing",
        "data_region: 'mars' is not one of 'Standard Server', 'EU Residency Server', 'US', 'EU'",
        "accepted_gaps: 'x' is not an hour (2024-03-01T05) or a range of hours (2024-03-01T05/2024-03-01T09)",
        "accepted_gaps: 'y' is not an hour (2024-03-01T05) or a range of hours (2024-03-01T05/2024-03-01T09)",
        "num_workers: 9 is not a whole number from 1 to 5",
    )
    assert "7351" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "region"), [("EU", Region.EU), ("eu", Region.EU), ("US", Region.STANDARD), ("us", Region.STANDARD)]
)
def test_regions_have_short_names(name: str, region: Region) -> None:
    assert config(data_region=name).region is region


def test_a_long_invalid_value_is_shortened() -> None:
    assert problems(data_region="x" * 1000) == (
        f"data_region: '{'x' * 59}... is not one of 'Standard Server', 'EU Residency Server', 'US', 'EU'",
    )


def test_no_text_of_a_configuration_has_a_key() -> None:
    parsed = parse_config(MINIMAL)

    for text in (repr(parsed), str(parsed), repr(parsed.keys), f"{parsed.keys}"):
        assert "the-api-key" not in text
        assert "the-secret" not in text


@given(
    st.sampled_from(sorted(PROPERTIES)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=5,
    ),
)
@settings(deadline=None, max_examples=200)
def test_any_value_of_any_field_is_used_or_reported(name: str, value: object) -> None:
    named: list[str] = []
    try:
        parsed: Config | None = config(**{name: value})
    except InvalidConfigError as error:
        parsed, named = None, [re.split(r"[: ]", problem)[0] for problem in error.problems]

    assert (parsed is None) == bool(named)
    assert set(named) <= {name}


@pytest.mark.parametrize(
    ("delay", "ages", "expected"),
    [(3, (6, 24), 27), (3, (), 27), (3, (26,), 27), (3, (27,), 28), (1, (720,), 721), (168, (24,), 192)],
)
def test_404_is_conclusive_past_a_day_and_every_recheck(delay: int, ages: tuple[int, ...], expected: int) -> None:
    start = datetime(2026, 3, 1, tzinfo=timezone.utc)
    config = Config(Keys("key", "secret"), Region.STANDARD, start, export_delay_hours=delay, recheck_hours=ages)

    assert config.conclusive_after_hours == expected
