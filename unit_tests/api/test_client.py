"""One request each: what is sent, and what every kind of answer becomes. Real sockets are in end_to_end."""

from __future__ import annotations

import base64
import io
import json
import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
import requests
import urllib3

from source_amplitude.api import AmplitudeClient, ExportResponse, Host, base_url
from source_amplitude.api.credentials import check_credentials
from source_amplitude.config import Keys, Region
from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    ExportTooLargeError,
    ExportTooSlowError,
    ForeignResponseError,
    InvalidConfigError,
    NetworkError,
    RateLimitedError,
    ServerFailureError,
    UnexpectedResponseError,
    UnreachableError,
)
from source_amplitude.windows import HourWindow

if TYPE_CHECKING:
    from requests_mock import Mocker

KEYS = Keys("key with spaces", "secrét/+")
URL = "https://amplitude.com/api/2/export"
SIX_HOURS = HourWindow(datetime(2024, 3, 1, tzinfo=timezone.utc), datetime(2024, 3, 1, 6, tzinfo=timezone.utc))

WHAT = f"the export for {SIX_HOURS}"
LOST = f"Lost the connection to amplitude.com for {WHAT}"
CANNOT = f"Cannot connect to amplitude.com for {WHAT}"
TLS = f"The TLS connection to amplitude.com for {WHAT} failed"


class Sink(io.BytesIO):
    """Keeps a body and what was said of its length."""

    expected_bytes: int | None = None

    def expect(self, total_bytes: int, /) -> None:
        self.expected_bytes = total_bytes


NO_FILES = {"error": {"http_code": 404, "metadata": {"details": "Raw data files were not found."}}}


def envelope(details: str) -> dict[str, object]:
    return {"error": {"type": "unspecified", "message": "Unspecified Error", "metadata": {"details": details}}}


@pytest.fixture
def client() -> AmplitudeClient:
    return AmplitudeClient(base_url=base_url(Region.STANDARD), region=Region.STANDARD, keys=KEYS)


def test_export_sends_inclusive_hours_and_basic_auth(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, content=b"PK...")
    sink = Sink()

    answer = client.export(SIX_HOURS, sink)

    sent = requests_mock.last_request
    token = base64.b64encode("key with spaces:secrét/+".encode()).decode()
    assert answer is ExportResponse.ARCHIVE
    assert sink.getvalue() == b"PK..."
    assert sent is not None
    assert sent.qs == {"start": ["20240301t00"], "end": ["20240301t05"]}
    assert sent.headers["Authorization"] == f"Basic {token}"
    assert sent.headers["Accept-Encoding"] == "identity"


def test_the_length_of_a_body_is_said_before_it_comes(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, content=b"PK...", headers={"Content-Length": "5"})
    sink = Sink()

    client.export(SIX_HOURS, sink)

    assert (sink.expected_bytes, sink.getvalue()) == (5, b"PK...")


def test_404_means_that_there_are_no_files(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, status_code=404, json=envelope("Raw data files were not found."))
    sink = Sink()

    answer = client.export(SIX_HOURS, sink)

    assert (answer, sink.getvalue()) == (ExportResponse.NOTHING, b"")


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (403, "Invalid API Key", CredentialsRejectedError, "(Standard Server, HTTP 403: Invalid API Key)"),
        (400, "The file size is too large", ExportTooLargeError, "(HTTP 400: The file size is too large)"),
        (400, "Invalid user property country", UnexpectedResponseError, "HTTP 400: Invalid user property country"),
        (504, "", ExportTooSlowError, "(HTTP 504: Unspecified Error)"),
        (429, "Too Many Requests", RateLimitedError, "(HTTP 429: Too Many Requests)"),
        (500, "", ServerFailureError, "(HTTP 500: Unspecified Error)"),
        (418, "", UnexpectedResponseError, "HTTP 418"),
    ],
)
def test_rejected_export_quotes_the_server(
    client: AmplitudeClient, requests_mock: Mocker, status: int, body: str, kind: type[AmplitudeError], text: str
) -> None:
    requests_mock.get(URL, status_code=status, json=envelope(body))

    with pytest.raises(kind) as caught:
        client.export(SIX_HOURS, Sink())

    assert type(caught.value) is kind
    assert text in caught.value.what


def test_response_that_repeats_the_keys_is_masked(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, status_code=500, text="failed for KEY WITH SPACES and key%20with%20spaces")

    with pytest.raises(ServerFailureError) as caught:
        client.export(SIX_HOURS, Sink())

    assert caught.value.what.endswith('(HTTP 500, "failed for **** and ****").')


@pytest.mark.parametrize(
    ("cause", "kind", "text"),
    [
        (
            requests.exceptions.ConnectTimeout(),
            NetworkError,
            f"amplitude.com sent nothing for {WHAT} within 10 seconds.",
        ),
        (requests.exceptions.ReadTimeout(), NetworkError, f"amplitude.com sent nothing for {WHAT} within 600 seconds."),
        (requests.exceptions.ConnectionError("reset by peer"), NetworkError, f"{LOST} (connection reset)."),
        (requests.exceptions.SSLError("bad certificate"), UnreachableError, f"{TLS} (certificate not accepted)."),
        (
            requests.exceptions.SSLError("UNEXPECTED_EOF_WHILE_READING"),
            NetworkError,
            f"{TLS} (connection closed during the handshake).",
        ),
        (
            requests.exceptions.ConnectionError("Temporary failure in name resolution"),
            NetworkError,
            f"{CANNOT} (temporary DNS failure).",
        ),
        (
            requests.exceptions.ConnectionError("NameResolutionError: x"),
            UnreachableError,
            f"Cannot resolve the host name amplitude.com for {WHAT}.",
        ),
        (
            urllib3.exceptions.ProtocolError("IncompleteRead"),
            NetworkError,
            f"{LOST} (connection closed before the end of the response).",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_broken_connection_is_a_connector_error(
    client: AmplitudeClient,
    requests_mock: Mocker,
    caplog: pytest.LogCaptureFixture,
    cause: Exception,
    kind: type[AmplitudeError],
    text: str,
) -> None:
    caplog.set_level(logging.DEBUG, "airbyte")
    requests_mock.get(URL, exc=cause)

    with pytest.raises(kind) as caught:
        client.export(SIX_HOURS, Sink())

    assert caught.value.what == text
    assert f" failed: {type(cause).__name__}" in caplog.text


def test_disk_error_is_not_a_network_error(client: AmplitudeClient, requests_mock: Mocker) -> None:
    class FullDisk(Sink):
        def write(self, _data: object, /) -> int:
            raise OSError(28, "No space left on device")

    requests_mock.get(URL, content=b"PK...")

    with pytest.raises(OSError, match="No space left"):
        client.export(SIX_HOURS, FullDisk())


def test_the_date_of_the_latest_answer_is_kept(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, status_code=404, json=NO_FILES, headers={"Date": "Fri, 01 Mar 2024 12:00:00 GMT"})

    client.check_keys()

    assert client.server_date == datetime(2024, 3, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, NO_FILES),
        (404, {"error": {"http_code": 404}}),
        (404, "The raw  data files of this hour are missing."),
        (200, "PK\x03\x04..."),
        (400, envelope("start is too early")),
    ],
    ids=str,
)
def test_keys_pass_when_amplitude_responds_about_other_things(
    client: AmplitudeClient, requests_mock: Mocker, status: int, body: object
) -> None:
    requests_mock.get(URL, status_code=status, text=body if isinstance(body, str) else json.dumps(body))

    client.check_keys()

    assert requests_mock.call_count == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "", CredentialsRejectedError),
        (403, "Invalid API/Secret Key combination", CredentialsRejectedError),
        (400, "Invalid API key", CredentialsRejectedError),
        (504, "", ServerFailureError),
        (429, "", RateLimitedError),
        (302, "", ForeignResponseError),
        (418, "", UnexpectedResponseError),
    ],
)
def test_any_other_response_to_the_key_check_is_its_own_error(
    client: AmplitudeClient, requests_mock: Mocker, status: int, body: str, kind: type[AmplitudeError]
) -> None:
    requests_mock.get(URL, status_code=status, json=envelope(body))

    with pytest.raises(kind) as caught:
        client.check_keys()

    assert type(caught.value) is kind


def test_an_unclear_answer_of_the_other_region_is_said_so(requests_mock: Mocker) -> None:
    requests_mock.get(URL, status_code=403, json=envelope("Invalid API Key"))
    requests_mock.get("https://analytics.eu.amplitude.com/api/2/export", status_code=503)

    with pytest.raises(CredentialsRejectedError) as caught:
        check_credentials(*(AmplitudeClient(base_url=base_url(region), region=region, keys=KEYS) for region in Region))

    assert caught.value.tried == (
        "The EU Residency Server could not check them: "
        "Amplitude server error for the API key check (HTTP 503, an empty body)."
    )


@pytest.mark.parametrize(
    ("region", "override", "expected"),
    [
        (Region.STANDARD, None, "https://amplitude.com"),
        (Region.EU, "", "https://analytics.eu.amplitude.com"),
        (Region.STANDARD, "http://127.0.0.1:8000/", "http://127.0.0.1:8000/us"),
        (Region.EU, "http://localhost:8000", "http://localhost:8000/eu"),
        (Region.EU, "http://[::1]:80", "http://[::1]:80/eu"),
        (Region.STANDARD, "https://proxy.example/amplitude", "https://proxy.example/amplitude/us"),
    ],
)
def test_addresses_of_the_regions(region: Region, override: str | None, expected: str) -> None:
    assert base_url(region, override) == expected


@pytest.mark.parametrize(
    ("region", "override", "expected"),
    [
        (Region.STANDARD, None, "https://data-api.amplitude.com"),
        (Region.EU, None, "https://data-api.eu.amplitude.com"),
        (Region.STANDARD, "http://127.0.0.1:8000/", "http://127.0.0.1:8000/data-us"),
        (Region.EU, "https://proxy.example/amplitude", "https://proxy.example/amplitude/data-eu"),
    ],
)
def test_lookup_tables_have_addresses_of_their_own(region: Region, override: str | None, expected: str) -> None:
    assert base_url(region, override, Host.DATA) == expected


@pytest.mark.parametrize(
    "override", ["http://amplitude.example", "ftp://127.0.0.1", "127.0.0.1:80", "https://a:b@host", "https://h?x=1"]
)
def test_an_address_that_would_give_keys_away_is_refused(override: str) -> None:
    for host in Host:
        with pytest.raises(InvalidConfigError, match="AMPLITUDE_API_URL"):
            base_url(Region.STANDARD, override, host)


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 407])
def test_foreign_export_response_is_no_key_or_size_error(
    client: AmplitudeClient, requests_mock: Mocker, status: int
) -> None:
    page = "<html>Authentication required by the proxy; your request is too large an api key</html>"
    requests_mock.get(URL, status_code=status, text=page, headers={"Content-Type": "text/html"})

    with pytest.raises(ForeignResponseError) as caught:
        client.export(SIX_HOURS, Sink())

    assert f'(HTTP {status}, text/html, "{page}")' in caught.value.what


@pytest.mark.parametrize(
    "body",
    [{"timestamp": "2026-03-04", "status": 400, "error": "Bad Request", "path": "/"}, {"error": "bad gateway config"}],
    ids=["Spring", "a proxy"],
)
def test_a_400_of_another_program_does_not_accept_the_keys(
    client: AmplitudeClient, requests_mock: Mocker, body: dict[str, object]
) -> None:
    requests_mock.get(URL, status_code=400, json=body)

    with pytest.raises(ForeignResponseError):
        client.check_keys()
