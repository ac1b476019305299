"""Read Amplitude's CSV files: cohort downloads and saved charts."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from typing import IO, TYPE_CHECKING

from source_amplitude.errors import CorruptArchiveError, UnknownShapeError, counted
from source_amplitude.rows.days import parse_day
from source_amplitude.rows.shapes import require_dict, unique_names, unknown_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from source_amplitude.rows.shapes import Row

_GZIP_MAGIC = b"\x1f\x8b"
_PROPERTY_PREFIX = "gp:"
_ID = re.compile(r"[1-9][0-9]{0,17}")
# Numbers as in JSON, limited to what every destination can store: 007 and 1.0e999 stay text.
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]+([eE][-+]?[0-9]{1,2})?")
_FIRST_HEADER = "Segment"
_LONGEST_CELL_CHARS = 10_000_000  # a property may contain a list; the default limit is 131,072


class CohortFile:
    """The members of a cohort in a CSV file with a header, gzip or plain (amplitude-api.md 2.5).

    Args:
        file: The file, at any position; it is read from its start.
        cohort_id: The cohort's ID.
        computed_at: When Amplitude computed the cohort, as RFC 3339.
        may_be_blank: Whether a file without any text, even a header, is valid: the list of cohorts shows 0 members.

    Attributes:
        count: The number of rows that the latest `rows` has yielded.
        properties: The names of the property columns.
    """

    def __init__(self, file: IO[bytes], cohort_id: str, computed_at: str, *, may_be_blank: bool = False) -> None:
        self._file = file
        self._cohort_id = cohort_id
        self._computed_at = computed_at
        self._may_be_blank = may_be_blank
        self.count = 0
        self.properties: list[str] = []

    def verify(self) -> None:
        """Read the file to its end, so that no row of a damaged file is emitted.

        Raises:
            CorruptArchiveError: gzip data, text or a row is damaged or truncated, or the file is blank and may not be.
            UnknownShapeError: The header has no Amplitude ID.
        """
        for _ in self.rows():
            pass

    def rows(self) -> Iterator[Row]:
        """Yield ``{"cohort_id", "amplitude_id", "user_id", "properties", "computed_at"}``, or raise as `verify`."""
        csv.field_size_limit(_LONGEST_CELL_CHARS)
        self._file.seek(0)
        packed = self._file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        self._file.seek(0)
        plain = gzip.GzipFile(fileobj=self._file) if packed else self._file
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
        try:
            yield from self._rows(csv.reader(text, strict=True))
        except (EOFError, OSError, zlib.error, csv.Error, UnicodeDecodeError) as error:
            raise CorruptArchiveError(
                f"The download of cohort {self._cohort_id} is damaged ({type(error).__name__}: {error})."
            ) from error
        finally:
            text.detach()

    def _rows(self, lines: Iterator[list[str]]) -> Iterator[Row]:
        self.count, self.properties = 0, []
        header = [name.strip() for name in next((cells for cells in lines if any(map(str.strip, cells))), [])]
        if not header:
            self._require_may_be_blank()
            return
        plain = [_plain(name) for name in header]
        id_place = plain.index("amplitudeid") if "amplitudeid" in plain else None
        user_place = plain.index("userid") if "userid" in plain else None
        if id_place is None:
            raise UnknownShapeError(  # without the names: if the header is missing, they are personal data
                f"The download of cohort {self._cohort_id} has {counted(len(header), 'column')}, but no Amplitude ID."
            )
        places = [place for place in range(len(header)) if place not in (id_place, user_place)]
        names = self.properties = _property_names([header[place] for place in places])
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(header):
                raise CorruptArchiveError(
                    f"The download of cohort {self._cohort_id} has a row of {counted(len(cells), 'cell')} "
                    f"below a header of {len(header)}."
                )
            self.count += 1
            amplitude_id = cells[id_place]
            yield {
                "cohort_id": self._cohort_id,
                "amplitude_id": int(amplitude_id) if _ID.fullmatch(amplitude_id) else amplitude_id,
                "user_id": (cells[user_place] or None) if user_place is not None else None,
                "properties": {name: cells[place] for name, place in zip(names, places, strict=True)},
                "computed_at": self._computed_at,
            }

    def _require_may_be_blank(self) -> None:
        if not self._may_be_blank:
            raise CorruptArchiveError(
                f"The download of cohort {self._cohort_id} is blank (no header), but the list of cohorts does not show "
                "0 members."
            )


def _property_names(columns: list[str]) -> list[str]:
    """Return names without ``gp:``, unless a built-in property has the same name (``country``, ``gp:country``)."""
    short = [name.removeprefix(_PROPERTY_PREFIX) for name in columns]
    return unique_names(name if other in columns else other for name, other in zip(columns, short, strict=True))


def _plain(name: str) -> str:
    """Normalize a column's name: ``amplitude_id``, ``amplitudeID`` and ``Amplitude ID`` are equal."""
    return name.lower().replace("_", "").replace(" ", "")


def chart_rows(body: object, chart_id: str) -> list[Row]:
    """Return ``{"chart_id", "row", "title", "values": {column: number or text}}``, with row numbers from 1.

    The CSV (amplitude-api.md 3.17) has title lines, a blank line, a header and rows. Text cells begin with a TAB.
    """
    text = require_dict(body, "body").get("data")
    if not isinstance(text, str):
        raise unknown_shape("data", "a CSV text", text)
    raw = _lines(text, chart_id)
    lines = [[cell.strip() for cell in cells] for cells in raw]
    head = _header_place(lines)
    title = next((" ".join(filter(None, cells)) for cells in lines[:head] if any(cells)), None)
    columns = _columns(lines[head])
    rows: list[Row] = []
    for cells in raw[head + 1 :]:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(columns):
            raise UnknownShapeError(
                f"The CSV of chart {chart_id} has a row of {counted(len(cells), 'cell')} "
                f"below a header of {len(columns)}."
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
    """Return the header's line number from 0: it begins with ``Segment``, or follows the first blank line."""
    for place, cells in enumerate(lines):
        if cells and cells[0] == _FIRST_HEADER:
            return place
    for place, cells in enumerate(lines[:-1]):
        if not any(cells) and any(lines[place + 1]):
            return place + 1
    raise UnknownShapeError("The chart's CSV has no header: no line begins with Segment or follows a blank line.")


def _columns(names: Iterable[str]) -> list[str]:
    """Return column names; an empty name is replaced by the column's number."""
    return unique_names(name or f"column {place}" for place, name in enumerate(names, start=1))


def _value(column: str, cell: str) -> float | int | str:
    """Return a cell as a number if it is one; text cells begin with a TAB (observed), such as a version 1.10."""
    text = cell.strip()
    if cell.startswith("\t") and parse_day(column) is None:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
