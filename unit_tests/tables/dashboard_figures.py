"""The emulator's figures as records, and dashboard responses for tests."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from amplitude_emulator.rest.dashboard_numbers import numbers_of

if TYPE_CHECKING:
    from unit_tests.airbyte.streams.rest_host import Project, Row

COUNTRIES = ("United States", "Denmark", "Japan", "(none)")
USERS = "/api/2/users"
DAILY = ("active_users", "new_users", "average_session_length", "average_sessions_per_user", "revenue_ltv")
ALL = (*DAILY, "weekly_active_users", "monthly_active_users", "session_length_distribution", "user_composition")
BUDGET, BUDGET_SECONDS = 1_000, 300


def active(project: Project, *of: str) -> list[Row]:
    """Return the records of the emulator's figures."""
    numbers = numbers_of(project.content)
    return [
        {
            "date": day,
            "statistics": {
                label: numbers.count(
                    date.fromisoformat(day), "users", "active", "country", label, lowest=20, highest=200
                )
                for label in COUNTRIES
            },
        }
        for day in of
    ]


def compact(*of: str) -> list[tuple[str, str]]:
    return [(span.partition("/")[0].replace("-", ""), span.rpartition("/")[2].replace("-", "")) for span in of]


def response(**data: object) -> dict[str, Any]:
    return {"data": data}


X = ["2026-02-27", "2026-02-28"]


def matrix(series: object, labels: object = ("US", "DK"), x: object = X) -> dict[str, Any]:
    return response(xValues=x, series=series, seriesLabels=list(labels) if isinstance(labels, tuple) else labels)
