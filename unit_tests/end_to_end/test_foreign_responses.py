"""Responses that are not Amplitude's: they settle no hour, and `check` does not accept them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from unit_tests.conftest import NOON
from unit_tests.end_to_end.connector import by_uuid, expected_record

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector

EXPORT = "/api/2/export"
SIX = NOON.replace(hour=6)
PAGE = '"<html><head><title>Service unavailable</title></head><body><h1>Service unavailable</h1></body></html>"'

FOREIGN = [
    pytest.param("html_page", {"status": 404}, f"HTTP 404, text/html, {PAGE}", id="404 of a gateway"),
    pytest.param(
        "json",
        {"status": 404, "body": {"error": "no route"}},
        r'HTTP 404, application/json, "{\"error\": \"no route\"}"',
        id="404 of a proxy",
    ),
    pytest.param("json", {"status": 204, "body": {}}, "HTTP 204, application/json, an empty body", id="204"),
    pytest.param("html_page", {"status": 200}, f"HTTP 200, text/html, {PAGE}", id="200 with a page"),
    pytest.param("empty_body", {}, "HTTP 200, application/zip, an empty body", id="200 with an empty body"),
]


@pytest.mark.parametrize(("name", "settings", "quote"), FOREIGN)
def test_a_foreign_response_fails_only_its_window(
    half_a_day: Emulator, connector: Connector, name: str, settings: dict[str, Any], quote: str
) -> None:
    half_a_day.faults.add(name, hour=SIX, **settings)
    everything = by_uuid([expected_record(line) for line in half_a_day.store.lines()])

    first = connector.read(request_time_range=1)
    half_a_day.faults.clear()
    second = connector.read(first.states[-1], request_time_range=1)

    assert (
        f"The response to the export for 2026-03-04 06:00 UTC is not from Amplitude ({quote})." in first.error_texts[0]
    )
    assert (first.exit_code, second.exit_code) == (1, 0)
    assert ["20260304T05", "20260304T06"] in first.states[-1]["ledger"]["settled"]
    assert by_uuid(first.records + second.records) == everything


def test_an_empty_archive_leaves_its_hours_open(half_a_day: Emulator, connector: Connector) -> None:
    everything = by_uuid([expected_record(line) for line in half_a_day.store.lines()])
    half_a_day.clock.advance(timedelta(days=2))
    half_a_day.faults.add("empty_archive", hour=SIX)
    half_a_day.clear_requests()

    first = connector.read(request_time_range=1, end_date="2026-03-04T10:00:00Z")
    requested = [seen.query["start"] for seen in half_a_day.requests]
    half_a_day.faults.clear()
    second = connector.read(first.states[-1], request_time_range=1, end_date="2026-03-04T10:00:00Z")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert requested.count("20260304T06") == 3
    assert first.states[-1]["ledger"]["open"] == [["20260304T06", "20260304T07"]]
    assert (
        "The export for 2026-03-04 06:00 UTC is an archive without a file of these hours. It was requested up to "
        "3 times. These hours stay open; the next run requests them again."
    ) in first.warnings
    assert by_uuid(first.records + second.records) == everything


def test_a_temporary_empty_archive_goes_unnoticed(half_a_day: Emulator, connector: Connector) -> None:
    half_a_day.faults.add("empty_archive", hour=SIX, times=2)

    run = connector.read()

    assert run.exit_code == 0
    assert by_uuid(run.records) == by_uuid([expected_record(line) for line in half_a_day.store.lines()])


@pytest.mark.parametrize(
    ("name", "settings", "quote"),
    [
        FOREIGN[0],
        FOREIGN[3],
        pytest.param(
            "json",
            {"status": 200, "body": {"status": "ok"}},
            r'HTTP 200, application/json, "{\"status\": \"ok\"}"',
            id="200 of another service",
        ),
        pytest.param("html_page", {"status": 403}, f"HTTP 403, text/html, {PAGE}", id="403 of a gateway"),
    ],
)
def test_check_fails_on_foreign_responses(
    emulator: Emulator, connector: Connector, name: str, settings: dict[str, Any], quote: str
) -> None:
    emulator.faults.add(name, path="/api/", **settings)

    run = connector.check()

    assert run.connection["status"] == "FAILED"
    assert run.connection["message"].startswith(f"The response to the API key check is not from Amplitude ({quote}).")
    assert len(emulator.requests) == 2


def test_check_warns_if_only_the_probe_is_foreign(emulator: Emulator, connector: Connector) -> None:
    emulator.faults.add("html_page", path=EXPORT, status=404)

    run = connector.check()

    assert run.connection["status"] == "SUCCEEDED"
    assert run.warnings == [
        (
            f"The response to the API key check is not from Amplitude (HTTP 404, text/html, {PAGE}). Amplitude sent "
            "the list of events, so the keys are accepted."
        )
    ]


def test_check_rejects_wrong_keys_after_a_foreign_probe(emulator: Emulator, connector: Connector) -> None:
    emulator.faults.add("html_page", path=EXPORT, status=404)

    run = connector.check(secret_key="not-the-secret-0123456789")

    assert run.connection["status"] == "FAILED"
    assert "Amplitude rejected the API keys (Standard Server, HTTP 403: Invalid API" in run.connection["message"]


def test_a_date_before_the_newest_hour_fails_the_sync(half_a_day: Emulator, connector: Connector) -> None:
    state = connector.read().states[-1]
    half_a_day.faults.add("wrong_clock", offset_seconds=-5 * 3600)

    run = connector.read(state, start_date="2026-03-01T00:00:00Z")

    assert run.exit_code == 1
    assert run.error_texts[0].startswith(
        "Amplitude's response is dated 2026-03-04 07:00 UTC, before the newest hour already read (2026-03-04 09:00 "
        "UTC). This machine's clock shows "
    )
    assert run.states[-1:] in ([], [state])


def test_a_date_before_start_date_fails_the_sync(half_a_day: Emulator, connector: Connector) -> None:
    half_a_day.faults.add("wrong_clock", offset_seconds=-30 * 24 * 3600)

    run = connector.read()

    assert run.exit_code == 1
    assert "is dated 2026-02-02 12:00 UTC, before start_date (2026-03-04 00:00 UTC)" in run.error_texts[0]
