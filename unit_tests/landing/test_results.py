from __future__ import annotations

import gzip
from datetime import datetime, timezone
from io import BytesIO

from source_amplitude.landing.formats import Rendered
from source_amplitude.landing.results import HourResult, Landing, ObjectCounts
from source_amplitude.members import Fingerprint
from source_amplitude.windows import HourWindow, hour_window

FIVE, SIX, SEVEN = (hour_window(datetime(2026, 3, 4, hour, tzinfo=timezone.utc)) for hour in (5, 6, 7))
BODY = gzip.compress(b"{}\n")


def rendered(*malformed_at: int, malformed_lines: int = 0) -> Rendered:
    content = Fingerprint(3, 0, malformed_lines)
    return Rendered(BytesIO(BODY), len(BODY), 0, 1, content, malformed_at=malformed_at)


def test_counts_add_up() -> None:
    counts = ObjectCounts(1, 2, 3, 4, 5)

    counts += ObjectCounts(10, 20, 30, 40, 50)

    assert counts == ObjectCounts(11, 22, 33, 44, 55)


def test_landing_adds_up_its_hours() -> None:
    landing = Landing()
    landing.tally.hours_wanted = 3

    landing.add(
        HourResult(
            FIVE, None, ObjectCounts(written=1, written_bytes=23, events=7), {"a": rendered(2, 4, malformed_lines=2)}
        )
    )
    landing.add(
        HourResult(
            SIX, None, ObjectCounts(replaced=1, written_bytes=23, events=2), {"b": rendered(1, malformed_lines=6)}
        )
    )
    landing.add(HourResult(SEVEN, None, ObjectCounts(unchanged=4, events=100)))

    so_far = landing.stats()
    assert (so_far.hours_over, so_far.hours_wanted, so_far.records, so_far.content_bytes) == (3, 3, 109, 46)
    assert landing.objects == ObjectCounts(1, 1, 4, 46, 109)
    assert landing.tally.malformed_lines == 8
    assert [str(each) for each in landing.tally.malformed] == [
        "2026-03-04 05:00 UTC, member a, line 2",
        "2026-03-04 05:00 UTC, member a, line 4",
        "2026-03-04 06:00 UTC, member b, line 1",
    ]
    assert landing.changed_days == {FIVE.start.replace(hour=0)}
    assert landing.summary(HourWindow(FIVE.start, SEVEN.end), "s3://box", 1.25) == (
        "s3://box, 2026-03-04 05:00 to 08:00 UTC: 1 object written, 1 replaced, 4 unchanged (0.0 MB); "
        "3 hours done with 109 events; 8 malformed lines left out; 1.2 s."
    )


def test_hour_result_counts_its_objects() -> None:
    texts = [
        str(HourResult(FIVE, None, ObjectCounts(written=2, unchanged=1, events=1_200))),
        str(HourResult(FIVE)),
    ]

    assert texts == [
        "2026-03-04 05:00 UTC: 1,200 events, 2 written, 1 unchanged.",
        "2026-03-04 05:00 UTC: 0 events, no objects.",
    ]


def test_run_without_work_is_up_to_date() -> None:
    landing = Landing(known_hours=34, known_events=8485, hours_open=2)
    span = HourWindow(FIVE.start, SEVEN.end)

    said = landing.summary(span, "s3://box", 1.25)

    assert said == "Up to date: 34 hours, 8,485 events; 2 not published yet."
    assert landing.summary(span, "s3://box", 1.25, is_complete=False).startswith("s3://box, 2026-03-04 05:00 to ")
