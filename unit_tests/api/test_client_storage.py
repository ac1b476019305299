"""Files of cohorts: redirects to the storage, which gets no keys and whose addresses never appear in messages."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import traceback
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from source_amplitude.api import AmplitudeClient, Request, Response
from source_amplitude.errors import NetworkError, ServerFailureError, UnexpectedResponseError
from unit_tests.fakes.memory_sink import MemorySink

if TYPE_CHECKING:
    from requests_mock import Mocker

    from amplitude_emulator import Emulator

REQUEST = Request("/api/2/users", "active_users of 2026-03-01")
URL = "https://amplitude.com/api/2/users"
SIGNED = "https://bucket.s3.amazonaws.com/k3x9.csv?X-Amz-Credential=AKIA5&X-Amz-Signature=5ec4e7"


def finished_download(emulator: Emulator, client: AmplitudeClient, *, by_redirect: bool) -> Request:
    """Prepare the download of a cohort and return the call for its file."""
    emulator.content.settings = replace(
        emulator.content.settings, cohort_pending_polls=0, cohort_inline_bytes=-1 if by_redirect else 1_000_000
    )
    cohort = emulator.content.cohorts.all()[0]
    answer = client.fetch(Request(f"/api/5/cohorts/request/{cohort.cohort_id}", "download")).json("download")
    assert isinstance(answer, dict)
    return Request(f"/api/5/cohorts/request/{answer['request_id']}/file", "the file of cohort k3x9", may_redirect=True)


def assert_hidden(secret: str, error: BaseException, log: pytest.LogCaptureFixture) -> None:
    """Require that a text is neither in what is shown of an error nor in the log."""
    shown = "".join(traceback.format_exception(error)) + str(error) + repr(error) + log.text
    assert secret not in shown


def test_a_body_goes_to_the_sink_if_there_is_one(emulator: Emulator, local: AmplitudeClient) -> None:
    call = finished_download(emulator, local, by_redirect=False)
    sink = MemorySink()

    assert local.fetch(call, sink) == Response(200)
    assert sink.getvalue() == local.fetch(call).body
    assert sink.getvalue().startswith(b"amplitude_id,user_id\n")


def test_a_redirect_is_not_followed_and_the_storage_gets_no_keys(emulator: Emulator, local: AmplitudeClient) -> None:
    call = finished_download(emulator, local, by_redirect=True)
    sink, stored = MemorySink(), MemorySink()

    response = local.fetch(call, sink)
    local.fetch_storage(response.location, call.what, stored)

    assert (response.status, response.body, sink.getvalue()) == (302, b"", b"")
    assert "/_storage/" in response.location
    emulator.content.settings = replace(emulator.content.settings, cohort_inline_bytes=1_000_000)
    assert stored.getvalue() == local.fetch(call).body


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_redirect_is_a_good_answer_where_one_is_expected(
    client: AmplitudeClient, requests_mock: Mocker, status: int
) -> None:
    requests_mock.get(URL, status_code=status, headers={"Location": SIGNED})

    assert client.fetch(replace(REQUEST, may_redirect=True), MemorySink()) == Response(status, location=SIGNED)
    assert [sent.url for sent in requests_mock.request_history] == [URL]


@pytest.mark.parametrize(
    ("status", "location", "may_redirect"),
    [
        (302, SIGNED, False),
        (301, SIGNED, True),
        (308, SIGNED, False),
        (302, "", True),
        (302, "/login", True),
        (302, None, True),
    ],
)
def test_other_redirects_are_errors_without_the_address(
    client: AmplitudeClient,
    requests_mock: Mocker,
    caplog: pytest.LogCaptureFixture,
    status: int,
    location: str | None,
    may_redirect: bool,  # noqa: FBT001 - a case
) -> None:
    caplog.set_level(logging.INFO)
    requests_mock.get(URL, status_code=status, headers={} if location is None else {"Location": location})

    with pytest.raises(UnexpectedResponseError) as caught:
        client.fetch(replace(REQUEST, may_redirect=may_redirect))

    assert caught.value.what == f"Unexpected response to active_users of 2026-03-01 (HTTP {status})."
    assert_hidden("5ec4e7", caught.value, caplog)


@pytest.mark.parametrize(
    "location",
    [
        "https://[::1/k3x9?X-Amz-Signature=5ec4e7",
        pytest.param(
            "https://[k3x9]/5ec4e7",
            marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 takes any text in brackets"),
        ),
    ],
)
def test_a_redirect_to_no_address_is_an_unexpected_answer(
    client: AmplitudeClient, requests_mock: Mocker, caplog: pytest.LogCaptureFixture, location: str
) -> None:
    caplog.set_level(logging.INFO)
    requests_mock.get(URL, status_code=302, headers={"Location": location})
    requests_mock.get(SIGNED, status_code=302, headers={"Location": location})

    with pytest.raises(UnexpectedResponseError) as caught:
        client.fetch(replace(REQUEST, may_redirect=True))
    with pytest.raises(NetworkError) as caught_at_storage:
        client.fetch_storage(SIGNED, "the file", MemorySink())

    assert caught.value.what == "Unexpected response to active_users of 2026-03-01: a redirect to an invalid address."
    assert_hidden("5ec4e7", caught.value, caplog)
    assert_hidden("5ec4e7", caught_at_storage.value, caplog)


def test_storage_request_has_no_authorization_despite_netrc(
    client: AmplitudeClient,
    requests_mock: Mocker,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path_factory.mktemp("home") / ".netrc"
    netrc.write_text("default login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    requests_mock.get(SIGNED, content=b"amplitude_id\n")
    sink = MemorySink()

    client.fetch_storage(SIGNED, "the file", sink)

    [sent] = requests_mock.request_history
    assert sink.getvalue() == b"amplitude_id\n"
    assert "Authorization" not in sent.headers
    assert "Cookie" not in sent.headers


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_a_storage_that_refuses_is_asked_again_by_a_new_address(
    client: AmplitudeClient, requests_mock: Mocker, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.INFO)
    requests_mock.get(SIGNED, status_code=status, text=f"<Error><Resource>{SIGNED}</Resource></Error>")
    sink = MemorySink()

    with pytest.raises(ServerFailureError) as caught:
        client.fetch_storage(SIGNED, "the file", sink)

    assert caught.value.what == f"Storage error for the file (HTTP {status})."
    assert sink.getvalue() == b""
    assert_hidden("5ec4e7", caught.value, caplog)


def test_an_address_that_has_expired_is_refused(emulator: Emulator, local: AmplitudeClient) -> None:
    call = finished_download(emulator, local, by_redirect=True)
    location = local.fetch(call).location
    emulator.clock.advance(timedelta(seconds=61))

    with pytest.raises(ServerFailureError) as caught:
        local.fetch_storage(location, call.what, MemorySink())

    assert caught.value.what == "Storage error for the file of cohort k3x9 (HTTP 403)."


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/k3x9?X-Amz-Signature=5ec4e7",
        "https://127.0.0.1:1/k3x9?X-Amz-Signature=5ec4e7",
        "http://nowhere.invalid/k3x9?X-Amz-Signature=5ec4e7",
        "ftp://127.0.0.1/k3x9?X-Amz-Signature=5ec4e7",
        "//127.0.0.1/k3x9?X-Amz-Signature=5ec4e7",
        "/k3x9?X-Amz-Signature=5ec4e7",
        "http://127.0.0.1:port/k3x9?X-Amz-Signature=5ec4e7",
        "http://[::1/k3x9?X-Amz-Signature=5ec4e7",
        "http://.invalid/k3x9?X-Amz-Signature=5ec4e7",
        f"http://{'x' * 70}.invalid/k3x9?X-Amz-Signature=5ec4e7",
        "",
    ],
)
def test_storage_connection_error_hides_the_address(
    client: AmplitudeClient, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    caplog.set_level(logging.INFO)

    with pytest.raises(NetworkError) as caught:
        client.fetch_storage(url, "the file", MemorySink())

    assert caught.value.what.startswith("Lost the connection to the storage for the file (")
    assert_hidden("5ec4e7", caught.value, caplog)


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_broken_storage_header_keeps_the_address_out_of_logs(
    client: AmplitudeClient, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header\r\nX: y\r\n\r\nok"
    sink = MemorySink()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_once, args=(server, answer))
        thread.start()
        client.fetch_storage(f"http://127.0.0.1:{server.getsockname()[1]}/?signature=5ec4e7", "the file", sink)
        thread.join()

    assert sink.getvalue() == b"ok"
    assert "5ec4e7" not in caplog.text


def answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(answer)


def test_cut_storage_file_is_a_network_error(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(SIGNED, exc=requests.exceptions.ChunkedEncodingError(f"IncompleteRead of {SIGNED}"))

    with pytest.raises(NetworkError) as caught:
        client.fetch_storage(SIGNED, "the file", MemorySink())

    assert caught.value.what == "Lost the connection to the storage for the file (ChunkedEncodingError)."
