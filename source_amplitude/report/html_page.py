"""A coverage as one self-contained HTML page: no scripts, no requests, a few kB per day.

From the top: the verdict, the command for the missing hours, the figures and the legend; a table with one row per day,
the newest first, and one column per hour; the missing hours with their reasons; the most frequent event types. `_text`
escapes every text from outside, such as names of event types.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from importlib import resources
from itertools import groupby, islice
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import without_controls
from source_amplitude.errors import counted
from source_amplitude.landing.coverage import Condition
from source_amplitude.report.symbols import SYMBOLS, days_and_hours, hours_in, hours_missing, level, short_count, size
from source_amplitude.windows import HourWindow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from source_amplitude.landing.coverage import Coverage, HourCover

_HOURS = 24
_COLUMNS = _HOURS + 5  # the day before them; events, a bar, bytes and missing hours after them
_MISSING_ROWS = 200
_TYPES_ROWS = 20
_CELL_REASON_CHARACTERS = 120
_LISTED_REASON_CHARACTERS = 500
_NAME_CHARACTERS = 200

# Defence in depth: even unescaped text cannot load or run anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(coverage: Coverage, *, title: str, made_at: datetime, command: str | None) -> str:
    """Return a complete HTML document, to be written as UTF-8.

    Args:
        title: The destination, such as ``s3://bucket/prefix``.
        made_at: When the destination was listed, aware.
        command: The command that lands the missing hours; None if no hours are missing.
    """
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    verdict, quality = _verdict(coverage), "bad" if coverage.missing() else "good"
    parts = (
        _header(coverage, title, made_at),
        f'<p class="verdict {quality}">{verdict}</p>',
        _command(command),
        _figures(coverage),
        _legend(coverage),
        _table(coverage),
        _missing_hours(coverage),
        _event_types(coverage),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(title)}: {verdict}</title>\n<style>{style}</style></head>\n"
        f"<body>\n{chr(10).join(part for part in parts if part)}\n</body></html>\n"
    )


def _verdict(coverage: Coverage) -> str:
    missing, still_open = len(coverage.missing()), hours_in(coverage.of(Condition.OPEN))
    verdict = "Nothing is missing"
    if missing:
        kinds = [(hours_in(coverage.of(condition)), condition) for condition in Condition if condition.is_missing]
        detail = ", ".join(f"{hours:,} {condition.value}" for hours, condition in kinds if hours)
        verdict = f"{missing:,} of {counted(hours_in(coverage.hours), 'hour')} to fetch: {detail}"
    if still_open:
        verdict += f"; {still_open:,} still open"
    return verdict


def _header(coverage: Coverage, title: str, made_at: datetime) -> str:
    made = f'<time datetime="{made_at.isoformat(timespec="seconds")}">{made_at:%Y-%m-%d %H:%M %Z}</time>'
    return f"<h1>Amplitude hours in {_isolated(title)}</h1>\n<p>{coverage.span}. As of {made}.</p>"


def _command(command: str | None) -> str:
    if command is None:
        return ""
    words = re.sub(r"[^ \n]+", lambda word: f"<span>{_text(word[0])}</span>", command)
    return (
        '<section aria-labelledby="fetch"><h2 id="fetch">Fetch the missing hours</h2>\n'
        f'<pre class="command" tabindex="0"><code>{words}</code></pre></section>'
    )


def _figures(coverage: Coverage) -> str:
    hours, objects = coverage.hours, sum(each.objects for each in coverage.hours)
    figures = (
        ("events", f"{sum(each.events for each in hours):,}"),
        ("stored", size(sum(each.object_bytes for each in hours))),
        ("object" if objects == 1 else "objects", f"{objects:,}"),
        ("hours", f"{hours_in(hours):,}"),
    )
    return "".join(
        ('<dl class="figures">', *(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures), "</dl>")
    )


def _legend(coverage: Coverage) -> str:
    return f'<ul class="legend" aria-label="Hours in each condition">{"".join(_legend_lines(coverage))}</ul>'


def _legend_lines(coverage: Coverage) -> Iterator[str]:
    for condition, symbol in SYMBOLS.items():
        hours, meaning = hours_in(coverage.of(condition)), symbol.meaning
        key = f'<span class="key {condition.value}" aria-hidden="true">{symbol.unicode}</span>'
        if condition is Condition.DONE:
            key = "".join(f'<span class="key l{shade}"></span>' for shade in (1, 4, 8))
            key = f'<span class="ramp" aria-hidden="true">{key}</span>'
            meaning = f"at most {counted(max((each.events for each in coverage.hours), default=0), 'event')}"
        yield f"<li>{key}<span><b>{condition.value}</b> {hours:,}<small>{meaning}</small></span></li>"


def _table(coverage: Coverage) -> str:
    """Return the table; each cell has a tooltip with its details."""
    days = [(day, hours, sum(each.events for each in hours)) for day, hours in coverage.by_day()][::-1]
    largest_hour = max((each.events for each in coverage.hours), default=0)
    largest_day = max((events for _, _, events in days), default=0)
    months = [list(month) for _, month in groupby(days, key=lambda day: f"{day[0]:%Y-%m}")]
    bodies = []
    for month in months:
        rows = [_row(day, hours, largest_hour, largest_day) for day, hours, _ in month]
        if len(months) > 1:
            rows.insert(0, _month(month[0][0], [each for _, hours, _ in month for each in hours]))
        bodies.append(f"<tbody>\n{chr(10).join(rows)}\n</tbody>")
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Hours by days"><table class="hours">\n'
        f"{_head()}\n{chr(10).join(bodies)}\n{_foot(coverage)}\n</table></div>"
    )


def _head() -> str:
    columns = (
        '<col class="days">'
        + "<col>" * _HOURS
        + '<col class="sums"><col class="bars"><col class="sizes"><col class="holes">'
    )
    hours = "".join(f'<th scope="col">{hour:02}</th>' for hour in range(_HOURS))
    totals = '<th scope="col">events</th><th></th><th scope="col">size</th><th scope="col">missing</th>'
    return f'<colgroup>{columns}</colgroup>\n<thead><tr><th scope="col">UTC</th>{hours}{totals}</tr></thead>'


def _month(day: date, hours: list[HourCover]) -> str:
    missing = hours_missing(hours)
    figures = [counted(sum(each.events for each in hours), "event"), size(sum(each.object_bytes for each in hours))]
    if missing:
        figures.append(f"<strong>{counted(missing, 'hour')} missing</strong>")
    return (
        f'<tr class="month"><th scope="rowgroup" colspan="{_COLUMNS}"><span>{day:%B %Y}'
        f" <small>{' · '.join(figures)}</small></span></th></tr>"
    )


def _row(day: date, hours: tuple[HourCover, ...], largest_hour: int, largest_day: int) -> str:
    before = hours[0].window.start.hour
    after = _HOURS - before - hours_in(hours)
    cells = "".join(
        (
            '<td class="outside"></td>' * before,
            *(_cell(each, largest_hour) for each in hours),
            '<td class="outside"></td>' * after,
        )
    )
    weekend = ' class="weekend"' if day.isoweekday() > 5 else ""  # noqa: PLR2004 - Saturday and Sunday
    heading = f'<th scope="row"><time datetime="{day}">{day:%Y-%m-%d <small>%a</small>}</time></th>'
    return f"<tr{weekend}>{heading}{cells}{_totals(hours, largest_day)}</tr>"


def _cell(hour: HourCover, largest: int) -> str:
    shade, shown = hour.condition.value, SYMBOLS[hour.condition].unicode
    if hour.condition is Condition.DONE:
        shade, shown = f"l{level(hour.events, largest)}", short_count(hour.events)
    width = "" if hour.window.hours == 1 else f' colspan="{hour.window.hours}"'
    if width:
        shown += " for the whole day"
    return f'<td class="{shade}"{width}>{shown}<i>{hour.window}: {_tooltip(hour)}</i></td>'


def _tooltip(hour: HourCover) -> str:
    contents = f"{counted(hour.events, 'event')}, {size(hour.object_bytes)} in {counted(hour.objects, 'object')}"
    if hour.condition is Condition.DONE:
        return contents
    condition = hour.condition.value
    if hour.reason:
        condition += f", {_isolated(_shortened(hour.reason, _CELL_REASON_CHARACTERS))}"
    return f"{condition}; {contents}" if hour.objects else condition


def _totals(hours: tuple[HourCover, ...], largest_day: int | None = None) -> str:
    events = sum(each.events for each in hours)
    bars = "" if largest_day is None else _bar(events, largest_day)
    missing = hours_missing(hours)
    class_ = "some" if missing else "none"
    return (
        f"<td>{events:,}</td><td>{bars}</td><td>{size(sum(each.object_bytes for each in hours))}</td>"
        f'<td class="{class_}">{missing:,}</td>'
    )


def _foot(coverage: Coverage) -> str:
    days, totals = days_and_hours(coverage), _totals(coverage.hours)
    return f'<tfoot><tr><th scope="row">Total</th><td colspan="{_HOURS}">{days}</td>{totals}</tr></tfoot>'


def _missing_hours(coverage: Coverage) -> str:
    """Return a table of the missing hours, newest first, adjacent hours with the same reason merged; empty if none."""
    spans = list(_spans(coverage))[::-1]
    if not spans:
        return ""
    rows = [
        f'<tr><td><span class="key {condition.value}" aria-hidden="true">{SYMBOLS[condition].unicode}</span> '
        f"{condition.value}</td><td>{window}</td><td>{window.hours:,}</td>"
        f"<td>{_isolated(_shortened(reason, _LISTED_REASON_CHARACTERS))}</td></tr>"
        for window, condition, reason in spans[:_MISSING_ROWS]
    ]
    left = sum(window.hours for window, _, _ in spans[_MISSING_ROWS:])
    more = f"<p>… and {counted(left, 'more hour')}.</p>" if left else ""
    return (
        '<section aria-labelledby="missing"><h2 id="missing">Missing hours</h2>\n<table class="list spans"><thead><tr>'
        '<th scope="col">condition</th><th scope="col">period</th><th scope="col">hours</th><th scope="col">reason</th>'
        f"</tr></thead><tbody>\n{chr(10).join(rows)}\n</tbody></table>{more}</section>"
    )


def _spans(coverage: Coverage) -> Iterator[tuple[HourWindow, Condition, str]]:
    begun: tuple[HourWindow, Condition, str] | None = None
    for each in coverage.hours:
        if not each.condition.is_missing:
            continue
        if begun and (begun[0].end, *begun[1:]) == (each.window.start, each.condition, each.reason):
            begun = (HourWindow(begun[0].start, each.window.end), *begun[1:])
            continue
        if begun:
            yield begun
        begun = (each.window, each.condition, each.reason)
    if begun:
        yield begun


def _event_types(coverage: Coverage) -> str:
    """Return a table of the most frequent event types; empty if no hour has counts."""
    known = [each for each in coverage.hours if each.event_types]
    if not known:
        return ""
    totals: Counter[str] = Counter()
    for each in known:
        totals.update(each.event_types)
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    largest = ordered[0][1]
    rows = [
        f"<tr><td>{_isolated(_shortened(name, _NAME_CHARACTERS))}</td>"
        f"<td>{events:,}</td><td>{_bar(events, largest)}</td></tr>"
        for name, events in islice(ordered, _TYPES_ROWS)
    ]
    return (
        '<section aria-labelledby="types"><h2 id="types">Most frequent event types</h2>\n'
        f"<p>{_counts_note(coverage, known)}</p>\n"
        '<table class="list types"><thead><tr><th scope="col">event type</th><th scope="col">events</th><td></td>'
        f"</tr></thead><tbody>\n{chr(10).join(rows)}\n</tbody></table></section>"
    )


def _counts_note(coverage: Coverage, known: list[HourCover]) -> str:
    landed = hours_in(each for each in coverage.hours if each.events)
    return (
        f"Counted in {hours_in(known):,} of {counted(landed, 'hour')} with events. Manifests list only the most "
        "frequent types of an hour, so the counts of rare types are lower bounds."
    )


def _text(value: str) -> str:
    """Escape ``value`` for an element or a quoted attribute; control characters become visible escapes."""
    return html.escape(without_controls(value))


def _isolated(value: str) -> str:
    """Return escaped ``value`` in an element that isolates its text direction."""
    return f"<bdi>{_text(value)}</bdi>"


def _shortened(value: str, characters: int) -> str:
    """Return ``value``, truncated to ``characters`` with an ellipsis."""
    return value if len(value) <= characters else f"{value[: characters - 1]}…"


def _bar(part: int, whole: int) -> str:
    """Return a bar for ``part`` of ``whole``, hidden from screen readers: show the number next to it."""
    filled = f'<b style="width:{100 * part / whole:.1f}%"></b>' if part > 0 else ""
    return f'<span class="bar" aria-hidden="true">{filled}</span>'
