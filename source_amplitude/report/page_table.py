"""The table of the page: a row a day, the newest first, a column an hour, and what each day comes to."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from source_amplitude.errors import counted
from source_amplitude.landing.coverage import Condition
from source_amplitude.report.markup import bar, isolated, shortened
from source_amplitude.report.signs import SIGNS, hours_in, hours_missing, level, short_count, size

if TYPE_CHECKING:
    from datetime import date

    from source_amplitude.landing.coverage import Coverage, HourCover

HOURS = 24

_COLUMNS = HOURS + 5  # the day before them; events, a bar, bytes and missing hours after them
_REASON_CHARACTERS = 120


def table(coverage: Coverage) -> str:
    """Return the table. What a cell says in full is in an element that is shown beside the pointer."""
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
        + "<col>" * HOURS
        + '<col class="sums"><col class="bars"><col class="sizes"><col class="holes">'
    )
    hours = "".join(f'<th scope="col">{hour:02}</th>' for hour in range(HOURS))
    totals = '<th scope="col">events</th><th></th><th scope="col">size</th><th scope="col">missing</th>'
    return f'<colgroup>{columns}</colgroup>\n<thead><tr><th scope="col">UTC</th>{hours}{totals}</tr></thead>'


def _month(day: date, hours: list[HourCover]) -> str:
    missing = hours_missing(hours)
    said = [counted(sum(each.events for each in hours), "event"), size(sum(each.object_bytes for each in hours))]
    if missing:
        said.append(f"<strong>{counted(missing, 'hour')} missing</strong>")
    return (
        f'<tr class="month"><th scope="rowgroup" colspan="{_COLUMNS}"><span>{day:%B %Y}'
        f" <small>{' · '.join(said)}</small></span></th></tr>"
    )


def _row(day: date, hours: tuple[HourCover, ...], largest_hour: int, largest_day: int) -> str:
    before = hours[0].window.start.hour
    after = HOURS - before - hours_in(hours)
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
    shade, shown = hour.condition.value, SIGNS[hour.condition].symbol
    if hour.condition is Condition.DONE:
        shade, shown = f"l{level(hour.events, largest)}", short_count(hour.events)
    width = "" if hour.window.hours == 1 else f' colspan="{hour.window.hours}"'
    if width:
        shown += " for the whole day"
    return f'<td class="{shade}"{width}>{shown}<i>{hour.window}: {_in_full(hour)}</i></td>'


def _in_full(hour: HourCover) -> str:
    there = f"{counted(hour.events, 'event')}, {size(hour.object_bytes)} in {counted(hour.objects, 'object')}"
    if hour.condition is Condition.DONE:
        return there
    said = hour.condition.value
    if hour.reason:
        said += f", {isolated(shortened(hour.reason, _REASON_CHARACTERS))}"
    return f"{said}; {there}" if hour.objects else said


def _totals(hours: tuple[HourCover, ...], largest_day: int | None = None) -> str:
    events = sum(each.events for each in hours)
    bars = "" if largest_day is None else bar(events, largest_day)
    missing = hours_missing(hours)
    loud = "some" if missing else "none"
    return (
        f"<td>{events:,}</td><td>{bars}</td><td>{size(sum(each.object_bytes for each in hours))}</td>"
        f'<td class="{loud}">{missing:,}</td>'
    )


def _foot(coverage: Coverage) -> str:
    said = f"{counted(sum(1 for _ in coverage.by_day()), 'day')}, {counted(hours_in(coverage.hours), 'hour')}"
    return (
        f'<tfoot><tr><th scope="row">Total</th><td colspan="{HOURS}">{said}</td>{_totals(coverage.hours)}</tr></tfoot>'
    )
