from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from unit_tests.emulator.amplitude_client import AmplitudeClient, envelope

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

PATH = "/us/api/2/deletions/users"


def test_jobs_are_a_bare_array_with_an_html_content_type(emulator: Emulator, client: AmplitudeClient) -> None:
    jobs = emulator.content.catalog.deletions
    response = client.get(f"{PATH}?start_day=2026-01-15&end_day=2026-02-20")

    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert response.json == list(jobs[:2])
    assert jobs[1] == {
        "day": "2026-02-20",
        "status": "submitted",
        "amplitude_ids": [
            {
                "amplitude_id": jobs[1]["amplitude_ids"][0]["amplitude_id"],  # type: ignore[index]
                "requested_on_day": "2026-02-20",
                "requester": "privacy@example.com",
            }
        ],
        "app": "100200",
    }


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("", "Missing required parameter start_day"),
        ("start_day=2026-01-01", "Missing required parameter end_day"),
        ("start_day=2026-01-01&end_day=20260101T00", "Invalid end_day: expected the format YYYY-MM-DD"),
        ("start_day=2026-01-02&end_day=2026-01-01", "start_day is after end_day"),
        ("start_day=2025-08-31&end_day=2026-03-01", "The time range is longer than 6 months"),
        ("start_day=2025-09-04&end_day=2026-03-05", "The time range is longer than 6 months"),
    ],
)
def test_invalid_days_are_refused(client: AmplitudeClient, query: str, details: str) -> None:
    response = client.get(f"{PATH}?{query}")

    assert (response.status, response.json) == (400, envelope(400, details, error_type="invalid"))


def test_six_months_are_allowed_once_a_second(emulator: Emulator, client: AmplitudeClient) -> None:
    path = f"{PATH}?start_day=2025-09-04&end_day=2026-03-04"
    statuses = [client.get(path).status, client.get(path).status]
    emulator.clock.advance(timedelta(seconds=1))

    assert [*statuses, client.get(path).status] == [200, 429, 200]
