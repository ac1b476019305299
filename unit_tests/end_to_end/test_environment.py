"""Environment variables that no command can use: the message names the variable, and never a password in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from unit_tests.conftest import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector
    from unit_tests.end_to_end.terminal import ReadyProgram, Shown

PASSWORD = "hidden-pass"
PROXY_FORM = "is not a valid proxy address; the form is http://host:port"


@dataclass(frozen=True)
class Case:
    """A change of the environment, and a part of the message."""

    problem: str
    changes: dict[str, str] = field(default_factory=dict)
    is_https: bool = False


CASES = {
    "missing certificates": Case(
        "REQUESTS_CA_BUNDLE is '/nowhere/ca.pem', which does not exist or cannot be read",
        {"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"},
        is_https=True,
    ),
    "missing certificates of curl": Case(
        "CURL_CA_BUNDLE is '/nowhere/ca.pem', which does not exist or cannot be read",
        {"CURL_CA_BUNDLE": "/nowhere/ca.pem"},
        is_https=True,
    ),
    "HTTP proxy": Case(f"HTTP_PROXY (environment) {PROXY_FORM}", {"HTTP_PROXY": f"http://u:{PASSWORD}@[bad"}),
    "HTTP proxy in lower case": Case(f"http_proxy (environment) {PROXY_FORM}", {"http_proxy": f"u:{PASSWORD}@"}),
    "HTTPS proxy": Case(
        f"HTTPS_PROXY (environment) {PROXY_FORM}", {"HTTPS_PROXY": f"http://u:{PASSWORD}@h:99999"}, is_https=True
    ),
    "any proxy": Case(f"ALL_PROXY (environment) {PROXY_FORM}", {"ALL_PROXY": f"ftp://u:{PASSWORD}@h:21"}),
    "SOCKS proxy": Case(
        "ALL_PROXY (environment) is a SOCKS proxy, which needs the Python library PySocks",
        {"ALL_PROXY": f"socks5://u:{PASSWORD}@127.0.0.1:9"},
    ),
    "proxy that is not there": Case("Cannot connect to 127.0.0.1", {"HTTP_PROXY": f"http://u:{PASSWORD}@127.0.0.1:9"}),
    "invalid address": Case(
        "AMPLITUDE_API_URL (environment) is not a plain http(s) address", {"AMPLITUDE_API_URL": f"http://{PASSWORD}@[x"}
    ),
    "invalid port": Case(
        "AMPLITUDE_API_URL (environment) is not a plain http(s) address",
        {"AMPLITUDE_API_URL": f"http://u:{PASSWORD}@127.0.0.1:99999"},
    ),
    "too long a host": Case(
        "AMPLITUDE_API_URL (environment) is not a plain http(s) address",
        {"AMPLITUDE_API_URL": f"https://{'a' * 64}.example/{PASSWORD}"},
    ),
}
ARGUMENTS = {
    "check": "check --config {}/config.json --debug",
    "read": "read --config {}/config.json --catalog {}/catalog.json --debug",
    "land": "land --config {}/config.json --start 2026-03-04 --to {}/landed --debug",
}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle")


def message_of(shown: Shown, command: str) -> str:
    if command == "land":
        return shown.stderr.decode()
    messages = [json.loads(line) for line in shown.stdout.splitlines() if line.startswith(b"{")]
    traces = [each["trace"]["error"]["message"] for each in messages if each.get("trace", {}).get("error")]
    return " ".join(traces)


@pytest.mark.parametrize("command", ARGUMENTS)
@pytest.mark.parametrize("name", CASES)
def test_an_unusable_variable_is_named(
    emulator: Emulator, connector: Connector, ready_program: ReadyProgram, tmp_path: Path, name: str, command: str
) -> None:
    case = CASES[name]
    connector.reading()
    environ = {key: value for key, value in connector.environ.items() if key.lower() not in PROXIES}
    if case.is_https:
        environ["AMPLITUDE_API_URL"] = emulator.url.replace("http://", "https://")
    arguments = [each.replace("{}", str(tmp_path)) for each in ARGUMENTS[command].split()]

    shown = ready_program.run(arguments, environ | case.changes, now=NOON.isoformat() if command == "land" else "")

    assert (shown.exit_code in (1, 2), case.problem in message_of(shown, command)) == (True, True), shown
    assert (b"Traceback" in shown.stderr, PASSWORD.encode() in shown.stdout + shown.stderr) == (False, False)
