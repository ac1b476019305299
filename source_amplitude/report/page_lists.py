"""What stands below the table of the page: the missing hours with their reasons, and the most frequent event types."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from source_amplitude.errors import counted
from source_amplitude.report.markup import bar, isolated, shortened
from source_amplitude.report.signs import SIGNS, hours_in
from source_amplitude.windows import HourWindow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.landing.coverage import Condition, Coverage, HourCover

MISSING_ROWS = 200
TYPES_ROWS = 20

_REASON_CHARACTERS = 500
_NAME_CHARACTERS = 200


def missing_hours(coverage: Coverage) -> str:
    """Return a table of the missing hours, the newest first, hours in a row with one reason as one; or nothing."""
    spans = list(_spans(coverage))[::-1]
    if not spans:
        return ""
    rows = [
        f'<tr><td><span class="key {condition.value}" aria-hidden="true">{SIGNS[condition].symbol}</span> '
        f"{condition.value}</td><td>{window}</td><td>{window.hours:,}</td>"
        f"<td>{isolated(shortened(reason, _REASON_CHARACTERS))}</td></tr>"
        for window, condition, reason in spans[:MISSING_ROWS]
    ]
    left = sum(window.hours for window, _, _ in spans[MISSING_ROWS:])
    more = f"<p>… and {counted(left, 'more hour')}.</p>" if left else ""
    return (
        '<section aria-labelledby="missing"><h2 id="missing">Missing hours</h2>\n<table class="list spans"><thead><tr>'
        '<th scope="col">is</th><th scope="col">when</th><th scope="col">hours</th><th scope="col">why</th>'
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


def event_types(coverage: Coverage) -> str:
    """Return a table of the most frequent event types, or nothing where no hour's were counted."""
    known = [each for each in coverage.hours if each.event_types]
    if not known:
        return ""
    totals: Counter[str] = Counter()
    for each in known:
        totals.update(each.event_types)
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    largest = ordered[0][1]
    rows = [
        f"<tr><td>{isolated(shortened(name, _NAME_CHARACTERS))}</td>"
        f"<td>{events:,}</td><td>{bar(events, largest)}</td></tr>"
        for name, events in islice(ordered, TYPES_ROWS)
    ]
    return (
        '<section aria-labelledby="types"><h2 id="types">Most frequent event types</h2>\n'
        f"<p>{_how_many(coverage, known)}</p>\n"
        '<table class="list types"><thead><tr><th scope="col">event type</th><th scope="col">events</th><td></td>'
        f"</tr></thead><tbody>\n{chr(10).join(rows)}\n</tbody></table></section>"
    )


def _how_many(coverage: Coverage, known: list[HourCover]) -> str:
    landed = hours_in(each for each in coverage.hours if each.events)
    return (
        f"Counted in {hours_in(known):,} of the {counted(landed, 'hour')} with events. An hour's manifest names its "
        "most frequent types only, so that the numbers of rare types are lower bounds."
    )
