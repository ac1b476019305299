"""Sample coverages, such as a month of landing."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from source_amplitude.landing.coverage import Condition, Coverage, HourCover
from source_amplitude.windows import DAY, DAY_FILES_END, HOUR, HourWindow, hour_window, whole_units

if TYPE_CHECKING:
    from collections.abc import Mapping

MIDNIGHT = datetime(2026, 10, 6, tzinfo=timezone.utc)
MADE_AT = datetime(2026, 11, 5, 0, 12, tzinfo=timezone.utc)
TITLE = "s3://analytics-lake/amplitude/raw"
COMMAND = (
    "source-amplitude land --config config.json --to s3://analytics-lake/amplitude/raw "
    "--start 2026-10-21T10 --end 2026-10-29T21 --only-missing"
)

TYPES = {
    "Page Viewed": 0.41,
    "session_start": 0.17,
    "session_end": 0.16,
    "Product Added": 0.09,
    "Search": 0.07,
    "Checkout Started": 0.04,
    "[Amplitude] Element Clicked": 0.03,
    "Order Completed": 0.02,
    "Signed Up": 0.01,
}

REASONS = {
    Condition.ACCEPTED: "named in accepted_gaps",
    Condition.MISSING: "never landed",
    Condition.SHORT: "1_2026-10-25_14#2.json.gz is missing",
    Condition.FAILED: "the archive ended after 1,048,576 of 3,407,872 bytes, three times",
}


def span(start: datetime, hours: int) -> HourWindow:
    return whole_units(HourWindow(start, start + HOUR * hours))


def covering(window: HourWindow, special: Mapping[datetime, Condition], *, types: bool = True) -> Coverage:
    """Return a coverage with daily and weekly patterns; hours in ``special`` have their given condition."""
    hours, start = [], window.start
    while start < window.end:
        hours.append(cover(hour_window(start), special.get(start, Condition.DONE), types=types))
        start = hours[-1].window.end
    return Coverage(window, tuple(hours))


def cover(window: HourWindow, condition: Condition, *, types: bool = True) -> HourCover:
    if condition not in (Condition.DONE, Condition.SHORT):
        return HourCover(window, condition, reason=REASONS.get(condition, ""))
    events = _events(window.start)
    return HourCover(
        window,
        condition,
        events=events,
        object_bytes=events * 187,
        objects=2 + events // 20_000,
        event_types={name: int(events * share) for name, share in TYPES.items()} if types else {},
        reason=REASONS.get(condition, ""),
    )


def a_month() -> Coverage:
    """Return thirty days with hours in every condition, the open hours at the end."""
    special = {MIDNIGHT + HOUR * hour: Condition.EMPTY for day in range(30) for hour in (24 * day + 3,) if day % 3}
    special |= {MIDNIGHT + 8 * DAY + HOUR * hour: Condition.ACCEPTED for hour in range(9, 13)}
    special |= {MIDNIGHT + 15 * DAY + HOUR * hour: Condition.MISSING for hour in range(10, 17)}
    special |= {MIDNIGHT + 16 * DAY + HOUR * 2: Condition.MISSING}
    special |= {MIDNIGHT + 19 * DAY + HOUR * hour: Condition.SHORT for hour in (14, 15)}
    special |= {MIDNIGHT + 23 * DAY + HOUR * hour: Condition.FAILED for hour in (5, 6, 20)}
    special |= {MIDNIGHT + 29 * DAY + HOUR * hour: Condition.OPEN for hour in range(20, 24)}
    return covering(span(MIDNIGHT, 30 * 24), special)


def _events(hour: datetime) -> int:
    """Return events with a daily curve, quieter weekends, and one very large hour."""
    if hour == MIDNIGHT + timedelta(days=11, hours=18):
        return 61_375
    curve = 1 + math.sin((hour.hour - 9) / 24 * 2 * math.pi)
    weekday = 0.35 if hour.isoweekday() > 5 else 1.0
    wobble = 0.85 + 0.3 * ((hour.day * 37 + hour.hour * 91) % 100) / 100
    return int(18_000 * (0.02 + curve / 2) ** 1.6 * weekday * wobble) + 12


# Any span, often around the change from day files to hour files; any conditions, counts and texts.
_TEXTS = st.text(max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", "\"'&", "\u202egnp.exe", "🎉" * 9, "\ud800"]
)
_SPANS = st.builds(
    lambda start, first, hours: span(start + HOUR * first, hours),
    st.sampled_from([MIDNIGHT, DAY_FILES_END]),
    st.integers(-60, 60),
    st.integers(1, 120),
)


@st.composite
def _coverages(draw: st.DrawFn) -> Coverage:
    window, kinds = draw(_SPANS), draw(st.lists(st.sampled_from(Condition), min_size=1, max_size=40))
    reason, name, events = draw(_TEXTS), draw(_TEXTS), draw(st.integers(0, 10**13))
    plain = covering(window, {})
    return Coverage(
        window,
        tuple(
            HourCover(each.window, kinds[at % len(kinds)], events // (at + 1), at, at % 3, {name: at}, reason)
            for at, each in enumerate(plain.hours)
        ),
    )


COVERAGES = _coverages()
