"""Downloads ahead: in order, bounded in number and bytes, retried as a whole, gone when they are abandoned."""

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


def test_downloads_come_in_the_order_they_were_added() -> None:
    body = archive()
    exporter = FakeExporter({HOURS[0]: [body], HOURS[2]: [body]})
    at_work = downloads(exporter)

    for window in HOURS[:3]:
        at_work.add(window)
    results = [finish(at_work.finish_oldest(10)) for _ in range(3)]

    assert results == [(HOURS[0], len(body), False), (HOURS[1], 0, True), (HOURS[2], len(body), False)]
    assert len(at_work) == 0


def test_no_more_than_the_given_number_are_under_way_even_when_windows_are_put_in_front() -> None:
    exporter = FakeExporter({})
    exporter.gate.clear()
    at_work = downloads(exporter, at_once=2)

    for window in HOURS[4:]:
        at_work.add(window)
    at_work.add_first(*HOURS[:4])
    exporter.wait_until_asked(2)
    exporter.gate.set()
    order = [finish(at_work.finish_oldest(10))[0] for _ in range(8)]

    assert order == HOURS
    assert exporter.most_at_once == 2


def test_one_retry_spans_request_body_and_verification(caplog: pytest.LogCaptureFixture) -> None:
    body = archive()
    exporter = FakeExporter({HOURS[0]: [ServerFailureError("500"), b"no zip at all", body]})
    at_work = downloads(exporter)

    at_work.add(HOURS[0])
    result = finish(at_work.finish_oldest(10))

    assert result == (HOURS[0], len(body), False)
    assert caplog.messages == [
        "500 It is asked again in 0 seconds (2024-03-01 00:00 UTC).",
        "The response's body (13 bytes) is not a zip archive. It is asked again in 0 seconds (2024-03-01 00:00 UTC).",
    ]


def test_what_cannot_be_retried_or_keeps_failing_is_raised_in_its_turn() -> None:
    exporter = FakeExporter({HOURS[0]: [b"no zip"], HOURS[1]: [CredentialsRejectedError("403")]})
    at_work = downloads(exporter)
    at_work.add(HOURS[0])
    at_work.add(HOURS[1])

    with pytest.raises(CorruptArchiveError) as corrupt:
        at_work.finish_oldest(10)
    with pytest.raises(CredentialsRejectedError):
        at_work.finish_oldest(10)

    assert corrupt.value.tried.startswith("It was tried 3 times within")
    assert (len(at_work), exporter.asked.count(HOURS[1])) == (0, 1)


def test_a_time_out_of_the_system_is_no_endless_wait() -> None:
    at_work = downloads(FakeExporter({HOURS[0]: [TimeoutError("a network file system")]}))
    at_work.add(HOURS[0])

    with pytest.raises(TimeoutError, match="a network file system"):
        at_work.finish_oldest(10)

    assert len(at_work) == 0


def test_a_slow_download_gives_the_reader_a_turn() -> None:
    exporter = FakeExporter({})
    exporter.gate.clear()
    at_work = downloads(exporter)
    at_work.add(HOURS[0])

    waited = at_work.finish_oldest(0.05)
    exporter.gate.set()
    result = finish(at_work.finish_oldest(10))

    assert waited is None
    assert result == (HOURS[0], 0, True)


def test_archives_beyond_the_disk_budget_wait_but_the_one_needed_next_does_not() -> None:
    body = archive("{" + '"filler":"' + "x" * 3000 + '"}')
    exporter = FakeExporter({window: [body] for window in HOURS})
    limits = Limits(retry=LIMITS.retry, disk_bytes=len(body) // 2)
    at_work = downloads(exporter, at_once=2, limits=limits)

    at_work.add_first(HOURS[1])
    at_work.add(HOURS[2])
    at_work.add_first(HOURS[0])
    order = [finish(at_work.finish_oldest(10))[0] for _ in range(3)]

    assert order == HOURS[:3]


def test_abandoned_downloads_leave_no_file_and_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    exporter = FakeExporter({window: [archive()] for window in HOURS})
    exporter.gate.clear()
    at_work = downloads(exporter)
    at_work.add(HOURS[0])
    at_work.add(HOURS[1])

    at_work.close()
    exporter.gate.set()
    for thread in threading.enumerate():
        if thread.name.startswith("download "):
            thread.join(10)

    assert list(tmp_path.iterdir()) == []
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("download ")] == []


def test_an_archive_of_other_hours_alone_is_asked_for_again() -> None:
    right, other = archive(), archive_of("1/1_2024-03-01_5#0.json.gz")
    exporter = FakeExporter({HOURS[0]: [other, other, right]})
    at_work = downloads(exporter)

    at_work.add(HOURS[0])
    download = at_work.finish_oldest(10)

    assert finish(download) == (HOURS[0], len(right), False)
    assert exporter.asked == [HOURS[0]] * 3


def test_an_archive_of_other_hours_that_stays_is_handed_over_even_when_no_time_is_left() -> None:
    other = archive_of("1/1_2024-03-01_5#0.json.gz")
    exporter = FakeExporter({HOURS[0]: [other]})
    at_work = downloads(exporter, limits=Limits(retry=RetryPolicy(attempts=1)))

    at_work.add(HOURS[0])
    download = at_work.finish_oldest(10)

    assert finish(download) == (HOURS[0], len(other), False)
    assert exporter.asked == [HOURS[0]]
