"""A saved chart's CSV (amplitude-api.md 3.17): titles, a blank line, a header, rows; cells begin with a TAB."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.days import parse_day
from source_amplitude.rows.shapes import require_dict, unique_names, unknown_shape

if TYPE_CHECKING:
    from collections.abc import Iterable

# As JSON writes them, in the range that every destination holds: 007 is a name, and 1.0e999 is no number.
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]+([eE][-+]?[0-9]{1,2})?")
_LONGEST_CELL_CHARS = 10_000_000  # the csv module stops at 131,072
_FIRST_HEADER = "Segment"


def chart_rows(answer: object, chart_id: str) -> list[dict[str, Any]]:
    """Return ``{"chart_id", "row", "title", "values": {column: number or text}}``, rows counted from 1.

    Raises:
        UnknownShapeError: There is no text, or no header in it.
    """
    text = require_dict(answer, "body").get("data")
    if not isinstance(text, str):
        raise unknown_shape("data", "a CSV text", text)
    raw = _lines(text, chart_id)
    lines = [[cell.strip() for cell in cells] for cells in raw]
    head = _header_place(lines)
    title = next((" ".join(filter(None, cells)) for cells in lines[:head] if any(cells)), None)
    columns = _columns(lines[head])
    rows: list[dict[str, Any]] = []
    for cells in raw[head + 1 :]:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(columns):
            raise UnknownShapeError(
                f"The CSV of chart {chart_id} has a row of {len(cells)} cells below {len(columns)}."
            )
        values = {column: _value(column, cell) for column, cell in zip(columns, cells, strict=False)}
        rows.append({"chart_id": chart_id, "row": len(rows) + 1, "title": title, "values": values})
    return rows


def _lines(text: str, chart_id: str) -> list[list[str]]:
    csv.field_size_limit(_LONGEST_CELL_CHARS)
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise UnknownShapeError(f"The CSV of chart {chart_id} cannot be read ({error}).") from error


def _header_place(lines: list[list[str]]) -> int:
    """Return the place of the header: it begins with ``Segment``, or follows the first blank line."""
    for place, cells in enumerate(lines):
        if cells and cells[0] == _FIRST_HEADER:
            return place
    for place, cells in enumerate(lines[:-1]):
        if not any(cells) and any(lines[place + 1]):
            return place + 1
    raise UnknownShapeError("The chart's CSV has no header: no line begins with Segment or follows a blank line.")


def _columns(names: Iterable[str]) -> list[str]:
    """Return column names; an empty one names nothing, so its place does."""
    return unique_names(name or f"column {place}" for place, name in enumerate(names, start=1))


def _value(column: str, cell: str) -> float | int | str:
    """Return a number where it is one: names begin with a TAB (observed), and a version 1.10 is a name."""
    text = cell.strip()
    if cell.startswith("\t") and parse_day(column) is None:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
