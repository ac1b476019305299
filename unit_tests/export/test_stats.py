"""The outcome and summary of a sync."""

from __future__ import annotations

from datetime import datetime, timezone

from source_amplitude.errors import ServerFailureError
from source_amplitude.export import LinePosition, SyncStats
from source_amplitude.windows import HOUR, HourWindow

START = datetime(2024, 3, 1, tzinfo=timezone.utc)
FOUR_HOURS = HourWindow(START, START + 4 * HOUR)


def test_outcome_has_events_bytes_seconds_and_hours() -> None:
    stats = SyncStats(
        records=40_800,
        hours_done=68,
        hours_without_files=23,
        hours_open=1,
        archive_bytes=7_600_000,
        content_bytes=72_000_000,
        seconds=2.5,
    )

    assert stats.outcome() == (
        "40,800 events, 72.0 MB of JSON (7.6 MB downloaded), 2.5 s (16,320/s)",
        "hours: 68 done, 22 empty, 1 open, 0 failed",
    )


def test_outcome_without_events_has_no_rate() -> None:
    stats = SyncStats()
    stats.fail(FOUR_HOURS, ServerFailureError("500"))

    assert stats.outcome() == (
        "0 events, 0.0 MB of JSON (0.0 MB downloaded), 0.0 s",
        "hours: 0 done, 0 empty, 0 open, 4 failed",
    )
    assert stats.hours_over == 4


def test_summary_adds_malformed_lines_to_the_outcome() -> None:
    stats = SyncStats(records=1, hours_done=1, content_bytes=2_000_000, seconds=1)
    stats.add_malformed(LinePosition(FOUR_HOURS, "member", 7))

    assert stats.summary() == (
        "1 event, 2.0 MB of JSON (0.0 MB downloaded), 1.0 s (1/s); hours: 1 done, 0 empty, 0 open, 0 failed; "
        "1 malformed line."
    )
