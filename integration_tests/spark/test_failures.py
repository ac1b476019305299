"""Faults of Amplitude and invalid options: every record is read once, or the error says what to do."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from integration_tests.spark.conftest import FIRST
from source_amplitude import errors
from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    HoursMissingError,
    InvalidConfigError,
    MalformedLinesError,
    NetworkError,
    NotPublishedError,
)
from source_amplitude.spark.options import OPTION_NAMES
from unit_tests.end_to_end.connector import expected_record
from unit_tests.landing.formats.rendering import comparable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integration_tests.spark.desk import Desk, Option

pytestmark = [pytest.mark.spark, pytest.mark.timeout(300)]

SIX, NINE = FIRST + timedelta(hours=6), FIRST + timedelta(hours=9)
LATE_FILES = ["ignore", "driver", "executors"]
_OURS = re.compile(r"^source_amplitude\.errors\.(\w+): (.*)$", re.MULTILINE)

REFUSED = CredentialsRejectedError(
    "Amplitude rejected the API keys (Standard Server, HTTP 403: Invalid API/Secret Key combination).",
    tried="The EU Residency Server rejects them too.",
)
NO_ROW_COUNTS = "Spark discards the rows of the failed task or micro-batch."
AGAIN = "Run the query again. List an hour that stays unreadable in the option accepted_gaps."
FAULTS_FOR_GOOD = [
    pytest.param(
        "server_error",
        {},
        "Amplitude server error for the export for 2026-03-03 06:00 UTC (HTTP 500, text/html, "
        '"<html><head><title>500 error</title></head><body><h1>500 error</h1></body></html>"). '
        "Tried 4 times in N s.",
        id="500",
    ),
    pytest.param(
        "html_instead_of_zip",
        {},
        "The response to the export for 2026-03-03 06:00 UTC is not from Amplitude (HTTP 200, text/html, "
        '"<html><head><title>Service unavailable</title></head><body><h1>Service unavailable</h1></body></html>"). '
        "Tried 4 times in N s.",
        id="HTML instead of a zip",
    ),
    pytest.param(
        "too_large_above_hours",
        {"hours": 0},
        "The export for 2026-03-03 06:00 UTC is too large (HTTP 400: The export file size is too large. Try a shorter "
        "time range.). One hour cannot be split further. Use Amplitude's own S3 export for it (Amplitude: Data > "
        "Destinations > Amazon S3), or name the hour in accepted_gaps to continue without it.",
        id="too large",
    ),
    pytest.param(
        "bad_request",
        {"details": "Invalid something", "message": "", "status": 418},
        "Unexpected response to the export for 2026-03-03 06:00 UTC (HTTP 418: Invalid something). "
        "If it happens again, report it with this message. Nothing was recorded as read.",
        id="an unknown status",
    ),
]
PASSING_FAULTS = [
    pytest.param("too_many_requests", {"times": 2}, id="429"),
    pytest.param("too_many_requests", {"times": 1, "retry_after_seconds": 1}, id="429 with Retry-After"),
    pytest.param("server_error", {"times": 1}, id="500"),
    pytest.param("connection_reset", {"times": 2, "after_bytes": 3000}, id="reset in the body"),
    pytest.param("cut_body", {"times": 2}, id="cut, with Content-Length"),
    pytest.param("cut_body", {"times": 2, "framing": "close"}, id="cut, without Content-Length"),
    pytest.param("clipped_archive", {"times": 2}, id="a directory that lost a member"),
    pytest.param("broken_member", {"times": 1}, id="a damaged gzip member"),
    pytest.param("broken_member", {"times": 1, "how": "cut"}, id="a cut gzip member"),
    pytest.param("no_answer", {"times": 1, "seconds": 3}, id="a read timeout"),
    pytest.param("gateway_timeout_above_hours", {"hours": 2}, id="504 above two hours"),
    pytest.param("too_large_above_hours", {"hours": 1}, id="400 above one hour"),
]
FAULT_OF_EACH_WINDOW: list[tuple[str, dict[str, Any]]] = [
    ("server_error", {"times": 1}),
    ("cut_body", {"times": 1}),
    ("broken_member", {"times": 1}),
    ("too_large_above_hours", {"hours": 1}),
    ("gateway_timeout_above_hours", {"hours": 2}),
    ("too_many_requests", {"times": 1}),
]


def text_of(query: Callable[[], object]) -> str:
    """Return the text of Spark's error for a query that fails."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - PySpark is in .venv-spark alone

    with pytest.raises(PySparkException) as raised:
        query()
    return str(raised.value)


def error_of(query: Callable[[], object]) -> tuple[type[AmplitudeError], str]:
    """Return the class and text of the connector's error that a query fails with, without the seconds of retries."""
    ((name, words),) = _OURS.findall(text_of(query))
    return getattr(errors, name), re.sub(r"times in \d+ s\.", "times in N s.", words)


def as_raised(error: AmplitudeError) -> tuple[type[AmplitudeError], str]:
    if isinstance(error, InvalidConfigError):
        error.advice = "Correct these options and start the query again."
    return type(error), str(error)


def hour_missing(cause: str) -> tuple[type[AmplitudeError], str]:
    """Return the error for a permanent failure of the hour from 06:00."""
    what = f"1 window of the export could not be read. 2026-03-03 06:00 UTC: {cause}"
    return as_raised(HoursMissingError(what, tried=NO_ROW_COUNTS, next_step=AGAIN))


def stored(desk: Desk, first: int = 0, end: int = 24) -> list[str]:
    """Return the records of some hours of the first day as the emulator has them, comparable and in order."""
    lines = desk.emulator.store.lines(FIRST + timedelta(hours=first), FIRST + timedelta(hours=end))
    return sorted(comparable(expected_record(line)) for line in lines)


def write(desk: Desk, **more: Option) -> None:
    desk.load(None, **more).write.parquet(str(desk.table))


def put_malformed(desk: Desk) -> tuple[list[str], MalformedLinesError]:
    """Store three malformed lines in two hours; return the good records and the expected error."""
    good = stored(desk)
    first, second, third, *_ = desk.emulator.store.lines(FIRST + timedelta(hours=30), FIRST + timedelta(hours=32))
    desk.emulator.store.put_content(SIX, 5000, first + b'\n{"user_id": "raw-of-a-user\n\n' + second + b"\n[1]\n")
    desk.emulator.store.put_content(NINE, 5000, b"raw-of-another\n" + third + b"\n")
    good = sorted([*good, *(comparable(expected_record(line)) for line in (first, second, third))])
    six, nine = (f"100200/100200_2026-03-03_{hour}#5000.json.gz" for hour in (6, 9))
    what = (
        f"3 lines are not JSON objects: 2026-03-03 06:00 UTC, member {six}, line 2; 2026-03-03 06:00 UTC, member "
        f"{six}, line 5; 2026-03-03 09:00 UTC, member {nine}, line 1."
    )
    next_step = "Report the hour to Amplitude's support. To skip such lines, set the option malformed_lines to 'skip'."
    return good, MalformedLinesError(what, tried=NO_ROW_COUNTS, next_step=next_step)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        pytest.param({"secret_key": "another"}, REFUSED, id="refused keys"),
        pytest.param(
            {"data_region": "EU Residency Server"},
            CredentialsRejectedError(
                "Amplitude rejected the API keys (EU Residency Server, HTTP 403: Invalid API Key).",
                tried="The Standard Server accepts them.",
                next_step="Set data_region to 'Standard Server'.",
            ),
            id="the other region",
        ),
        pytest.param(
            {"strat_date": "2026-03-03"},
            InvalidConfigError((f"strat_date: unknown option; the options are {', '.join(OPTION_NAMES)}",)),
            id="an unknown option",
        ),
        pytest.param(
            {"stream": "cohorts"},
            InvalidConfigError(("stream: 'cohorts' is not 'events', the only stream that Spark can read",)),
            id="an unknown stream",
        ),
        pytest.param(
            {"api_key": None, "start_date": None},
            InvalidConfigError(("start_date is missing", "api_key is missing")),
            id="options left out",
        ),
        pytest.param(
            {
                "start_date": "yesterday",
                "data_region": "Mars",
                "recheck_hours": "6,later",
                "accepted_gaps": "noon",
                "malformed_lines": "eat",
                "num_workers": 6,
                "properties": "xml",
                "late_files": "maybe",
                "windows_per_batch": 0,
                "poll_seconds": "soon",
            },
            InvalidConfigError(
                (
                    "start_date: 'yesterday' is not a UTC time of the form 2021-01-25T00:00:00Z",
                    "data_region: 'Mars' is not one of 'Standard Server', 'EU Residency Server'",
                    "recheck_hours: [6, 'later'] is not a list of whole numbers from 1 to 720",
                    (
                        "accepted_gaps: 'noon' is not an hour (2024-03-01T05) or a range of hours "
                        "(2024-03-01T05/2024-03-01T09)"
                    ),
                    "malformed_lines: 'eat' is not one of 'report', 'fail', 'skip'",
                    "num_workers: 6 is not a whole number from 1 to 5",
                    "properties: 'xml' is not one of 'json', 'variant'",
                    "late_files: 'maybe' is not one of 'ignore', 'driver', 'executors'",
                    "windows_per_batch: '0' is not a whole number from 1 to 10000",
                    "poll_seconds: 'soon' is not a whole number from 1 to 3600",
                )
            ),
            id="wrong values",
        ),
    ],
)
def test_invalid_options_are_reported(desk: Desk, options: Mapping[str, Option], error: AmplitudeError) -> None:
    batch = error_of(lambda: desk.load(None, **options).collect())
    streaming = error_of(lambda: desk.stream(**options))

    assert (batch, streaming) == (as_raised(error), as_raised(error))
    assert desk.files() == []


def test_a_schema_that_does_not_fit_is_rejected(desk: Desk) -> None:
    schema = "uuid STRING, nothing STRING, event_id STRING, event_properties MAP<STRING, STRING>"

    problems = (
        "schema: unknown column nothing",
        "schema: event_id is string, but must be bigint",
        "schema: event_properties is map<string,string>, but must be string or variant",
    )
    assert error_of(lambda: desk.load(schema).collect()) == as_raised(InvalidConfigError(problems))


def test_an_unreachable_address_is_reported(desk: Desk) -> None:
    from integration_tests.spark.quick_amplitude import QuickAmplitude  # noqa: PLC0415 - PySpark, as above

    class Elsewhere(QuickAmplitude):
        """A local class: Spark's workers get it by value, because they have one AMPLITUDE_API_URL per session."""

        def __init__(self, options: Mapping[str, str]) -> None:
            super().__init__(options)
            self._api_url = "http://127.0.0.1:9"

        @classmethod
        def name(cls) -> str:
            return "amplitude_elsewhere"

    desk.spark.dataSource.register(Elsewhere)
    query = desk.spark.read.format("amplitude_elsewhere").options(**desk.given()).load()

    kind, words = error_of(query.collect)

    what = "Cannot connect to 127.0.0.1 for the API key check (connection refused). Tried 4 times in N s."
    error = NetworkError(what, next_step="Start the query again.")
    assert (kind, words) == as_raised(error)


def test_an_end_that_is_not_published_yet_is_rejected(desk: Desk) -> None:
    error = NotPublishedError(
        "Amplitude has not published 2026-03-04 10:00 to 13:00 UTC yet. Not available before 2026-03-04 15:00 UTC.",
        next_step="Run the query again then, or leave out end_date to read what is published.",
    )

    assert error_of(lambda: desk.load(end_date="2026-03-04T13:00:00Z").collect()) == as_raised(error)


@pytest.mark.parametrize(("name", "settings", "cause"), FAULTS_FOR_GOOD)
def test_a_permanent_failure_of_an_hour_fails_a_batch_query(
    desk: Desk, name: str, settings: dict[str, Any], cause: str
) -> None:
    desk.emulator.faults.add(name, hour=SIX, **settings)

    words = error_of(lambda: write(desk, request_time_range=1))
    left = desk.files()
    desk.emulator.faults.clear()
    desk.clear()
    write(desk, request_time_range=1)

    assert words == hour_missing(cause)
    assert left == []
    assert desk.written() == stored(desk)


@pytest.mark.parametrize("late_files", LATE_FILES)
def test_a_streaming_query_waits_until_a_failing_hour_is_fixed(desk: Desk, late_files: str) -> None:
    options: dict[str, Option] = {"request_time_range": 1, "windows_per_batch": 4, "late_files": late_files}
    desk.emulator.faults.add("server_error", hour=SIX)

    words = [error_of(lambda: desk.stream(**options)) for _ in range(2)]
    before = desk.written()
    desk.emulator.faults.clear()
    desk.stream(**options)

    cause = (
        "Amplitude server error for the export for 2026-03-03 06:00 UTC (HTTP 500, text/html, "
        '"<html><head><title>500 error</title></head><body><h1>500 error</h1></body></html>"). '
        "Tried 4 times in N s."
    )
    assert words == [hour_missing(cause)] * 2
    assert before == stored(desk, 0, 4)
    assert desk.written() == desk.read()


def test_keys_revoked_during_a_query_fail_it(desk: Desk) -> None:
    desk.emulator.faults.add("forbidden", hour=SIX)

    words = error_of(lambda: write(desk))

    what = "Amplitude rejected the API keys (Standard Server, HTTP 403: User is not authorized to access this project)."
    assert words == as_raised(CredentialsRejectedError(what))
    assert desk.files() == []


@pytest.mark.parametrize("policy", ["report", "fail"])
def test_malformed_lines_fail_a_batch_query_with_their_places(desk: Desk, policy: str) -> None:
    _, error = put_malformed(desk)

    words = error_of(lambda: write(desk, malformed_lines=policy, num_workers=1))

    assert words == as_raised(error)
    assert desk.files() == []


def test_malformed_lines_are_skipped_on_request(desk: Desk) -> None:
    good, _ = put_malformed(desk)

    write(desk, malformed_lines="skip")

    assert desk.written() == good


@pytest.mark.parametrize("late_files", LATE_FILES)
def test_a_failed_stream_continues_with_malformed_lines_skipped(desk: Desk, late_files: str) -> None:
    good, error = put_malformed(desk)

    words = error_of(lambda: desk.stream(late_files=late_files, num_workers=1))
    desk.stream(late_files=late_files, num_workers=1, malformed_lines="skip")

    assert words == as_raised(error)
    assert desk.written() == good


def test_no_error_of_a_task_shows_event_content(desk: Desk) -> None:
    events = desk.emulator.store.events(FIRST, FIRST + timedelta(days=1))
    parts = {"raw-of", *(str(event[name]) for event in events for name in ("uuid", "$insert_id", "device_id"))}
    put_malformed(desk)

    texts = [text_of(lambda: write(desk))]
    texts += [text_of(partial(desk.stream, late_files=late_files)) for late_files in LATE_FILES]
    desk.clear()
    desk.emulator.faults.add("broken_member", hour=SIX)
    texts += [text_of(lambda: write(desk, malformed_lines="skip"))]

    assert [part for part in parts for text in texts if part in text] == []


@pytest.mark.parametrize(("name", "settings"), PASSING_FAULTS)
def test_every_record_is_read_once_despite(desk: Desk, name: str, settings: dict[str, Any]) -> None:
    desk.emulator.faults.add(name, hour=SIX, **settings)

    write(desk)

    assert desk.written() == stored(desk)


@pytest.mark.parametrize("late_files", LATE_FILES)
def test_every_record_of_a_stream_is_read_once_despite_faults(desk: Desk, late_files: str) -> None:
    for number, (name, settings) in enumerate(FAULT_OF_EACH_WINDOW):
        desk.emulator.faults.add(name, hour=FIRST + timedelta(hours=4 * number + 1), **settings)

    desk.stream(late_files=late_files, windows_per_batch=2)

    assert desk.written() == stored(desk)
