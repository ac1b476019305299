"""Faults of Amplitude: every event arrives once, or the sync reports the missing hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from unit_tests.conftest import NOON
from unit_tests.end_to_end.connector import by_uuid, expected_record

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector

EXPORT = "/api/2/export"

PASSING_FAULTS = [
    pytest.param("too_many_requests", {"times": 2}, id="429"),
    pytest.param("too_many_requests", {"times": 1, "retry_after_seconds": 1}, id="429 with Retry-After"),
    pytest.param("server_error", {"times": 2, "status": 502}, id="502"),
    pytest.param("connection_reset", {"times": 2}, id="reset before the response"),
    pytest.param("connection_reset", {"times": 2, "after_bytes": 3000}, id="reset in the body"),
    pytest.param("cut_body", {"times": 2, "framing": "content_length"}, id="cut, with Content-Length"),
    pytest.param("cut_body", {"times": 2, "framing": "close"}, id="cut, without Content-Length"),
    pytest.param("cut_body", {"times": 2, "framing": "chunked"}, id="cut, chunked"),
    pytest.param("html_instead_of_zip", {"times": 2}, id="HTML instead of a zip"),
    pytest.param("empty_body", {"times": 2}, id="empty body"),
    pytest.param("html_page", {"times": 2, "status": 404}, id="404 of a gateway"),
    pytest.param("clipped_archive", {"times": 2}, id="a directory without one member"),
    pytest.param("flipped_byte", {"times": 2}, id="a flipped byte"),
    pytest.param("broken_member", {"times": 2}, id="a damaged gzip member"),
    pytest.param("broken_member", {"times": 1, "how": "cut"}, id="a cut gzip member"),
    pytest.param("no_answer", {"times": 1, "seconds": 3}, id="a read timeout"),
    pytest.param("gateway_timeout_above_hours", {"hours": 2}, id="504 above two hours"),
    pytest.param("too_large_above_hours", {"hours": 1}, id="400 above one hour"),
]


@pytest.mark.parametrize(("name", "settings"), PASSING_FAULTS)
def test_every_event_arrives_once_despite(
    half_a_day: Emulator, connector: Connector, name: str, settings: dict[str, Any]
) -> None:
    half_a_day.faults.add(name, hour=NOON.replace(hour=6), **settings)

    run = connector.read()

    assert run.exit_code == 0, run.logs
    assert by_uuid(run.records) == by_uuid([expected_record(line) for line in half_a_day.store.lines()])


@pytest.mark.parametrize(
    ("name", "settings", "cause"),
    [
        pytest.param("server_error", {"status": 500}, "HTTP 500", id="500"),
        pytest.param("html_instead_of_zip", {}, "is not from Amplitude", id="HTML", marks=pytest.mark.long),
        pytest.param("clipped_archive", {}, "members", id="clipped directory", marks=pytest.mark.long),
        pytest.param("broken_member", {}, "cannot be unpacked", id="damaged member"),
        pytest.param("too_large_above_hours", {"hours": 0}, "One hour cannot be split further", id="too large"),
        pytest.param(
            "bad_request",
            {"details": "Invalid something"},
            "Invalid something",
            id="400 for another reason",
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_failed_hour_is_reported_and_read_after_the_fix(
    half_a_day: Emulator, connector: Connector, name: str, settings: dict[str, Any], cause: str
) -> None:
    half_a_day.faults.add(name, hour=NOON.replace(hour=2), **settings)
    everything = by_uuid([expected_record(line) for line in half_a_day.store.lines()])

    broken = connector.read(request_time_range=1)
    half_a_day.faults.clear()
    fixed = connector.read(broken.states[-1], request_time_range=1)

    assert broken.exit_code == 1
    assert broken.statuses[-1] == "INCOMPLETE"
    assert "2026-03-04 02:00 UTC" in broken.error_texts[0]
    assert cause in broken.error_texts[0]
    assert broken.states[-1]["ledger"]["settled"] == [
        ["20260304T00", "20260304T02"],
        ["20260304T05", "20260304T10"],
    ]
    assert fixed.exit_code == 0
    assert by_uuid(broken.records + fixed.records) == everything


def test_the_working_window_size_is_remembered(half_a_day: Emulator, connector: Connector) -> None:
    half_a_day.faults.add("too_large_above_hours", hours=1)

    first = connector.read(num_workers=1)
    half_a_day.clear_requests()
    connector.read(first.states[-1], num_workers=1, start_date="2026-03-03T22:00:00Z")

    assert first.states[-1]["ledger"]["working_hours"] == [4, 1]
    assert {(seen.query["start"], seen.query["end"]) for seen in half_a_day.requests} >= {
        ("20260303T22", "20260303T22"),
        ("20260303T23", "20260303T23"),
    }


def test_revoked_keys_end_the_stream_with_a_state(half_a_day: Emulator, connector: Connector) -> None:
    half_a_day.faults.add("forbidden", hour=NOON.replace(hour=6))

    run = connector.read(request_time_range=1, num_workers=1)

    assert run.exit_code == 1
    assert run.errors[0]["failure_type"] == "config_error"
    assert run.states[-1]["server_upload_time"] == "20260304T02"
    assert max(record["server_upload_time"][:13] for record in run.records) == "2026-03-04T05"
    assert [seen.query["start"] for seen in half_a_day.requests][-1] <= "20260304T07"


def test_a_malformed_line_is_reported_once(half_a_day: Emulator, connector: Connector) -> None:
    good = half_a_day.store.lines()
    half_a_day.store.put_content(NOON.replace(hour=6), 5000, good[0] + b'\n{"cut": "of\n\n' + good[1] + b"\n")

    first = connector.read()
    second = connector.read(first.states[-1])

    assert first.exit_code == 1
    assert first.error_texts[0].startswith(
        "1 line is not a JSON object: 2026-03-04 06:00 UTC, member 100200/100200_2026-03-04_6#5000.json.gz, line 2. "
    )
    assert len(first.records) == len(good) + 2
    assert (second.exit_code, second.records) == (0, [])
    assert any("_6#5000.json.gz" in warning for warning in second.warnings)
