"""Secrets in addresses are in no output: signatures of redirects, passwords of proxies, tokens in paths of gateways."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from unit_tests.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from unit_tests.end_to_end.connector import Connector
    from unit_tests.end_to_end.terminal import ReadyProgram

SECRETS = ("Sig+nature/1", "Token-in-path", "Pass:word", "User.Name")
SIGNATURE, TOKEN, PASSWORD, USER = SECRETS
QUERY = f"X-Amz-Signature={quote(SIGNATURE, safe='')}&token={quote(SIGNATURE, safe='')}&X-Amz-Expires=60"
LOGIN = f"{USER}:{quote(PASSWORD, safe='')}"

NO_FILES = b'{"error": {"http_code": 404, "type": "not_found", "message": "Raw data files were not found."}}'
CLOSED = "127.0.0.1:9"


def response(status: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *lines])
    return head.encode() + b"\r\n\r\n" + body


@contextmanager
def server(respond: Callable[[str], bytes]) -> Iterator[str]:
    """Serve responses to request lines, and yield host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(respond(connection.recv(65536).split(b"\r\n", 1)[0].decode()))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        host, port = listening.getsockname()
        yield f"{host}:{port}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def target(host: str) -> str:
    return f"http://{LOGIN}@{host}/{TOKEN}/file.zip?{QUERY}"


def echo(request_line: str) -> bytes:
    return response("403 Forbidden", f"<Error><Resource>{request_line}</Resource></Error>".encode())


def cut(_: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nPK\x03\x04"


def nothing(_: str) -> bytes:
    return b""


def odd_headers(_: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nno header\r\n: x\r\nContent-Length: 3\r\n\r\nPK\x03"


STORAGES: dict[str, Callable[[str], bytes]] = {
    "a storage that echoes": echo,
    "a storage that cuts": cut,
    "a storage that resets": nothing,
    "a storage with odd headers": odd_headers,
}
TARGETS = {
    "a closed port": target(CLOSED),
    "an invalid port": target("127.0.0.1:99999"),
    "an invalid host": target("[bad"),
    "another scheme": target(CLOSED).replace("http", "gopher"),
    "a name without address": target("storage.invalid"),
    "a relative address with a query": f"//{LOGIN}@{CLOSED}/{TOKEN}?{QUERY}",
}
ARGUMENTS = {
    "check": "check --config {}/config.json --debug",
    "read": "read --config {}/config.json --catalog {}/catalog.json --debug",
    "land": "land --config {}/config.json --start 2026-03-04 --to {}/landed --debug",
}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def forms() -> set[str]:
    every = {form for text in SECRETS for form in (text, quote(text), quote(text, safe=""))}
    return {form.casefold() for form in every}


@dataclass(frozen=True)
class Runner:
    """Runs a command, and searches all output and files for the secrets."""

    connector: Connector
    program: ReadyProgram
    folder: Path

    def run(self, command: str, environ: dict[str, str], *, at_a_terminal: bool = False) -> tuple[int, list[str]]:
        self.connector.reading(request_time_range=8760)
        arguments = [each.replace("{}", str(self.folder)) for each in command.split()]
        usual = {name: value for name, value in self.connector.environ.items() if name.lower() not in PROXIES}
        shown = self.program.run(
            arguments,
            usual | environ,
            stdout=at_a_terminal,
            stderr=at_a_terminal,
            now=NOON.isoformat() if command.startswith("land") else "",
        )
        places = {"stdout": shown.stdout, "stderr": shown.stderr}
        places |= {str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        texts = {place: content.decode("utf-8", "replace").casefold() for place, content in places.items()}
        return shown.exit_code, [
            f"{form} in {place}" for place, text in texts.items() for form in forms() if form in text
        ]


@pytest.fixture
def runner(connector: Connector, ready_program: ReadyProgram, tmp_path: Path) -> Runner:
    return Runner(connector, ready_program, tmp_path)


@contextmanager
def redirecting(to: str, *, of_checks: bool) -> Iterator[str]:
    """Serve an Amplitude that redirects exports, or also the check of the keys."""

    def respond(request_line: str) -> bytes:
        is_check = "start=20141113T00" in request_line
        return response("404 Not Found", NO_FILES) if is_check and not of_checks else response("302 Found", Location=to)

    with server(respond) as host:
        yield f"http://{host}"


@pytest.mark.parametrize("command", ARGUMENTS)
@pytest.mark.parametrize("name", [*STORAGES, *TARGETS])
def test_a_redirect_reveals_no_signature(runner: Runner, name: str, command: str) -> None:
    with server(STORAGES.get(name, nothing)) as storage:
        to = TARGETS.get(name) or target(storage)
        with redirecting(to, of_checks=command == "check") as url:
            code, found = runner.run(ARGUMENTS[command], {"AMPLITUDE_API_URL": url}, at_a_terminal=len(name) % 2 > 0)

    assert (code, found) == (1, [])


ADDRESSES = {
    "a proxy that is closed": {"HTTP_PROXY": f"http://{LOGIN}@{CLOSED}"},
    "an invalid proxy": {"HTTP_PROXY": f"http://{LOGIN}@h:99999/{TOKEN}"},
    "a gateway with a login": {"AMPLITUDE_API_URL": f"http://{LOGIN}@{CLOSED}/{TOKEN}"},
    "a gateway with a token": {"AMPLITUDE_API_URL": f"http://{CLOSED}/{TOKEN}"},
    "a gateway with a query": {"AMPLITUDE_API_URL": f"https://gateway.invalid/{TOKEN}?{QUERY}"},
    "a gateway that is not resolved": {"AMPLITUDE_API_URL": f"https://gateway.invalid/{TOKEN}"},
}


@pytest.mark.parametrize("command", ARGUMENTS)
@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_reveals_no_secret(runner: Runner, name: str, command: str) -> None:
    code, found = runner.run(ARGUMENTS[command], ADDRESSES[name], at_a_terminal=len(name) % 2 > 0)

    assert (code in (1, 2, 3), found) == (True, [])


ENDPOINTS = {
    "closed": f"http://{LOGIN}@{CLOSED}/{TOKEN}?{QUERY}",
    "not resolved": f"https://{LOGIN}@store.invalid/{TOKEN}?{QUERY}",
    "invalid": f"http://{LOGIN}@[bad/{TOKEN}?{QUERY}",
    "a path only": f"http://{CLOSED}/{TOKEN}",
}


@pytest.mark.parametrize("command", ["land --config {}/config.json --start 2026-03-04", "missing", "report"])
@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_of_a_store_reveals_no_secret(runner: Runner, name: str, command: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "eu-west-1"}

    code, found = runner.run(f"{command} --to s3://bucket/prefix --debug", keys | {"AWS_ENDPOINT_URL": ENDPOINTS[name]})

    assert (code in (1, 2, 3), found) == (True, [])
