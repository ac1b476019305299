from __future__ import annotations

from datetime import datetime, timezone

import pytest

from source_amplitude.config import Config, Keys, MalformedLines, Region
from source_amplitude.errors import InvalidConfigError
from source_amplitude.spark.options import LateFiles, Options, Properties, parse_options
from source_amplitude.windows import HourSet, HourWindow

NEEDED = {"api_key": "key", "secret_key": "secret", "start_date": "2026-03-04T05:30:00Z"}
START = datetime(2026, 3, 4, 5, tzinfo=timezone.utc)


def problems_of(**options: str) -> tuple[str, ...]:
    with pytest.raises(InvalidConfigError) as raised:
        parse_options(options)
    return raised.value.problems


def test_only_keys_and_a_start_are_needed() -> None:
    options = parse_options(NEEDED)

    config = Config(Keys("key", "secret"), Region.STANDARD, START)
    assert options == Options(config, Properties.JSON, LateFiles.IGNORE, windows_per_batch=8, poll_seconds=300)


def test_option_names_are_case_insensitive() -> None:
    gap = datetime(2026, 3, 4, 7, tzinfo=timezone.utc)

    options = parse_options(
        {
            **{name.upper(): value for name, value in NEEDED.items()},
            "DATA_REGION": "EU Residency Server",
            "end_date": "2026-03-05T00:00:00Z",
            "request_time_range": "2",
            "export_delay_hours": "5",
            "num_workers": "3",
            "recheck_hours": "6, 48",
            "accepted_gaps": '["2026-03-04T07"]',
            "malformed_lines": "skip",
            "stream": "events",
            "properties": "variant",
            "late_files": "executors",
            "windows_per_batch": "20",
            "poll_seconds": "60",
        }
    )

    config = Config(
        Keys("key", "secret"),
        Region.EU,
        START,
        end=datetime(2026, 3, 5, tzinfo=timezone.utc),
        window_hours=2,
        export_delay_hours=5,
        num_workers=3,
        recheck_hours=(6, 48),
        accepted_gaps=HourSet((HourWindow(gap, gap.replace(hour=8)),)),
        malformed_lines=MalformedLines.SKIP,
    )
    assert options == Options(config, Properties.VARIANT, LateFiles.EXECUTORS, windows_per_batch=20, poll_seconds=60)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("stream", "cohorts", "stream: 'cohorts' is not 'events', the only stream that Spark can read"),
        ("properties", "struct", "properties: 'struct' is not one of 'json', 'variant'"),
        ("late_files", "yes", "late_files: 'yes' is not one of 'ignore', 'driver', 'executors'"),
        ("windows_per_batch", "0", "windows_per_batch: '0' is not a whole number from 1 to 10000"),
        ("poll_seconds", "-1", "poll_seconds: '-1' is not a whole number from 1 to 3600"),
        ("num_workers", "many", "num_workers: 'many' is not a whole number from 1 to 5"),
        ("recheck_hours", "6,soon", "recheck_hours: [6, 'soon'] is not a list of whole numbers from 1 to 720"),
    ],
)
def test_an_invalid_option_is_reported(name: str, value: str, problem: str) -> None:
    assert problems_of(**NEEDED, **{name: value}) == (problem,)


def test_a_list_may_be_one_value_and_a_number_may_have_spaces() -> None:
    config = parse_options({**NEEDED, "recheck_hours": "6", "num_workers": " 3 "}).config

    assert (config.recheck_hours, config.num_workers) == ((6,), 3)


def test_an_empty_key_is_not_searched_in_other_options() -> None:
    assert problems_of(**{**NEEDED, "api_key": ""}) == ("api_key is empty",)


def test_a_long_value_is_shortened() -> None:
    (problem,) = problems_of(**NEEDED, num_workers="9" * 5000)

    assert len(problem) < 150


@pytest.mark.parametrize("name", ["stream", "properties", "recheck_hours", "data_region"])
def test_a_key_in_another_option_is_never_shown(name: str) -> None:
    key = 'it\'s a, "key"'

    problems = problems_of(**{**NEEDED, "secret_key": f" {key} ", name: f"{key} and more"})

    assert problems == (f"{name} contains one of the keys",)


def test_all_problems_and_unknown_options_are_reported_together() -> None:
    problems = problems_of(api_key="key", secret_key="secret", strat_date="2026-03-04", num_workers="9")

    assert problems[:2] == ("start_date is missing", "num_workers: 9 is not a whole number from 1 to 5")
    assert problems[2].startswith("strat_date: unknown option; the options are api_key, secret_key, ")
