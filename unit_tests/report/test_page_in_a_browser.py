"""The page in a headless Chromium: layout, and pictures compared without colour."""

from __future__ import annotations

import sys
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from source_amplitude.report.html_page import page
from unit_tests.peers.browser import Browser, NoBrowserError, browsing
from unit_tests.peers.chromium import PACKAGED
from unit_tests.report.coverages import COMMAND, MADE_AT, TITLE, a_month
from unit_tests.report.png import Picture, grey

if TYPE_CHECKING:
    from collections.abc import Iterator

HTML = page(a_month(), title=TITLE, made_at=MADE_AT, command=COMMAND)

# One hour in each condition, and three sizes of hours with events.
HOURS = {
    "small": "2026-11-04 02:00 UTC",
    "middle": "2026-11-04 09:00 UTC",
    "large": "2026-10-17 18:00 UTC",
    "empty": "2026-11-04 03:00 UTC",
    "open": "2026-11-04 21:00 UTC",
    "accepted": "2026-10-14 10:00 UTC",
    "missing": "2026-10-21 12:00 UTC",
    "short": "2026-10-25 14:00 UTC",
    "failed": "2026-10-29 20:00 UTC",
}
FAINT_PIXELS = 10  # mean difference of 255 levels over a cell of about 700 pixels; different frames differ by more

CELLS = """
Object.fromEntries([...document.querySelectorAll(".hours td i")].map((tooltip) => {
  const cell = tooltip.parentElement, {x, y, width, height} = cell.getBoundingClientRect();
  return [tooltip.textContent.split(": ")[0], {kind: cell.className, area: [x + scrollX, y + scrollY, width, height]}];
}))
"""
CLIPPED = """
[...document.querySelectorAll("h1, p, pre, dd, dt, li, th, td")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1 || each.getBoundingClientRect().right > innerWidth)
  .map((each) => each.textContent)
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if sys.platform == "win32":
        pytest.skip("Chromium on Windows does not support pipes with numbers 3 and 4")
    try:
        with browsing(tmp_path_factory.mktemp("chromium")) as running:
            yield running
    except NoBrowserError as reason:
        if PACKAGED:
            pytest.fail(str(reason))
        pytest.skip(f"{reason} (npm has none for this kind of machine)")


def cells(browser: Browser) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = browser.evaluate(CELLS)
    return found


def pictures(browser: Browser) -> dict[str, Picture]:
    drawn = cells(browser)
    return {name: grey(browser.picture(tuple(map(round, drawn[hour]["area"])))) for name, hour in HOURS.items()}


def test_every_hour_is_drawn_at_its_own_position(browser: Browser) -> None:
    browser.show(HTML, width=1200, height=900)

    drawn = cells(browser)

    assert [drawn[hour]["kind"] for hour in HOURS.values()] == [
        *("l1", "l4", "l8", "empty", "open", "accepted", "missing", "short", "failed")
    ]
    assert len({(each["area"][0], each["area"][1]) for each in drawn.values()}) == len(drawn) == 720
    assert {round(each["area"][3]) for each in drawn.values()} == {24}
    assert min(each["area"][2] for each in drawn.values()) > 28


@pytest.mark.parametrize("symbols", [True, False], ids=["with symbols", "with patterns only"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_conditions_differ_without_colour(browser: Browser, dark: bool, symbols: bool) -> None:  # noqa: FBT001
    hidden = "" if symbols else "<style>.hours td{color:transparent!important}</style>"
    browser.show(HTML.replace("</head>", f"{hidden}</head>"), width=1200, height=900, dark=dark)

    drawn = pictures(browser)

    differences = {pair: drawn[pair[0]].difference(drawn[pair[1]]) for pair in combinations(HOURS, 2)}
    assert {pair: round(each, 1) for pair, each in differences.items() if each < FAINT_PIXELS} == {}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_more_events_mean_more_contrast_to_the_paper(browser: Browser, dark: bool) -> None:  # noqa: FBT001
    browser.show(HTML, width=1200, height=900, dark=dark)
    paper = grey(browser.picture((0, 0, 8, 8))).mean()

    drawn = pictures(browser)

    distances = [abs(drawn[name].mean() - paper) for name in ("small", "middle", "large")]
    assert distances == sorted(distances)
    assert distances[2] - distances[0] > 100
    assert (paper < 40) == dark


@pytest.mark.parametrize("width", [1600, 1200, 1000])
def test_nothing_is_cut_off_at_desktop_widths(browser: Browser, width: int) -> None:
    browser.show(HTML, width=width, height=900)

    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(CLIPPED) == []


def test_phone_scrolls_the_table_not_the_page_sideways(browser: Browser) -> None:
    browser.show(HTML, width=390, height=844)

    day = "document.querySelector('.hours tbody [scope=row]').getBoundingClientRect().left"
    before = browser.evaluate(day)
    browser.evaluate("document.querySelector('.scroll').scrollLeft = 400")

    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    assert browser.evaluate("document.querySelector('.scroll').scrollWidth") > 900
    assert browser.evaluate("document.querySelector('.scroll').scrollLeft") == 400
    assert abs(browser.evaluate(day) - before) <= 2


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("hour", [HOURS["open"], "2026-11-04 00:00 UTC", HOURS["failed"]])
def test_tooltip_stays_within_the_window(browser: Browser, width: int, hour: str) -> None:
    browser.show(HTML, width=width, height=900)
    browser.evaluate(
        f"window.tooltip = [...document.querySelectorAll('td i')].find((i) => i.textContent.startsWith('{hour}'));"
        "tooltip.parentElement.scrollIntoView({block: 'center', inline: 'center'})"
    )
    left, top, _, _ = browser.evaluate(
        "Object.values(tooltip.parentElement.getBoundingClientRect().toJSON()).slice(0, 4)"
    )
    hidden = browser.evaluate("tooltip.offsetWidth * tooltip.offsetHeight")

    browser.point_at(left + 8, top + 8)

    box = browser.evaluate("tooltip.getBoundingClientRect().toJSON()")
    assert hidden == 1
    assert box["width"] > 80
    assert 0 <= box["left"] < box["right"] <= width
    assert 0 <= box["top"] < box["bottom"] <= (top if width > 1000 else 900)


def test_one_click_selects_the_whole_command(browser: Browser) -> None:
    browser.show(HTML, width=1200, height=900)
    left, top = browser.evaluate(
        "(() => {const {x, y} = document.querySelector('pre').getBoundingClientRect(); return [x, y]})()"
    )

    browser.click(left + 40, top + 30)

    assert browser.evaluate("getSelection().toString()") == COMMAND


def test_print_has_no_scrolling_and_no_dark_mode(browser: Browser) -> None:
    browser.show(HTML, width=1040, height=700, dark=True, media="print")

    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.evaluate("getComputedStyle(document.querySelector('.scroll')).overflow") == "visible"
    assert browser.evaluate("document.documentElement.scrollWidth") == 1040


def test_page_does_not_run_scripts(browser: Browser) -> None:
    script = "<script>document.title = 'run'</script>"

    browser.show(HTML.replace("</body>", f"{script}</body>"), width=390, height=844)

    assert (
        browser.evaluate("document.title")
        == f"{TITLE}: 13 of 720 hours to fetch: 8 missing, 2 short, 3 failed; 4 still open"
    )
