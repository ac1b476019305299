"""What is there of a span as one HTML page that stands alone: no script, no request, a few kB a day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from source_amplitude.errors import counted
from source_amplitude.landing.coverage import Condition
from source_amplitude.report.markup import isolated, text
from source_amplitude.report.page_lists import event_types, missing_hours
from source_amplitude.report.page_style import STYLE
from source_amplitude.report.page_table import table
from source_amplitude.report.signs import SIGNS, hours_in, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from source_amplitude.landing.coverage import Coverage

# Should a text ever come through unescaped, it can still load and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(coverage: Coverage, *, title: str, made_at: datetime, command: str | None) -> str:
    """Return a whole HTML document, to be written as UTF-8.

    Args:
        coverage: What is there.
        title: Names the destination, such as ``s3://bucket/prefix``.
        made_at: When the destination was looked at, aware.
        command: What to type to fetch what is missing; None where nothing is.
    """
    verdict, quality = _verdict(coverage), "bad" if coverage.missing() else "good"
    parts = (
        _header(coverage, title, made_at),
        f'<p class="verdict {quality}">{verdict}</p>',
        _command(command),
        _figures(coverage),
        _legend(coverage),
        table(coverage),
        missing_hours(coverage),
        event_types(coverage),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(title)}: {verdict}</title>\n<style>{STYLE}</style></head>\n"
        f"<body>\n{chr(10).join(part for part in parts if part)}\n</body></html>\n"
    )


def _verdict(coverage: Coverage) -> str:
    missing, still_open = len(coverage.missing()), hours_in(coverage.of(Condition.OPEN))
    said = "Nothing is missing"
    if missing:
        kinds = [(hours_in(coverage.of(condition)), condition) for condition in Condition if condition.is_missing]
        detail = ", ".join(f"{hours:,} {condition.value}" for hours, condition in kinds if hours)
        said = f"{missing:,} of {counted(hours_in(coverage.hours), 'hour')} to fetch: {detail}"
    if still_open:
        said += f"; {still_open:,} still open"
    return said


def _header(coverage: Coverage, title: str, made_at: datetime) -> str:
    made = f'<time datetime="{made_at.isoformat(timespec="seconds")}">{made_at:%Y-%m-%d %H:%M %Z}</time>'
    return f"<h1>Amplitude hours in {isolated(title)}</h1>\n<p>{coverage.span}. As it was on {made}.</p>"


def _command(command: str | None) -> str:
    if command is None:
        return ""
    words = re.sub(r"\S+", lambda word: f"<span>{text(word[0])}</span>", command)
    return (
        '<section aria-labelledby="fetch"><h2 id="fetch">Fetch what is missing</h2>\n'
        f'<pre class="command" tabindex="0"><code>{words}</code></pre></section>'
    )


def _figures(coverage: Coverage) -> str:
    hours = coverage.hours
    figures = (
        ("events", f"{sum(each.events for each in hours):,}"),
        ("stored", size(sum(each.object_bytes for each in hours))),
        (_plural(sum(each.objects for each in hours), "object"), f"{sum(each.objects for each in hours):,}"),
        ("hours", f"{hours_in(hours):,}"),
    )
    return "".join(
        ('<dl class="figures">', *(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures), "</dl>")
    )


def _plural(number: int, noun: str) -> str:
    return noun if number == 1 else f"{noun}s"


def _legend(coverage: Coverage) -> str:
    return f'<ul class="legend" aria-label="Hours in each condition">{"".join(_legend_lines(coverage))}</ul>'


def _legend_lines(coverage: Coverage) -> Iterator[str]:
    for condition, sign in SIGNS.items():
        hours, meaning = hours_in(coverage.of(condition)), sign.meaning
        key = f'<span class="key {condition.value}" aria-hidden="true">{sign.symbol}</span>'
        if condition is Condition.DONE:
            key = "".join(f'<span class="key l{shade}"></span>' for shade in (1, 4, 8))
            key = f'<span class="ramp" aria-hidden="true">{key}</span>'
            meaning = f"at most {counted(max((each.events for each in coverage.hours), default=0), 'event')}"
        yield f"<li>{key}<span><b>{condition.value}</b> {hours:,}<small>{meaning}</small></span></li>"
