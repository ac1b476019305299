from __future__ import annotations

import logging
from argparse import Namespace
from datetime import datetime, timedelta, timezone

import pytest

from source_amplitude.commands.inspection import fetch_command
from source_amplitude.commands.land import advice_without_config
from source_amplitude.commands.session import logs_on_stderr, moment, print_error, span, yesterday
from source_amplitude.config import Keys
from source_amplitude.errors import CredentialsRejectedError, InvalidConfigError, StoreError
from source_amplitude.windows import HourSet, HourWindow

LOGGER = logging.getLogger("airbyte")
NOW = datetime(2026, 3, 4, 12, 34, 56, tzinfo=timezone.utc)
NOON = NOW.replace(minute=0, second=0)
MIDNIGHT = NOON.replace(hour=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", MIDNIGHT),
        ("yesterday", MIDNIGHT - DAY),
        ("0h", NOON),
        ("36h", NOON - 36 * HOUR),
        ("3d", NOON - 3 * DAY),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=timezone.utc)),
        ("2026-03-01T05", datetime(2026, 3, 1, 5, tzinfo=timezone.utc)),
        ("2026-03-01T05:59:59Z", datetime(2026, 3, 1, 5, tzinfo=timezone.utc)),
        ("2026-03-01T05:00:00+02:00", datetime(2026, 3, 1, 3, tzinfo=timezone.utc)),
        ("2014-11-11T23", datetime(2014, 11, 11, tzinfo=timezone.utc)),
        ("2014-11-12T01", datetime(2014, 11, 12, 1, tzinfo=timezone.utc)),
    ],
)
def test_a_moment_is_rounded_down_to_an_hour_or_a_day(text: str, expected: datetime) -> None:
    assert moment("--start", text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "tomorrow", "3w", "-3d", "3 d", "2026-13-01", "2026-03-01T24", "20260301T05"]
)
def test_an_invalid_time_is_reported_with_the_valid_formats(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        moment("--end", text, NOW)

    formats = "a UTC time (2026-01-01, 2026-01-01T05, yesterday, today; 36h or 3d: that long ago)"
    assert raised.value.problems == (f"--end: {text!r} is not {formats}",)


@pytest.mark.parametrize("text", ["2009-12-31", "99999d"])
def test_a_time_before_amplitude_existed_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        moment("--start", text, NOW)

    assert raised.value.problems == (f"--start: {text!r} is before 2010-01-01",)


@pytest.mark.parametrize("end", [NOON, NOON - HOUR])
def test_an_end_before_the_start_is_refused(end: datetime) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        span(NOON, end)

    assert raised.value.problems == (f"--end: {end:%Y-%m-%dT%H} is not after --start, 2026-03-04T12",)


def test_a_log_line_from_outside_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with logs_on_stderr(Namespace(debug=False)) as secrets:
        secrets.append(Keys("an-api-key", "a-secret-key"))
        LOGGER.warning("member %s", "a\x1b[2J\n2026 INFO forged an-api-key")
        LOGGER.error("failed", exc_info=ValueError("odd\x1b\nline"))

    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith(" WARNING member a\\x1b[2J\\n2026 INFO forged ****")
    assert lines[1].endswith(" ERROR failed")
    assert lines[2:] == ["ValueError: odd\\x1b", "line"]


def test_an_error_from_outside_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code = print_error(StoreError("bad\x1b[2J\r\nsource-amplitude: forged an-api-key"), Keys("an-api-key", "s" * 9))

    err = capsys.readouterr().err
    assert code == 1
    assert err.startswith("source-amplitude: bad\\x1b[2J\\r\\nsource-amplitude: forged **** ")
    assert err.count("\n") == 1


def test_the_default_start_is_yesterday() -> None:
    assert yesterday(NOW) == MIDNIGHT - DAY


def test_no_missing_hours_give_no_command() -> None:
    assert fetch_command(config=None, to="here", format_="raw", missing=HourSet()) is None


def test_the_fetch_command_is_quoted_for_a_shell() -> None:
    missing = HourSet.of([HourWindow(NOON, NOON + HOUR), HourWindow(NOON + 5 * HOUR, NOON + 6 * HOUR)])

    assert fetch_command(config="my config.json", to="s3://b/p", format_="jsonl", missing=missing) == (
        "source-amplitude land --config 'my config.json' --to s3://b/p --start 2026-03-04T12 --end 2026-03-04T18 "
        "--format jsonl --only-missing"
    )


@pytest.mark.parametrize(
    ("advice", "expected"),
    [
        ("Set data_region to 'EU Residency Server'.", "Use --region eu, or set AMPLITUDE_REGION=eu."),
        ("Set data_region to 'Standard Server'.", "Use --region us, or set AMPLITUDE_REGION=us."),
    ],
)
def test_other_region_is_advised_as_option(advice: str, expected: str) -> None:
    assert advice_without_config(CredentialsRejectedError("Rejected.", next_step=advice)) == expected


def test_a_command_without_configuration_has_no_option() -> None:
    missing = HourSet.of([HourWindow(NOON, NOON + HOUR)])

    assert fetch_command(config=None, to="here", format_="raw", missing=missing) == (
        "source-amplitude land --to here --start 2026-03-04T12 --end 2026-03-04T13 --only-missing"
    )


def test_the_fetch_command_calls_the_same_program() -> None:
    missing, program = HourSet.of([HourWindow(NOON, NOON + HOUR)]), ("python", "main.py")

    assert fetch_command(config="/dev/fd/63", to="./a:b", format_="raw", missing=missing, program=program) == (
        "python main.py land --config <(...) --to ./a:b --start 2026-03-04T12 --end 2026-03-04T13 --only-missing"
    )
