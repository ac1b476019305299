from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator.rest.request_costs import RollingBudget
from unit_tests.emulator.amplitude_client import AmplitudeClient, envelope

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.emulator.amplitude_client import Response

DAYS = "start=20260301&end=20260303"
SEGMENT = '[{"prop":"country","op":"is","values":["Japan"]},{"prop":"os","op":"is","values":["ios"]}]'


def rate(cost: int) -> tuple[int, object]:
    return 429, envelope(429, f"Too Many Requests: Exceeded rate limit with query of cost {cost}")


def concurrent(cost: int) -> tuple[int, object]:
    return 429, envelope(429, f"Too Many Requests: Exceeded concurrent limit with query of cost {cost}")


def shown(response: Response) -> tuple[int, object]:
    return response.status, response.json


@pytest.mark.parametrize(
    ("path", "cost"),
    [
        (f"users?{DAYS}", 3),
        (f"users?{DAYS}&i=7", 3),
        (f"users?{DAYS}&g=country", 15),
        (f"users?{DAYS}&s={SEGMENT}", 9),
        (f"users?{DAYS}&s={SEGMENT}&s=[]", 12),
        (f"sessions/average?{DAYS}", 12),
        (f"sessions/peruser?{DAYS}", 12),
        (f"sessions/length?{DAYS}", 12),
        (f"composition?{DAYS}&p=country", 3),
        (f"revenue/ltv?{DAYS}", 3),
        ("events/list", 1),
        ("annotations", 0),
        ("taxonomy/event", 1),
    ],
)
def test_requests_cost_days_times_conditions_times_type(
    emulator: Emulator, client: AmplitudeClient, path: str, cost: int
) -> None:
    assert client.get(f"/us/api/2/{path}").status == 200
    assert [(booking.path, booking.cost) for booking in emulator.content.costs.bookings] == [
        (f"/us/api/2/{path.split('?', maxsplit=1)[0]}", cost)
    ]


def test_costs_in_five_minutes_are_limited_and_refill(emulator: Emulator, client: AmplitudeClient) -> None:
    path = "/us/api/2/sessions/average?start=20250601&end=20250830"  # 91 days
    responses = [shown(client.get(path)) for _ in range(3)]
    emulator.clock.advance(timedelta(minutes=5))

    assert [status for status, _ in responses] == [200, 200, 429]
    assert responses[2] == concurrent(364)
    assert client.get(path).status == 200
    assert emulator.content.costs.spent()["hour"] == 3 * 364


def test_query_above_the_limit_is_always_refused(client: AmplitudeClient) -> None:
    assert shown(client.get("/us/api/2/users?start=20250101&end=20251231&g=country")) == concurrent(1825)


def test_costs_in_an_hour_are_limited(emulator: Emulator, client: AmplitudeClient) -> None:
    for _ in range(108):
        emulator.content.costs.begin("/", 1_000, is_enforced=False)
        emulator.content.costs.end()
    emulator.clock.advance(timedelta(minutes=5))

    assert shown(client.get(f"/us/api/2/users?{DAYS}")) == rate(3)

    emulator.clock.advance(timedelta(minutes=55))

    assert client.get(f"/us/api/2/users?{DAYS}").status == 200


def test_five_requests_run_concurrently(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, answer_seconds=0.3)
    with ThreadPoolExecutor(7) as pool:
        responses = list(pool.map(client.get, [f"/us/api/2/users?{DAYS}"] * 5 + ["/us/api/3/cohorts"] * 2))

    assert sorted(response.status for response in responses) == [200] * 5 + [429] * 2
    assert client.get("/us/api/3/cohorts").status == 200


def test_four_taxonomy_requests_run_concurrently(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, answer_seconds=0.3)
    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(client.get, ["/us/api/2/taxonomy/event"] * 6))

    assert sorted(response.status for response in responses) == [200] * 4 + [429] * 2


def test_taxonomy_has_its_own_hourly_limit(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.costs.begin_taxonomy("/", 7_200, is_enforced=False)
    emulator.content.costs.end_taxonomy(7_200)

    assert shown(client.get("/us/api/2/taxonomy/event")) == rate(1)
    assert client.get(f"/us/api/2/users?{DAYS}").status == 200


def test_limits_can_be_switched_off(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, has_limits=False)

    assert client.get("/us/api/2/users?start=20200101&end=20251231&g=country").status == 200


def test_refused_requests_are_not_booked(emulator: Emulator, client: AmplitudeClient) -> None:
    client.get("/us/api/2/users?start=20200101&end=20251231")
    client.get("/us/api/2/users?start=20200101")

    assert emulator.content.costs.bookings == []


def test_projects_have_their_own_budgets(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.costs.begin("/", 1_000, is_enforced=True)
    emulator.content.costs.end()

    assert client.get(f"/us/api/2/users?{DAYS}").status == 429
    assert client.get(f"/eu/api/2/users?{DAYS}", emulator.projects[1]).status == 200


def test_rolling_budget_ignores_older_bookings() -> None:
    budget = RollingBudget(10, 60)
    budget.book(0, 6)
    budget.book(30, 4)

    assert (budget.fits(59.9, 1), budget.fits(60, 6), budget.fits(60, 7)) == (False, True, False)
    assert (budget.spent(60), budget.spent(90)) == (4, 0)
