"""Caps on the sizes that a server chooses."""

from __future__ import annotations

import gzip
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from source_amplitude.api import AmplitudeClient, Request
from source_amplitude.api import client as client_module
from source_amplitude.errors import UnexpectedResponseError
from source_amplitude.windows import HourWindow
from unit_tests.fakes.memory_sink import MemorySink

if TYPE_CHECKING:
    from requests_mock import Mocker

USERS = Request("/api/2/users", "active_users of 2026-03-01")
USERS_URL = "https://amplitude.com/api/2/users"
EXPORT_URL = "https://amplitude.com/api/2/export"
HOUR = HourWindow(datetime(2026, 3, 1, tzinfo=timezone.utc), datetime(2026, 3, 1, 1, tzinfo=timezone.utc))


def test_rest_response_is_capped_after_decoding(client: AmplitudeClient, requests_mock: Mocker) -> None:
    bomb = gzip.compress(b" " * (client_module.MAX_REST_BYTES + 1))
    assert len(bomb) < client_module.MAX_REST_BYTES // 500
    requests_mock.get(USERS_URL, content=bomb, headers={"Content-Encoding": "gzip"})

    with pytest.raises(UnexpectedResponseError) as caught:
        client.fetch(USERS)

    assert caught.value.what == "The response to active_users of 2026-03-01 is larger than 64 MB."


def test_export_is_capped(client: AmplitudeClient, requests_mock: Mocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_FILE_BYTES", 1024**2)
    requests_mock.get(EXPORT_URL, content=b"PK\x03\x04" + bytes(1024**2 + 4096))

    with pytest.raises(UnexpectedResponseError) as caught:
        client.export(HOUR, MemorySink())

    assert caught.value.what == f"The response to the export for {HOUR} is larger than 1 MB."


def test_announced_size_beyond_the_cap_is_refused_at_once(client: AmplitudeClient, requests_mock: Mocker) -> None:
    length = str(client_module.MAX_FILE_BYTES + 1)
    requests_mock.get(EXPORT_URL, content=b"PK\x03\x04", headers={"Content-Length": length})
    sink = MemorySink()

    with pytest.raises(UnexpectedResponseError, match=r"is larger than 16,384 MB\."):
        client.export(HOUR, sink)

    assert sink.getvalue() == b""


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "many", "\u0663", ""])
def test_incredible_content_length_is_ignored(client: AmplitudeClient, requests_mock: Mocker, length: str) -> None:
    requests_mock.get(EXPORT_URL, content=b"PK\x03\x04rest", headers={"Content-Length": length})
    sink = MemorySink()

    client.export(HOUR, sink)

    assert sink.getvalue() == b"PK\x03\x04rest"
