"""Slow responses, as numbers and from the emulator."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from source_amplitude.api import AmplitudeClient, Request, Timeouts, base_url
from source_amplitude.api.pace import Pace, PaceLimits, current_pace, paced
from source_amplitude.config import Keys, Region
from source_amplitude.errors import NetworkError
from source_amplitude.windows import HourWindow
from unit_tests.conftest import NOON
from unit_tests.fakes.memory_sink import MemorySink

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

LIMITS = PaceLimits(first_byte_seconds=600, slow_seconds=300, least_bytes_per_second=1024)
QUICK = PaceLimits(first_byte_seconds=30, slow_seconds=0.3, least_bytes_per_second=100_000, error_body_seconds=0.3)
DAY = "active_users of 2026-03-01"


def pace(limits: PaceLimits = LIMITS) -> Pace:
    return Pace(limits, "the export", "amplitude.com")


def test_first_byte_may_take_ten_minutes() -> None:
    slow = pace()
    slow.received(10, 599)

    with pytest.raises(NetworkError) as caught:
        slow.received(10, 1)

    assert caught.value.what == "amplitude.com did not start to send the export within 600 seconds."


def test_body_at_the_least_rate_is_accepted() -> None:
    slow = pace()
    slow.received(1, 500)
    slow.begin_body()

    for _ in range(100):
        slow.received(102_400, 100)

    assert slow.remaining_seconds() == 200


def test_body_below_the_least_rate_is_an_error() -> None:
    slow = pace()
    slow.begin_body()
    slow.received(307_200, 300)
    slow.received(307_199, 299)

    with pytest.raises(NetworkError) as caught:
        slow.received(0, 1)

    assert caught.value.what == "amplitude.com sent only 307,199 bytes of the export within 300 seconds."


def test_deadline_bounds_a_steady_response() -> None:
    slow = pace(replace(LIMITS, total_seconds=100))
    slow.begin_body()
    slow.received(1_000_000, 99)
    assert slow.remaining_seconds() == 1

    with pytest.raises(NetworkError) as caught:
        slow.received(1_000_000, 1)

    assert caught.value.what == "amplitude.com did not finish the export within 100 seconds."


def test_error_body_has_a_deadline_of_its_own() -> None:
    slow = pace()
    slow.received(1, 400)
    slow.begin_error_body()

    assert slow.remaining_seconds() == 60


def test_pace_belongs_to_one_thread() -> None:
    seen: list[Pace | None] = []
    with paced(pace()) as outer:
        thread = threading.Thread(target=lambda: seen.append(current_pace()))
        thread.start()
        thread.join()
        with paced(pace()) as inner:
            seen.append(current_pace())
        seen.append(current_pace())

    assert seen == [None, inner, outer]
    assert current_pace() is None


@pytest.fixture
def client(emulator: Emulator) -> AmplitudeClient:
    keys = Keys(emulator.project.api_key, emulator.project.secret_key)
    timeouts = Timeouts(rest_total_seconds=0.5, pace=QUICK)
    return AmplitudeClient(
        base_url=base_url(Region.STANDARD, emulator.url), region=Region.STANDARD, keys=keys, timeouts=timeouts
    )


def test_dripping_export_ends(half_a_day: Emulator, client: AmplitudeClient) -> None:
    half_a_day.faults.add("slow_drip", path="/api/2/export", bytes_per_second=20_000)

    with pytest.raises(
        NetworkError, match=r"127\.0\.0\.1 sent only [\d,]+ bytes of the export for .* within 0\.3 seconds"
    ):
        client.export(HourWindow(NOON.replace(hour=1), NOON.replace(hour=2)), MemorySink())


def test_dripping_rest_response_ends(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("slow_drip", path="/api/2/users", bytes_per_second=20)

    with pytest.raises(NetworkError, match=r"127\.0\.0\.1 did not finish active_users of 2026-03-01"):
        client.fetch(Request("/api/2/users", DAY, (("start", "20260301"), ("end", "20260301"))))


def test_dripping_key_check_ends(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("slow_drip", path="/api/2/export", bytes_per_second=5)

    with pytest.raises(NetworkError, match=r"127\.0\.0\.1 did not finish the API key check within"):
        client.check_keys()


def test_cohort_file_has_a_least_rate_and_no_deadline() -> None:
    timeouts = Timeouts(read_seconds=600, rest_read_seconds=120, rest_total_seconds=300)

    exports, files, rest = timeouts.of_exports(), timeouts.of_files(), timeouts.of_rest()

    assert [each.receive_seconds for each in (exports, files, rest)] == [600, 120, 120]
    assert [each.total_seconds for each in (exports, files, rest)] == [None, None, 300]
