"""A saved chart's CSV (amplitude-api.md 3.17): titles, a blank line, a header, rows; cells begin with a TAB."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.shapes import require_dict, unknown_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHOLE = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"-?\d+\.\d+([eE][-+]?\d+)?")
_FIRST_HEADER = "Segment"


def chart_rows(answer: object, chart_id: str) -> Iterator[dict[str, Any]]:
    """Yield ``{"chart_id", "row", "title", "values": {column: number or text}}``, rows counted from 1.

    Raises:
        UnknownShapeError: There is no text, or no header in it.
    """
    text = require_dict(answer, "body").get("data")
    if not isinstance(text, str):
        raise unknown_shape("data", "a CSV text", text)
    lines = [[cell.strip() for cell in cells] for cells in csv.reader(io.StringIO(text, newline=""))]
    head = _header_place(lines)
    title = next((" ".join(filter(None, cells)) for cells in lines[:head] if any(cells)), None)
    columns = _unique(lines[head])
    row = 0
    for cells in lines[head + 1 :]:
        if not any(cells):
            continue
        if len(cells) > len(columns):
            raise UnknownShapeError(
                f"The CSV of chart {chart_id} has a row of {len(cells)} cells below {len(columns)}."
            )
        row += 1
        values = {column: _value(cell) for column, cell in zip(columns, cells, strict=False)}
        yield {"chart_id": chart_id, "row": row, "title": title, "values": values}


def _header_place(lines: list[list[str]]) -> int:
    """Return the place of the header: it begins with ``Segment``, or follows the first blank line."""
    for place, cells in enumerate(lines):
        if cells and cells[0] == _FIRST_HEADER:
            return place
    for place, cells in enumerate(lines[:-1]):
        if not any(cells) and any(lines[place + 1]):
            return place + 1
    raise UnknownShapeError("The chart's CSV has no header: no line begins with Segment or follows a blank line.")


def _unique(names: list[str]) -> list[str]:
    """Return column names, those that repeat with a number."""
    seen: dict[str, int] = {}
    unique = []
    for place, name in enumerate(names, start=1):
        name = name or f"column {place}"  # noqa: PLW2901 - an empty name names nothing
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def _value(cell: str) -> float | int | str:
    if _WHOLE.fullmatch(cell):
        return int(cell)
    return float(cell) if _DECIMAL.fullmatch(cell) else cell
