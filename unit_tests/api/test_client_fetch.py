"""One REST request each: what is sent, and what every kind of answer becomes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from source_amplitude.api import AmplitudeClient, Host, Request, Response
from source_amplitude.config import Keys
from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    ForeignResponseError,
    NetworkError,
    NotFoundError,
    NotInPlanError,
    RateLimitedError,
    RequestRejectedError,
    ServerFailureError,
    UnexpectedResponseError,
    UnreachableError,
)
from unit_tests.fakes.memory_sink import MemorySink

if TYPE_CHECKING:
    from requests_mock import Mocker

    from amplitude_emulator import Emulator

KEYS = Keys("key with spaces", "secrét/+")
DAY = "active_users of 2026-03-01"
REQUEST = Request("/api/2/users", DAY, (("start", "20260301"), ("end", "20260301")))
URL = "https://amplitude.com/api/2/users"


# What is sent.


def test_a_call_is_sent_once_with_its_query_and_the_keys(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get("https://amplitude.com/api/5/cohorts/request/k3x9", status_code=202, json={"request_id": "r"})
    call = Request(
        "/api/5/cohorts/request/k3x9", "download", (("props", "1"), ("propKeys", "a&b"), ("propKeys", "é +"))
    )

    response = client.fetch(call)

    [sent] = requests_mock.request_history
    assert response == Response(202, b'{"request_id": "r"}')
    assert sent.url == ("https://amplitude.com/api/5/cohorts/request/k3x9?props=1&propKeys=a%26b&propKeys=%C3%A9+%2B")
    assert sent.headers["Authorization"].startswith("Basic ")


def test_lookup_tables_are_asked_for_on_their_own_host(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get("https://data-api.amplitude.com/api/3/lookup_table", json=[])

    response = client.fetch(Request("/api/3/lookup_table", "list of lookup tables", host=Host.DATA))

    assert response.json("list of lookup tables") == []


# Good answers.


def test_not_ready_response_is_not_written_to_the_sink(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, status_code=202, content=b"{}")
    sink = MemorySink()

    assert client.fetch(REQUEST, sink) == Response(202, b"{}")
    assert sink.getvalue() == b""


def test_json_that_is_called_html_is_json(emulator: Emulator, local: AmplitudeClient) -> None:
    call = Request("/api/2/deletions/users", "deletions", (("start_day", "2026-01-01"), ("end_day", "2026-04-01")))

    answer = requests.get(
        f"{emulator.url}/us{call.path}",
        params=call.query,
        auth=(emulator.project.api_key, emulator.project.secret_key),
        timeout=10,
    )
    emulator.content.costs.clear()

    assert answer.headers["Content-Type"].startswith("text/html")
    assert local.fetch(call).json("deletions") == answer.json() != []


def test_the_date_of_an_answer_is_kept(emulator: Emulator, local: AmplitudeClient) -> None:
    emulator.clock.advance(timedelta(hours=1))

    local.fetch(Request("/api/3/cohorts", "list of cohorts"))

    assert local.server_date == emulator.clock.now().replace(microsecond=0)


# Refusals and failures.


@pytest.mark.parametrize(
    ("fault", "kind", "what"),
    [
        (
            {"name": "bad_request", "details": "Invalid user property country", "message": "Invalid chart definition"},
            RequestRejectedError,
            (
                f"Amplitude rejected the request for {DAY} "
                "(HTTP 400: Invalid chart definition - Invalid user property country)."
            ),
        ),
        (
            {"name": "forbidden", "details": "Not in your plan"},
            NotInPlanError,
            "Amplitude denies these API keys access to active_users of 2026-03-01 (HTTP 403: Not in your plan).",
        ),
        (
            {"name": "forbidden", "details": "Invalid API Key"},
            CredentialsRejectedError,
            "Amplitude rejected the API keys (Standard Server, HTTP 403: Invalid API Key).",
        ),
        (
            {"name": "html_page", "status": 403},
            ForeignResponseError,
            (
                "The response to active_users of 2026-03-01 is not from Amplitude (HTTP 403, text/html, "
                '"<html><head><title>Service unavailable</title></head><body><h1>Service unavailable</h1></body>'
                '</html>").'
            ),
        ),
        (
            {"name": "json", "status": 404, "body": {"success": False, "errors": [{"message": "Not found"}]}},
            NotFoundError,
            "Amplitude did not find active_users of 2026-03-01 (HTTP 404: Not found).",
        ),
        (
            {"name": "html_page", "status": 404},
            ForeignResponseError,
            (
                "The response to active_users of 2026-03-01 is not from Amplitude (HTTP 404, text/html, "
                '"<html><head><title>Service unavailable</title></head><body><h1>Service unavailable</h1></body>'
                '</html>").'
            ),
        ),
        (
            {"name": "server_error", "status": 502},
            ServerFailureError,
            (
                "Amplitude server error for active_users of 2026-03-01 (HTTP 502, text/html, "
                '"<html><head><title>502 error</title></head><body><h1>502 error</h1></body></html>").'
            ),
        ),
        (
            {"name": "too_many_requests", "details": "Exceeded rate limit with query of cost 5"},
            RateLimitedError,
            f"Rate limit reached for {DAY} (HTTP 429: Exceeded rate limit with query of cost 5).",
        ),
        (
            {"name": "json", "status": 204, "body": {}},
            UnexpectedResponseError,
            "Unexpected response to active_users of 2026-03-01 (HTTP 204, application/json, an empty body).",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_rejection_quotes_amplitude(
    emulator: Emulator, local: AmplitudeClient, fault: dict[str, object], kind: type[AmplitudeError], what: str
) -> None:
    settings = dict(fault)
    emulator.faults.add(str(settings.pop("name")), path="/api/2/users", **settings)  # type: ignore[arg-type]

    with pytest.raises(AmplitudeError) as caught:
        local.fetch(REQUEST, MemorySink())

    assert (type(caught.value), caught.value.what) == (kind, what)


def test_keys_that_an_answer_repeats_are_masked(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, status_code=400, json={"error": {"message": "KEY WITH SPACES and secr%C3%A9t/%2B are odd"}})

    with pytest.raises(RequestRejectedError) as caught:
        client.fetch(REQUEST)

    assert caught.value.what == (
        "Amplitude rejected the request for active_users of 2026-03-01 (HTTP 400: **** and **** are odd)."
    )


def test_keys_that_an_error_of_the_network_repeats_are_masked(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, exc=requests.exceptions.ConnectionError("reset: key+with+spaces"))

    with pytest.raises(NetworkError) as caught:
        client.fetch(REQUEST)

    assert caught.value.what == (
        "Lost the connection to amplitude.com for active_users of 2026-03-01 (ConnectionError)."
    )


@pytest.mark.parametrize("framing", ["content_length", "chunked"])
@pytest.mark.parametrize("to_sink", [False, True])
def test_a_cut_body_is_a_broken_connection(
    emulator: Emulator,
    local: AmplitudeClient,
    framing: str,
    to_sink: bool,  # noqa: FBT001 - a case
) -> None:
    emulator.faults.add("cut_body", path="/api/2/users", framing=framing)

    with pytest.raises(NetworkError):
        local.fetch(REQUEST, MemorySink() if to_sink else None)


def test_a_reset_is_a_broken_connection(emulator: Emulator, local: AmplitudeClient) -> None:
    emulator.faults.add("connection_reset", path="/api/2/users")

    with pytest.raises(NetworkError):
        local.fetch(REQUEST)


def test_a_host_without_an_address_is_named_as_such(requests_mock: Mocker, client: AmplitudeClient) -> None:
    requests_mock.get(URL, exc=requests.exceptions.ConnectionError("NameResolutionError: Name or service not known"))

    with pytest.raises(UnreachableError):
        client.fetch(REQUEST)
