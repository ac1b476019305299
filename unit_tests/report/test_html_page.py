from __future__ import annotations

import re
import time
from collections import Counter
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from source_amplitude.landing.coverage import Condition, Coverage, HourCover
from source_amplitude.report.html_page import page
from source_amplitude.report.symbols import LEVELS, SYMBOLS, level, short_count, size
from source_amplitude.windows import DAY, DAY_FILES_END, HOUR, HourWindow, hour_window
from unit_tests.report.coverages import COMMAND, COVERAGES, MADE_AT, MIDNIGHT, TITLE, a_month, cover, covering, span
from unit_tests.report.pages import Element, parsed, rows

if TYPE_CHECKING:
    from datetime import datetime

NASTY = {
    "script": "</bdi></td><script>alert(1)</script>",
    "quotes": "\"'><img src=x onerror='alert(1)'>&amp;",
    "emoji": "👩‍👩‍👧 paid 🎉",
    "right to left": "invoice\u202egnp.exe",
}


def shown(coverage: Coverage, command: str | None = None, title: str = TITLE) -> Element:
    return parsed(page(coverage, title=title, made_at=MADE_AT, command=command))


def hours_of(document: Element) -> Element:
    (table,) = document.all("table", **{"class": "hours"})
    return table


def with_types(*counted: dict[str, int]) -> Coverage:
    """Return one hour for each of ``counted``, and one hour without counted types."""
    hours = [
        HourCover(hour_window(MIDNIGHT + HOUR * at), Condition.DONE, sum(types.values()), 10, 1, types)
        for at, types in enumerate((*counted, {}))
    ]
    hours[-1] = HourCover(hours[-1].window, Condition.DONE, events=5, object_bytes=10, objects=1)
    return Coverage(HourWindow(MIDNIGHT, hours[-1].window.end), tuple(hours))


def test_table_has_a_row_per_day_with_totals() -> None:
    conditions = (*Condition, Condition.DONE)
    hours = [
        HourCover(
            hour_window(MIDNIGHT + HOUR * (22 + at)),
            condition,
            events=1_234 * (at == 0) + 98_765 * (at == 7),
            object_bytes=2_500_000 * (at in (0, 7)),
            objects=2 * (at in (0, 7)),
            reason="never landed" if condition is Condition.MISSING else "",
        )
        for at, condition in enumerate(conditions)
    ]
    coverage = Coverage(HourWindow(hours[0].window.start, hours[-1].window.end), tuple(hours))

    table = hours_of(shown(coverage))

    nothing, labels = [""], [f"{hour:02}" for hour in range(24)]
    assert rows(table, without="i") == [
        ["UTC", *labels, "events", "", "size", "missing"],
        ["2026-10-07 Wed", "?", "–", "×", "½", "!", "99k", *nothing * 18, "98,765", "", "2.5 MB", "3"],  # noqa: RUF001
        ["2026-10-06 Tue", *nothing * 22, "1.2k", "·", "1,234", "", "2.5 MB", "0"],
        ["Total", "2 days, 8 hours", "99,999", "", "5.0 MB", "3"],
    ]
    assert [each.text() for each in table.all("i")] == [
        "2026-10-07 00:00 UTC: open",
        "2026-10-07 01:00 UTC: accepted",
        "2026-10-07 02:00 UTC: missing, never landed",
        "2026-10-07 03:00 UTC: short",
        "2026-10-07 04:00 UTC: failed",
        "2026-10-07 05:00 UTC: 98,765 events, 2.5 MB in 2 objects",
        "2026-10-06 22:00 UTC: 1,234 events, 2.5 MB in 2 objects",
        "2026-10-06 23:00 UTC: empty",
    ]
    assert [each.attributes["style"] for each in table.all("b")] == ["width:100.0%", "width:1.2%"]


def test_each_month_has_totals() -> None:
    coverage = covering(span(MIDNIGHT, 24 * 40), {MIDNIGHT: Condition.MISSING})

    months = [row.text() for row in hours_of(shown(coverage)).all("tr", **{"class": "month"})]

    events = Counter[str]()
    for each in coverage.hours:
        events[f"{each.window.start:%B %Y}"] += each.events
    assert months == [
        f"November 2026 {events['November 2026']:,} events · 399 MB",
        f"October 2026 {events['October 2026']:,} events · 759 MB · 1 hour missing",
    ]


def test_day_with_day_files_spans_its_row() -> None:
    table = hours_of(shown(covering(span(DAY_FILES_END - DAY, 25), {DAY_FILES_END: Condition.OPEN}, types=False)))

    day = cover(HourWindow(DAY_FILES_END - DAY, DAY_FILES_END), Condition.DONE)
    cells = [each.attributes.get("colspan") for each in table.all("tr")[2].all("td")]
    assert cells == ["24", None, None, None, None]
    assert rows(table)[2][1] == (
        f"{day.events} for the whole day2014-11-11 00:00 to 2014-11-12 00:00 UTC: "
        f"{day.events} events, {size(day.object_bytes)} in 2 objects"
    )


@given(COVERAGES)
def test_page_has_every_hour_once_with_its_symbol(coverage: Coverage) -> None:
    html = page(coverage, title=TITLE, made_at=MADE_AT, command=None)
    cells = [each for each in hours_of(parsed(html)).all("td") if each.all("i")]

    largest = max(each.events for each in coverage.hours)
    suffix = " for the whole day"
    found = Counter(
        (
            each.all("i")[0].text().partition(": ")[0],
            each.attributes["class"],
            each.text(without="i").removesuffix(suffix),
        )
        for each in cells
    )
    expected = Counter(
        (str(each.window), f"l{level(each.events, largest)}", short_count(each.events))
        if each.condition is Condition.DONE
        else (str(each.window), each.condition.value, SYMBOLS[each.condition].unicode)
        for each in coverage.hours
    )
    assert found == expected
    assert html.encode()
    assert {each.tag for each in parsed(html).all("script")} == set()


def test_legend_counts_the_hours_per_condition() -> None:
    (legend,) = shown(a_month()).all("ul")

    assert [each.text() for each in legend.all("li")] == [
        "done 679at most 61,375 events",
        "·empty 20Amplitude has no events",
        "?open 4not published yet",
        "–accepted 4accepted gap",  # noqa: RUF001
        "×missing 8not landed",  # noqa: RUF001
        "½short 2incomplete in the store",
        "!failed 3landing failed",
    ]


@pytest.mark.parametrize(
    ("special", "verdict", "kind"),
    [
        ({}, "Nothing is missing", "verdict good"),
        ({MIDNIGHT: Condition.OPEN}, "Nothing is missing; 1 still open", "verdict good"),
        ({MIDNIGHT: Condition.SHORT}, "1 of 3 hours to fetch: 1 short", "verdict bad"),
        (
            {MIDNIGHT: Condition.MISSING, MIDNIGHT + HOUR: Condition.FAILED, MIDNIGHT + 2 * HOUR: Condition.OPEN},
            "2 of 3 hours to fetch: 1 missing, 1 failed; 1 still open",
            "verdict bad",
        ),
    ],
)
def test_verdict_is_in_text_and_title(special: dict[datetime, Condition], verdict: str, kind: str) -> None:
    coverage = covering(span(MIDNIGHT, 3), special)

    document = shown(coverage)

    (paragraph,) = document.all("p", **{"class": kind})
    assert paragraph.text() == verdict
    assert [each.text() for each in document.all("title")] == [f"{TITLE}: {verdict}"]


def test_adjacent_missing_hours_are_merged_newest_first() -> None:
    (table,) = shown(a_month()).all("table", **{"class": "list spans"})

    failed = "the archive ended after 1,048,576 of 3,407,872 bytes, three times"
    assert rows(table, without="span") == [
        ["condition", "period", "hours", "reason"],
        ["failed", "2026-10-29 20:00 UTC", "1", failed],
        ["failed", "2026-10-29 05:00 to 07:00 UTC", "2", failed],
        ["short", "2026-10-25 14:00 to 16:00 UTC", "2", "1_2026-10-25_14#2.json.gz is missing"],
        ["missing", "2026-10-22 02:00 UTC", "1", "never landed"],
        ["missing", "2026-10-21 10:00 to 17:00 UTC", "7", "never landed"],
    ]


def test_missing_hours_table_has_at_most_200_rows() -> None:
    every_other = {MIDNIGHT + HOUR * hour: Condition.MISSING for hour in range(0, 420, 2)}

    (section,) = shown(covering(span(MIDNIGHT, 420), every_other)).all("section", **{"aria-labelledby": "missing"})

    assert len(section.all("tr")) == 1 + 200
    assert section.all("p")[0].text() == "… and 10 more hours."


def test_event_types_are_added_up_over_hours() -> None:
    document = shown(with_types({"a": 5, "b": 10}, {"b": 10, "c": 1, **{f"t{n:02}": 0 for n in range(30)}}))

    (section,) = document.all("section", **{"aria-labelledby": "types"})
    assert rows(section)[:5] == [
        ["event type", "events", ""],
        ["b", "20", ""],
        ["a", "5", ""],
        ["c", "1", ""],
        ["t00", "0", ""],
    ]
    assert len(rows(section)) == 1 + 20
    assert [each.attributes["style"] for each in section.all("b")] == [
        "width:100.0%",
        "width:25.0%",
        "width:5.0%",
    ]
    assert section.all("p")[0].text().startswith("Counted in 2 of 3 hours with events. ")


def test_page_without_counted_types_has_no_section() -> None:
    sections = shown(covering(span(MIDNIGHT, 3), {}, types=False)).all("section")

    assert sections == []


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY.keys())
def test_outside_text_is_escaped(name: str) -> None:
    hour = HourCover(hour_window(MIDNIGHT), Condition.FAILED, 1, 1, 1, {name: 1}, reason=name)
    coverage = Coverage(hour.window, (hour,))

    nasty, plain = shown(coverage, name, name), shown(Coverage(hour.window, (cover(hour.window, Condition.FAILED),)))

    visible = name.replace("\u202e", "\\u202e")
    assert {each.text() for each in nasty.all("bdi")} == {visible}
    assert nasty.all("pre")[0].text() == visible
    assert nasty.all("title")[0].text() == f"{visible}: 1 of 1 hour to fetch: 1 failed"
    assert {each.tag for each in nasty.all("html")[0].all("body")[0].inside if isinstance(each, Element)} == {
        *(each.tag for each in plain.all("body")[0].inside if isinstance(each, Element))
    }
    assert nasty.all("script") == nasty.all("img") == []


def test_long_text_is_cut_and_control_characters_are_escaped() -> None:
    document = shown(with_types({"x" * 1_000: 3, "\x00\ud800\x85 bell\x07": 2}))

    (section,) = document.all("section")
    assert [row[0] for row in rows(section)[1:]] == ["x" * 199 + "…", "\\x00\\ud800\\x85 bell\\x07"]


def test_page_shows_the_command_unchanged() -> None:
    command = "source-amplitude land --config 'my config.json' \\\n  --to s3://bucket/a&b --start 2026-10-06T00"

    assert [each.text() for each in shown(a_month(), command).all("pre")] == [command]
    assert shown(a_month(), None).all("pre") == []


def test_page_has_its_source_and_time_and_no_requests() -> None:
    html = page(a_month(), title=TITLE, made_at=MADE_AT, command=COMMAND)

    document = parsed(html)
    assert html.startswith("<!DOCTYPE html>\n")
    assert document.all("h1")[0].text() == f"Amplitude hours in {TITLE}"
    assert document.all("p")[0].text() == "2026-10-06 00:00 to 2026-11-05 00:00 UTC. As of 2026-11-05 00:12 UTC."
    assert [each.text() for each in document.all("dd")] == ["4,504,243", "842 MB", "1,376", "720"]
    assert document.all("script") == document.all("link") == document.all("img") == []
    assert "url(" not in html
    assert "@import" not in html


def test_page_of_a_year_is_small_and_fast() -> None:
    year = covering(span(MIDNIGHT, 365 * 24), {MIDNIGHT + HOUR * hour: Condition.FAILED for hour in range(0, 8760, 2)})

    begun = time.process_time()
    html = page(year, title=TITLE, made_at=MADE_AT, command=COMMAND)
    seconds = time.process_time() - begun

    assert len(html.encode()) < 2_000_000
    assert seconds < 1


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_shades_have_enough_contrast(scheme: int) -> None:
    css = resources.files("source_amplitude.report").joinpath("page.css").read_text(encoding="utf-8")
    shade_and_ink = re.findall(r"\.l[1-9]\{background:(#\w{6});color:(#\w{6})\}", css)
    ramp = shade_and_ink[scheme * LEVELS : (scheme + 1) * LEVELS]
    shades = [luminance(shade) for shade, _ in ramp]

    assert len(ramp) == LEVELS
    assert shades in (sorted(shades), sorted(shades, reverse=True))
    assert min(contrast(shades[at], shades[at + 1]) for at in range(LEVELS - 1)) > 1.25
    assert min(contrast(luminance(shade), luminance(ink)) for shade, ink in ramp) >= 4.5


def luminance(colour: str) -> float:
    """Return the relative luminance as defined by WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(first: float, second: float) -> float:
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)
