from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.api.responses import (
    ErrorResponse,
    common_error,
    date_from_header,
    export_error,
    names_the_keys,
    reason_from_body,
    rest_error,
)
from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    ExportTooLargeError,
    ExportTooSlowError,
    ForeignResponseError,
    NotFoundError,
    NotInPlanError,
    RateLimitedError,
    RequestRejectedError,
    ServerFailureError,
    UnexpectedResponseError,
)
from source_amplitude.windows import HOUR, HourWindow

NINE = datetime(2024, 3, 1, 9, tzinfo=timezone.utc)
WINDOW = HourWindow(NINE, NINE + 4 * HOUR)
SPAN = "2024-03-01 09:00 to 13:00 UTC"
REGION = "Standard Server"


@pytest.mark.parametrize(
    ("status", "reason", "kind", "what"),
    [
        pytest.param(
            401,
            "",
            CredentialsRejectedError,
            "Amplitude rejected the API keys (Standard Server, HTTP 401).",
            id="401",
        ),
        pytest.param(
            403,
            "Forbidden",
            CredentialsRejectedError,
            "Amplitude rejected the API keys (Standard Server, HTTP 403: Forbidden).",
            id="403",
        ),
        pytest.param(
            400,
            "invalid api_key",
            CredentialsRejectedError,
            "Amplitude rejected the API keys (Standard Server, HTTP 400: invalid api_key).",
            id="400 that names the keys",
        ),
        pytest.param(
            400,
            "Raw data files are too large. Try to break up your query into smaller time ranges.",
            ExportTooLargeError,
            f"The export for {SPAN} is too large (HTTP 400: Raw data files are too large. "
            "Try to break up your query into smaller time ranges.).",
            id="400 with the size text",
        ),
        pytest.param(
            400,
            "the result exceeds 4GB",
            ExportTooLargeError,
            f"The export for {SPAN} is too large (HTTP 400: the result exceeds 4GB).",
            id="400 with the limit",
        ),
        pytest.param(
            400,
            "start must be before end",
            UnexpectedResponseError,
            f"Unexpected response to the export for {SPAN} (HTTP 400: start must be before end).",
            id="400 for another reason",
        ),
        pytest.param(
            400,
            "",
            ExportTooLargeError,
            f"The export for {SPAN} is too large (HTTP 400).",
            id="400 without words",
        ),
        pytest.param(
            504,
            "an HTML page",
            ExportTooSlowError,
            f"The export for {SPAN} timed out at Amplitude (HTTP 504: an HTML page).",
            id="504",
        ),
        pytest.param(
            429,
            "slow down",
            RateLimitedError,
            f"Rate limit reached for the export for {SPAN} (HTTP 429: slow down).",
            id="429",
        ),
        pytest.param(
            500, "", ServerFailureError, f"Amplitude server error for the export for {SPAN} (HTTP 500).", id="500"
        ),
        pytest.param(
            503,
            "too large a load",
            ServerFailureError,
            f"Amplitude server error for the export for {SPAN} (HTTP 503: too large a load).",
            id="503 whatever its words",
        ),
        pytest.param(
            418,
            "I'm a teapot",
            UnexpectedResponseError,
            f"Unexpected response to the export for {SPAN} (HTTP 418: I'm a teapot).",
            id="a status without a rule",
        ),
        pytest.param(
            206,
            "",
            ForeignResponseError,
            f"The response to the export for {SPAN} is not from Amplitude (HTTP 206).",
            id="206",
        ),
        pytest.param(
            404,
            "",
            ForeignResponseError,
            f"The response to the export for {SPAN} is not from Amplitude (HTTP 404).",
            id="404",
        ),
    ],
)
def test_each_answer_to_an_export_is_its_own_error(
    status: int, reason: str, kind: type[AmplitudeError], what: str
) -> None:
    error = export_error(ErrorResponse(status, reason), WINDOW, REGION)

    assert (type(error), error.what) == (kind, what)


@pytest.mark.parametrize(
    ("words", "is_size"),
    [
        ("Raw data files are too large", True),
        ("file size too big", True),
        ("more than 4 GB", True),
        ("size of the export exceeds the limit", True),
        ("The file size of your export is above what is allowed", True),
        ("Invalid user property country", False),
        ("start time after end time", False),
        ("14GBP", False),
    ],
)
def test_a_400_is_a_matter_of_size_by_its_words(words: str, *, is_size: bool) -> None:
    error = export_error(ErrorResponse(400, words), WINDOW, REGION)

    assert type(error) is (ExportTooLargeError if is_size else UnexpectedResponseError)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("invalid api_key", True),
        ("Invalid API Key", True),
        ("missing secret-key", True),
        ("API/secret key", True),
        ("Unauthorized", True),
        ("Unauthorised", True),
        ("authentication failed", True),
        ("bad credentials", True),
        ("invalid property key", False),
        ("", False),
    ],
)
def test_an_answer_blames_the_keys_by_its_words(words: str, *, names: bool) -> None:
    assert names_the_keys(ErrorResponse(400, words)) is names


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("0", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("9999999", None),
        ("Fri, 01 Mar 2024 09:02:00 GMT", 120.0),
        ("Fri, 01 Mar 2024 09:02:00 -0000", 120.0),
        ("Fri, 01 Mar 2024 08:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(retry_after: str | None, seconds: float | None) -> None:
    error = common_error(ErrorResponse(429, retry_after=retry_after, date=NINE), "a test")

    assert isinstance(error, RateLimitedError)
    assert error.retry_after_seconds == seconds


def test_retry_after_date_needs_the_response_date() -> None:
    error = common_error(ErrorResponse(429, retry_after="Fri, 01 Mar 2024 09:02:00 GMT"), "a test")

    assert isinstance(error, RateLimitedError)
    assert error.retry_after_seconds is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", ""),
        (b"  Invalid\n  request ", "Invalid request"),
        (b"<!DOCTYPE html><html>nginx", "an HTML page"),
        (b"  <HTML>", "an HTML page"),
        (
            b'{"error":{"http_code":400,"type":"invalid","message":"Bad chart","metadata":{"details":"no country"}}}',
            "Bad chart - no country",
        ),
        (b'{"error":{"message":"Unspecified Error","metadata":{"details":"Not found"}}}', "Not found"),
        (b'{"error":{"message":"Unspecified Error"}}', "Unspecified Error"),
        (b'{"error":{"type":"invalid"}}', "invalid"),
        (b'{"error":{}}', ""),
        (b'{"error":"Invalid API key"}', "Invalid API key"),
        (b'{"message":"too large"}', "too large"),
        (b"[1,2]", "[1,2]"),
        (b'"text"', '"text"'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 1000, "x" * 300 + "..."),
    ],
)
def test_the_words_of_a_body_are_its_message_and_details(body: bytes, reason: str) -> None:
    assert reason_from_body(body) == reason


def test_a_null_error_does_not_hide_the_message_beside_it() -> None:
    assert reason_from_body(b'{"error":null,"message":"too large"}') == "too large"


def test_a_body_of_brackets_is_words_like_any_other() -> None:
    assert reason_from_body(b"[" * 60_000) == "[" * 300 + "..."


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=10)
ENVELOPES = st.recursive(
    SCALARS,
    lambda inner: (
        st.dictionaries(st.sampled_from(["error", "message", "metadata", "details", "type"]), inner) | st.lists(inner)
    ),
)


@given(ENVELOPES.map(json.dumps).map(str.encode) | st.binary())
@settings(deadline=None)
def test_any_body_has_words_of_bounded_length(body: bytes) -> None:
    assert len(reason_from_body(body)) <= 303


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, None),
        ("", None),
        ("yesterday", None),
        ("Fri, 01 Mar 2024 09:00:00 GMT", NINE),
        ("Friday, 01-Mar-24 09:00:00 GMT", NINE),
        ("Fri, 01 Mar 2024 09:00:00 -0000", NINE),
        ("Fri, 01 Mar 2024 09:00:00", NINE),
        ("Fri Mar  1 09:00:00 2024", NINE),
        ("Fri, 01 Mar 99999 09:00:00 GMT", None),
    ],
)
def test_a_date_header_is_a_moment_or_none(text: str | None, moment: datetime | None) -> None:
    assert date_from_header(text) == moment


def test_a_date_header_with_an_offset_is_a_moment_in_utc() -> None:
    moment = date_from_header("Fri, 01 Mar 2024 11:00:00 +0200")

    assert moment is not None
    assert (moment, moment.utcoffset()) == (NINE, timedelta(0))


def test_a_date_header_with_a_huge_year_is_none() -> None:
    assert date_from_header("Fri, 01 Mar 99999999999999999999 09:00:00 GMT") is None


# rest_error: the same of the REST APIs.


@pytest.mark.parametrize(
    ("status", "reason", "kind", "what"),
    [
        (400, "Invalid API key", CredentialsRejectedError, "Amplitude rejected the API keys ({region}, {error})."),
        (401, "", CredentialsRejectedError, "Amplitude rejected the API keys for users ({region}, {error})."),
        (401, "Unauthorized", CredentialsRejectedError, "Amplitude rejected the API keys ({region}, {error})."),
        (403, "Invalid API Key", CredentialsRejectedError, "Amplitude rejected the API keys ({region}, {error})."),
        (403, "", NotInPlanError, "Amplitude denies these API keys access to users{said}."),
        (403, "an HTML page", NotInPlanError, "Amplitude denies these API keys access to users{said}."),
        (403, "Taxonomy is not in your plan", NotInPlanError, "Amplitude denies these API keys access to users{said}."),
        (400, "", RequestRejectedError, "Amplitude rejected the request for users{said}."),
        (400, "the file size is too large", RequestRejectedError, "Amplitude rejected the request for users{said}."),
        (404, "Not found", NotFoundError, "Amplitude did not find users{said}."),
        (404, "", NotFoundError, "Amplitude did not find users{said}."),
        (429, "slow down", RateLimitedError, "Rate limit reached for users{said}."),
        (500, "", ServerFailureError, "Amplitude server error for users{said}."),
        (504, "an HTML page", ServerFailureError, "Amplitude server error for users{said}."),
    ],
)  # fmt: skip
def test_rest_error_follows_status_and_text(status: int, reason: str, kind: type[AmplitudeError], what: str) -> None:
    error = rest_error(ErrorResponse(status, reason), "users", REGION)

    response = f"HTTP {status}: {reason}" if reason else f"HTTP {status}"
    assert type(error) is kind
    assert error.what == what.format(region=REGION, said=f" ({response})", error=response)


@pytest.mark.parametrize("status", [204, 206, 301, 302, 307, 409, 418])
def test_any_other_status_of_the_rest_apis_is_unexpected(status: int) -> None:
    error = rest_error(ErrorResponse(status, "words"), "users", REGION)

    assert type(error) is UnexpectedResponseError
    assert error.what == f"Unexpected response to users (HTTP {status}: words)."


def test_a_rate_limit_of_the_rest_apis_tells_how_long_to_wait() -> None:
    error = rest_error(ErrorResponse(429, retry_after="30"), "users", REGION)

    assert isinstance(error, RateLimitedError)
    assert error.retry_after_seconds == 30


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"success": False, "errors": [{"message": "Not found"}]}, "Not found"),
        ({"success": False, "errors": [{"message": "a"}, "b", {"message": "c"}]}, "a - b - c"),
        ({"success": False, "errors": []}, ""),
        ({"success": False, "errors": "Not found"}, ""),
        (
            {"statusCode": 404, "message": "No table", "errorCode": "LOOKUP_TABLE_DOES_NOT_EXIST", "extraParams": {}},
            "No table",
        ),
    ],
    ids=str,
)
def test_taxonomy_and_lookup_table_envelopes_are_read(body: object, words: str) -> None:
    assert reason_from_body(json.dumps(body).encode()) == words


def test_an_envelope_in_an_envelope_without_end_is_a_text() -> None:
    body = b'{"errors": [' * 400 + b"1" + b"]}" * 400

    assert reason_from_body(body) in ("1", body.decode()[:300] + "...")
