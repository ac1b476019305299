from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.emulator.amplitude_client import AmplitudeClient

ROUTES = [("GET", "clock"), ("POST", "reset"), ("GET", "events"), ("GET", "settings"), ("DELETE", "costs")]
"""Some of both control APIs."""


def send(
    emulator: Emulator, *headers: tuple[str, str], method: str = "GET", path: str = "/_emulator/clock"
) -> tuple[int, str]:
    """Send exactly these headers; Host too is one of them."""
    address = urlsplit(emulator.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def host_refusal(host: str) -> str:
    text = f"The Host header is {host}. Control routes accept localhost and loopback addresses only."
    return f'{{\n "error": "{text}"\n}}\n'


def origin_refusal(origin: str) -> str:
    text = f"The Origin header is {origin}. Control routes accept no requests from pages of other sites."
    return f'{{\n "error": "{text}"\n}}\n'


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8000", "127.8.9.1:80", "localhost", "LOCALHOST:8000", "localhost.:8000", "[::1]:8000"],
)
def test_loopback_hosts_are_accepted(emulator: Emulator, host: str) -> None:
    assert send(emulator, ("Host", host))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        *("attacker.example", "attacker.example:8000", "localhost.attacker.example", "127.0.0.1.attacker.example"),
        *(
            "192.0.2.1",
            "10.0.0.1:8000",
            "0.0.0.0",  # noqa: S104 - must be refused
            "[2001:db8::1]:80",
            "localhost@attacker.example",
            "[::1",
            "2130706433",
        ),
    ],
)
def test_other_hosts_are_refused(emulator: Emulator, host: str) -> None:
    assert send(emulator, ("Host", host)) == (403, host_refusal(host))


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_every_control_api_refuses_other_hosts(emulator: Emulator, method: str, route: str) -> None:
    refused = send(emulator, ("Host", "attacker.example"), method=method, path=f"/_emulator/{route}")

    assert refused == (403, host_refusal("attacker.example"))


@pytest.mark.parametrize(
    "origin", ["http://attacker.example", "null", "https://{host}", "http://localhost:1", "http://"]
)
def test_other_origins_are_refused(emulator: Emulator, origin: str) -> None:
    host = urlsplit(emulator.url).netloc
    sent = origin.format(host=host)

    assert send(emulator, ("Host", host), ("Origin", sent)) == (403, origin_refusal(sent))


def test_own_origin_is_accepted(emulator: Emulator) -> None:
    host = urlsplit(emulator.url).netloc

    assert send(emulator, ("Host", host), ("Origin", emulator.url))[0] == 200


def test_request_of_another_site_changes_nothing(emulator: Emulator, client: AmplitudeClient) -> None:
    client.export("20260304T09")
    host = ("Host", urlsplit(emulator.url).netloc)
    before = emulator.requests

    status, _ = send(emulator, host, ("Origin", "http://attacker.example"), method="POST", path="/_emulator/reset")

    assert status == 403
    assert emulator.requests == before
    assert len(before) == 1


def test_amplitudes_paths_accept_any_host(emulator: Emulator) -> None:
    headers = [("Host", "amplitude.com"), ("Origin", "https://shop.example"), ("Content-Length", "0")]

    status, _ = send(emulator, *headers, method="POST", path="/us/2/httpapi")

    assert status == 400  # the empty body, as from everywhere


def test_request_without_a_host_is_refused(emulator: Emulator) -> None:
    host, port = urlsplit(emulator.url).netloc.split(":")

    with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as file:
        connection.sendall(b"GET /_emulator/clock HTTP/1.0\r\n\r\n")
        answer = file.read().decode()

    assert answer.splitlines()[0] == "HTTP/1.0 403 Forbidden"
    assert answer.endswith(host_refusal("missing"))
