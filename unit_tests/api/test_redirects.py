"""Redirects that are followed, and those that are refused."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from source_amplitude.api.endpoints import UnsafeRedirectError, require_safe_redirect
from source_amplitude.errors import UnexpectedResponseError
from source_amplitude.windows import HourWindow
from unit_tests.fakes.memory_sink import MemorySink

if TYPE_CHECKING:
    from requests_mock import Mocker

    from source_amplitude.api import AmplitudeClient

BASE = "https://amplitude.com/api/2/export"
LOCAL = "http://127.0.0.1:8080/us/api/2/export"
HOUR = HourWindow(datetime(2026, 3, 1, tzinfo=timezone.utc), datetime(2026, 3, 1, 1, tzinfo=timezone.utc))

SAFE = [
    (BASE, "https://storage.example.com/file?signature=1"),
    (BASE, "//storage.example.com/file"),
    (BASE, "/other"),
    (BASE, "https://93.184.216.34/file"),
    (LOCAL, "http://127.0.0.1:8081/_storage/file"),
    (LOCAL, "http://localhost:8081/file"),
    (LOCAL, "https://storage.example.com/file"),
    ("http://proxy.example.com/", "http://storage.example.com/file"),
]
UNSAFE = [
    ("http://storage.example.com/file", "a redirect from https to plain http (storage.example.com)"),
    ("https://localhost/x", "a redirect to an internal host (localhost)"),
    ("https://LOCALHOST./x", "a redirect to an internal host (localhost.)"),
    ("https://127.0.0.1/x", "a redirect to an internal host (127.0.0.1)"),
    ("https://127.1/x", "a redirect to an internal host (127.1)"),
    ("https://2130706433/x", "a redirect to an internal host (2130706433)"),
    ("https://0x7f000001/x", "a redirect to an internal host (0x7f000001)"),
    ("https://0.0.0.0/x", "a redirect to an internal host (0.0.0.0)"),
    ("https://[::1]/x", "a redirect to an internal host (::1)"),
    ("https://[::ffff:10.0.0.1]/x", "a redirect to an internal host (::ffff:10.0.0.1)"),
    ("https://[fe80::1%25eth0]/x", "a redirect to an internal host (fe80::1%25eth0)"),
    ("https://169.254.169.254/latest/meta-data", "a redirect to an internal host (169.254.169.254)"),
    ("https://10.1.2.3/x", "a redirect to an internal host (10.1.2.3)"),
    ("https://192.168.0.1/x", "a redirect to an internal host (192.168.0.1)"),
    ("ftp://storage.example.com/x", "a redirect to an address that is not http or https"),
    ("file:///etc/passwd", "a redirect to an address that is not http or https"),
    ("javascript:alert(1)", "a redirect to an address that is not http or https"),
    ("https://[::1/x", "a redirect to an invalid address"),
]


@pytest.mark.parametrize(("base", "target"), SAFE)
def test_safe_redirect_is_accepted(base: str, target: str) -> None:
    require_safe_redirect(base, target)


@pytest.mark.parametrize(("target", "problem"), UNSAFE)
def test_unsafe_redirect_is_refused(target: str, problem: str) -> None:
    with pytest.raises(UnsafeRedirectError) as caught:
        require_safe_redirect(BASE, target)

    assert str(caught.value) == problem


@pytest.mark.parametrize(("target", "problem"), UNSAFE)
def test_export_does_not_follow_an_unsafe_redirect(
    client: AmplitudeClient, requests_mock: Mocker, target: str, problem: str
) -> None:
    requests_mock.get(BASE, status_code=302, headers={"Location": target})

    with pytest.raises(UnexpectedResponseError) as caught:
        client.export(HOUR, MemorySink())

    assert caught.value.what == f"Unexpected response to the export for {HOUR}: {problem}."
    assert len(requests_mock.request_history) == 1


def test_export_follows_a_safe_redirect_without_the_keys(client: AmplitudeClient, requests_mock: Mocker) -> None:
    requests_mock.get(BASE, status_code=302, headers={"Location": "//storage.example.com/file?signature=5ec4e7"})
    requests_mock.get("https://storage.example.com/file", content=b"PK\x03\x04")

    client.export(HOUR, MemorySink())

    first, second = requests_mock.request_history
    assert "Authorization" in first.headers
    assert "Authorization" not in second.headers
