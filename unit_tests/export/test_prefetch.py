"""Prefetched downloads are ordered, limited in number and bytes, retried as a whole, and deleted when abandoned."""

from __future__ import annotations

import gzip
import io
import threading
import zipfile
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

import pytest

from source_amplitude.api import RetryPolicy
from source_amplitude.config import parse_config
from source_amplitude.errors import CorruptArchiveError, CredentialsRejectedError, ServerFailureError
from source_amplitude.export import Amplitude, Limits
from source_amplitude.export.prefetch import Download, Downloads
from source_amplitude.windows import HOUR, HourWindow
from unit_tests.fakes.fake_clock import FakeClock
from unit_tests.fakes.fake_exporter import FakeExporter

if TYPE_CHECKING:
    from pathlib import Path

    from source_amplitude.api import AmplitudeClient

START = datetime(2024, 3, 1, tzinfo=timezone.utc)
NOW = datetime(2024, 3, 2, tzinfo=timezone.utc)
HOURS = [HourWindow(START + HOUR * n, START + HOUR * (n + 1)) for n in range(8)]
CONFIG = parse_config({"api_key": "key", "secret_key": "secret", "start_date": "2024-03-01T00:00:00Z"})
LIMITS = Limits(retry=RetryPolicy(attempts=3, first_wait_seconds=0, longest_wait_seconds=0))


def archive(line: str = "{}") -> bytes:
    return archive_of("1/1_2024-03-01_0#0.json.gz", line)


def archive_of(member: str, line: str = "{}") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zip_file:
        zip_file.writestr(member, gzip.compress(f"{line}\n".encode()))
    return out.getvalue()


def downloads(exporter: FakeExporter, *, at_once: int = 2, limits: Limits = LIMITS) -> Downloads:
    client = cast("AmplitudeClient", exporter)
    config = replace(CONFIG, num_workers=at_once)
    return Downloads(Amplitude(client, client, config, limits, FakeClock(NOW)))


def finish(download: Download | None) -> tuple[HourWindow, int, bool]:
    assert download is not None
    result = (download.window, download.archive_bytes, download.archive is None)
    download.close()
    return result


def test_downloads_are_returned_in_order() -> None:
    body = archive()
    exporter = FakeExporter({HOURS[0]: [body], HOURS[2]: [body]})
    in_flight = downloads(exporter)

    for window in HOURS[:3]:
        in_flight.add(window)
    results = [finish(in_flight.finish_oldest(10)) for _ in range(3)]

    assert results == [(HOURS[0], len(body), False), (HOURS[1], 0, True), (HOURS[2], len(body), False)]
    assert len(in_flight) == 0


def test_add_first_keeps_the_limit_of_active_downloads() -> None:
    exporter = FakeExporter({})
    exporter.gate.clear()
    in_flight = downloads(exporter, at_once=2)

    for window in HOURS[4:]:
        in_flight.add(window)
    in_flight.add_first(*HOURS[:4])
    exporter.wait_until_asked(2)
    exporter.gate.set()
    order = [finish(in_flight.finish_oldest(10))[0] for _ in range(8)]

    assert order == HOURS
    assert exporter.most_at_once == 2


def test_retries_cover_request_body_and_verification(caplog: pytest.LogCaptureFixture) -> None:
    body = archive()
    exporter = FakeExporter({HOURS[0]: [ServerFailureError("500"), b"not an archive", body]})
    in_flight = downloads(exporter)

    in_flight.add(HOURS[0])
    result = finish(in_flight.finish_oldest(10))

    assert result == (HOURS[0], len(body), False)
    assert caplog.messages == [
        "500 Next try in 0 s (2024-03-01 00:00 UTC).",
        "The response's body (14 bytes) is not a zip archive. Next try in 0 s (2024-03-01 00:00 UTC).",
    ]


def test_errors_are_raised_in_order() -> None:
    exporter = FakeExporter({HOURS[0]: [b"no zip"], HOURS[1]: [CredentialsRejectedError("403")]})
    in_flight = downloads(exporter)
    in_flight.add(HOURS[0])
    in_flight.add(HOURS[1])

    with pytest.raises(CorruptArchiveError) as corrupt:
        in_flight.finish_oldest(10)
    with pytest.raises(CredentialsRejectedError):
        in_flight.finish_oldest(10)

    assert corrupt.value.tried.startswith("Tried 3 times in")
    assert (len(in_flight), exporter.asked.count(HOURS[1])) == (0, 1)


def test_timeout_error_of_a_download_is_raised() -> None:
    in_flight = downloads(FakeExporter({HOURS[0]: [TimeoutError("a network file system")]}))
    in_flight.add(HOURS[0])

    with pytest.raises(TimeoutError, match="a network file system"):
        in_flight.finish_oldest(10)

    assert len(in_flight) == 0


def test_finish_oldest_returns_none_after_its_timeout() -> None:
    exporter = FakeExporter({})
    exporter.gate.clear()
    in_flight = downloads(exporter)
    in_flight.add(HOURS[0])

    waited = in_flight.finish_oldest(0.05)
    exporter.gate.set()
    result = finish(in_flight.finish_oldest(10))

    assert waited is None
    assert result == (HOURS[0], 0, True)


def test_oldest_download_ignores_the_disk_budget() -> None:
    body = archive("{" + '"filler":"' + "x" * 3000 + '"}')
    exporter = FakeExporter({window: [body] for window in HOURS})
    limits = Limits(retry=LIMITS.retry, disk_bytes=len(body) // 2)
    in_flight = downloads(exporter, at_once=2, limits=limits)

    in_flight.add_first(HOURS[1])
    in_flight.add(HOURS[2])
    in_flight.add_first(HOURS[0])
    order = [finish(in_flight.finish_oldest(10))[0] for _ in range(3)]

    assert order == HOURS[:3]


def test_closed_downloads_leave_no_file_and_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    exporter = FakeExporter({window: [archive()] for window in HOURS})
    exporter.gate.clear()
    in_flight = downloads(exporter)
    in_flight.add(HOURS[0])
    in_flight.add(HOURS[1])

    in_flight.close()
    exporter.gate.set()
    for thread in threading.enumerate():
        if thread.name.startswith("download "):
            thread.join(10)

    assert list(tmp_path.iterdir()) == []
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("download ")] == []


def test_archive_of_other_hours_is_requested_again() -> None:
    right, other = archive(), archive_of("1/1_2024-03-01_5#0.json.gz")
    exporter = FakeExporter({HOURS[0]: [other, other, right]})
    in_flight = downloads(exporter)

    in_flight.add(HOURS[0])
    download = in_flight.finish_oldest(10)

    assert finish(download) == (HOURS[0], len(right), False)
    assert exporter.asked == [HOURS[0]] * 3


def test_archive_of_other_hours_is_returned_after_all_attempts() -> None:
    other = archive_of("1/1_2024-03-01_5#0.json.gz")
    exporter = FakeExporter({HOURS[0]: [other]})
    in_flight = downloads(exporter, limits=Limits(retry=RetryPolicy(attempts=1)))

    in_flight.add(HOURS[0])
    download = in_flight.finish_oldest(10)

    assert finish(download) == (HOURS[0], len(other), False)
    assert exporter.asked == [HOURS[0]]
