from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from source_amplitude.api import CredentialCheck, Request, RetryPolicy
from source_amplitude.api.quotas import Quota, Quotas
from source_amplitude.config import parse_config
from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    GarbledResponseError,
    NotInPlanError,
    RateLimitedError,
    RequestRejectedError,
    ServerFailureError,
    StoppedError,
)
from source_amplitude.export import Amplitude, Limits
from source_amplitude.tables.rest_session import RestSession
from unit_tests.conftest import NOON
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.fakes.memory_sink import MemorySink

if TYPE_CHECKING:
    from collections.abc import Callable

    from amplitude_emulator import Emulator

COHORTS = Request("/api/3/cohorts", "list of cohorts")
KEY_CHECK = "/us/api/2/export"


@dataclass
class Local:
    """A stream's session and its parts, connected to the emulator."""

    emulator: Emulator
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))
    stop: threading.Event = field(default_factory=threading.Event)
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    budget_seconds: float = 1800
    secret: str = ""

    def rest(self) -> RestSession:
        project = self.emulator.project
        keys = {"api_key": project.api_key, "secret_key": self.secret or project.secret_key}
        config = parse_config({**keys, "start_date": "2026-03-04T00:00:00Z"})
        limits = Limits(retry=self.policy, retry_budget_seconds=self.budget_seconds)
        amplitude = Amplitude.of(config, limits, self.clock, self.emulator.url)
        check = CredentialCheck(amplitude.client, amplitude.other_region)
        return RestSession(amplitude, check, Quotas(self.clock, self.stop), self.stop)

    def asked(self) -> list[str]:
        return [f"{seen.path} {seen.status}" for seen in self.emulator.requests]


@pytest.fixture
def local(emulator: Emulator) -> Local:
    return Local(emulator)


def names(response: object) -> list[str]:
    assert isinstance(response, dict)
    return [cohort["name"] for cohort in response["cohorts"]]


def test_the_keys_are_checked_once_before_the_first_request(local: Local) -> None:
    rest = local.rest()

    responses = [names(rest.json(COHORTS)) for _ in range(2)]

    assert responses == [[cohort.name for cohort in local.emulator.content.cohorts.all()]] * 2
    assert local.asked() == [f"{KEY_CHECK} 404", "/us/api/3/cohorts 200", "/us/api/3/cohorts 200"]
    assert local.clock.sleeps == []


def test_rejected_keys_fail_every_request_after_one_check(local: Local) -> None:
    rest = replace(local, secret="another").rest()
    errors = []

    for _ in range(2):
        with pytest.raises(CredentialsRejectedError) as caught:
            rest.json(COHORTS)
        errors.append(caught.value)

    assert errors[0] is errors[1]
    assert local.asked() == [f"{KEY_CHECK} 403", "/eu/api/2/export 403"]


def test_a_refusal_after_the_check_is_about_the_plan(local: Local) -> None:
    local.emulator.faults.add("json", path="/api/3/cohorts", status=401, body={"error": "Unauthorized"})

    with pytest.raises(NotInPlanError) as caught:
        local.rest().json(COHORTS)

    assert caught.value.what == "Amplitude rejected the API keys (Standard Server, HTTP 401: Unauthorized)."


def test_a_refusal_without_a_check_may_be_about_the_keys(local: Local) -> None:
    local.emulator.faults.add("server_error", path="/api/2/export")
    local.emulator.faults.add("json", path="/api/3/cohorts", status=401, body={"error": "Unauthorized"})

    with pytest.raises(CredentialsRejectedError):
        local.rest().json(COHORTS)


@pytest.mark.parametrize(
    ("fault", "settings"),
    [
        ("server_error", {}),
        ("html_page", {}),
        ("empty_body", {}),
        ("cut_body", {}),
        ("connection_reset", {}),
        ("json", {"status": 503, "body": {}}),
    ],
)
def test_a_transient_failure_is_retried(local: Local, fault: str, settings: dict[str, Any]) -> None:
    local.emulator.faults.add(fault, times=2, path="/api/3/cohorts", **settings)

    response = local.rest().json(COHORTS)

    assert names(response) == [cohort.name for cohort in local.emulator.content.cohorts.all()]
    assert len(local.asked()) == 4
    assert sum(local.clock.sleeps) > 0


PAGE = (
    'The response to list of cohorts is not valid JSON (HTTP 200, text/html, "<html><head><title>Service '
    'unavailable</title></head><body><h1>Service unavailable</h1></body></html>").'
)


def test_an_html_page_instead_of_json_fails_after_retries(local: Local, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    local.emulator.faults.add("html_page", path="/api/3/cohorts")
    local.policy = RetryPolicy(attempts=2, first_wait_seconds=1, longest_wait_seconds=1)

    with pytest.raises(GarbledResponseError) as caught:
        local.rest().json(COHORTS)

    assert caught.value.what == PAGE
    assert local.asked() == [f"{KEY_CHECK} 404", "/us/api/3/cohorts 200", "/us/api/3/cohorts 200"]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            f"{PAGE} Next try in 1 s.",
        )
    ]


@pytest.mark.parametrize(
    ("fault", "settings", "kind"),
    [
        ("bad_request", {"details": "Invalid user property country"}, RequestRejectedError),
        ("forbidden", {"details": "Not in your plan"}, NotInPlanError),
    ],
)
def test_a_refusal_is_not_retried(
    local: Local, fault: str, settings: dict[str, Any], kind: type[AmplitudeError]
) -> None:
    local.emulator.faults.add(fault, path="/api/3/cohorts", **settings)

    with pytest.raises(kind):
        local.rest().json(COHORTS)

    assert len(local.asked()) == 2
    assert local.clock.sleeps == []


def test_a_429_without_retry_after_waits_one_minute(local: Local) -> None:
    local.emulator.faults.add("too_many_requests", times=5, path="/api/3/cohorts")

    local.rest().json(COHORTS)

    assert sum(local.clock.sleeps) == pytest.approx(5 * 60)


def test_a_429_waits_for_its_retry_after(local: Local) -> None:
    local.emulator.faults.add("too_many_requests", times=1, path="/api/3/cohorts", retry_after_seconds=333)

    local.rest().json(COHORTS)

    assert sum(local.clock.sleeps) == pytest.approx(333)


def test_a_policy_of_short_waits_also_limits_waits_after_429(local: Local) -> None:
    local.policy = RetryPolicy(attempts=3, first_wait_seconds=0.5, longest_wait_seconds=2)
    local.emulator.faults.add("too_many_requests", path="/api/3/cohorts")

    with pytest.raises(RateLimitedError) as caught:
        local.rest().json(COHORTS)

    assert caught.value.retry_after_seconds == 2
    assert caught.value.tried == "Tried 3 times in 4 s."


def test_the_waits_of_all_requests_share_one_budget(local: Local) -> None:
    local.budget_seconds = 100
    local.emulator.faults.add("too_many_requests", times=3, path="/api/3/cohorts")
    rest = local.rest()

    rest.retrying(lambda: rest.wait(1))
    with pytest.raises(RateLimitedError):
        rest.json(COHORTS)

    assert sum(local.clock.sleeps) == pytest.approx(1 + 2 * 60)


def test_each_attempt_waits_for_its_quota(local: Local) -> None:
    local.emulator.faults.add("server_error", times=1, path="/api/3/cohorts")
    call = replace(COHORTS, quota=Quota.DASHBOARD, cost=1_000)
    began = local.clock.monotonic_seconds()

    local.rest().json(call)

    assert local.clock.monotonic_seconds() - began == pytest.approx(301, abs=1)


def test_a_request_without_a_quota_does_not_wait(local: Local) -> None:
    rest = local.rest()

    for _ in range(3):
        rest.json(COHORTS)

    assert local.clock.sleeps == []


def test_no_request_is_sent_after_a_stop(local: Local) -> None:
    rest = local.rest()
    local.stop.set()

    actions: list[Callable[[], object]] = [
        lambda: rest.json(COHORTS),
        lambda: rest.fetch(COHORTS),
        lambda: rest.fetch_storage("http://127.0.0.1:1", "file", MemorySink()),
        lambda: rest.wait(60),
        rest.raise_if_stopped,
    ]
    for action in actions:
        with pytest.raises(StoppedError):
            action()

    assert local.asked() == []
    assert local.clock.sleeps == []


def test_a_stop_ends_the_wait_for_a_retry(local: Local) -> None:
    local.emulator.faults.add("too_many_requests", path="/api/3/cohorts")
    stop = local.stop

    class StoppingClock(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.sleeps) == 3:
                stop.set()

    local.clock = StoppingClock(NOON)

    with pytest.raises(StoppedError):
        local.rest().json(COHORTS)

    assert local.clock.sleeps == [1.0, 1.0, 1.0]
    assert local.asked() == [f"{KEY_CHECK} 404", "/us/api/3/cohorts 429"]


def test_a_wait_lasts_the_given_time(local: Local) -> None:
    local.rest().wait(2.5)

    assert local.clock.sleeps == [1.0, 1.0, 0.5]


@pytest.mark.parametrize("ahead_seconds", [-3600, 3600])
def test_now_is_the_earlier_of_both_clocks(local: Local, ahead_seconds: float) -> None:
    local.clock.advance(ahead_seconds)

    assert local.rest().conservative_now() == min(local.clock.now(), NOON)


def test_now_is_the_local_time_if_amplitude_does_not_respond(local: Local) -> None:
    local.emulator.faults.add("connection_reset")

    assert local.rest().conservative_now() == local.clock.now()


def test_the_storage_is_requested_once(local: Local) -> None:
    with pytest.raises(ServerFailureError):
        local.rest().fetch_storage(f"{local.emulator.url}/_storage/none", "the file", MemorySink())

    assert local.clock.sleeps == []
