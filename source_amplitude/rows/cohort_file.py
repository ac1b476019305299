"""A downloaded cohort: CSV with a header, gzip or not (amplitude-api.md 2.5)."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from typing import IO, TYPE_CHECKING, Any

from source_amplitude.errors import CorruptArchiveError, UnknownShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP_MAGIC = b"\x1f\x8b"
_ID_COLUMNS = ("amplitudeid",)
_USER_COLUMNS = ("userid",)
_PROPERTY_PREFIX = "gp:"
_LONGEST_CELL_CHARS = 10_000_000  # a property may hold a list; the csv module stops at 131,072


class CohortFile:
    """The members of a cohort in a file on disk.

    Args:
        file: Positioned anywhere; read from its start.
        cohort_id: The cohort.
        computed_at: When Amplitude computed it, as RFC 3339.
    """

    def __init__(self, file: IO[bytes], cohort_id: str, computed_at: str) -> None:
        self._file = file
        self._cohort_id = cohort_id
        self._computed_at = computed_at

    def prove(self) -> None:
        """Read the file to its end, so that no row leaves a damaged one.

        Raises:
            CorruptArchiveError: gzip data that is damaged or cut.
            UnknownShapeError: No header with an Amplitude ID, or a row with more cells than the header.
        """
        for _ in self.rows():
            pass

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield ``{"cohort_id", "amplitude_id", "user_id", "properties", "computed_at"}``.

        Raises:
            CorruptArchiveError, UnknownShapeError: As `prove`.
        """
        csv.field_size_limit(_LONGEST_CELL_CHARS)
        self._file.seek(0)
        packed = self._file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        self._file.seek(0)
        plain = gzip.GzipFile(fileobj=self._file) if packed else self._file
        text = io.TextIOWrapper(plain, encoding="utf-8", errors="replace", newline="")
        try:
            yield from self._rows(csv.reader(text))
        except (EOFError, OSError, zlib.error, csv.Error) as error:
            raise CorruptArchiveError(
                f"The download of cohort {self._cohort_id} is damaged ({type(error).__name__}: {error})."
            ) from error
        finally:
            text.detach()

    def _rows(self, lines: Iterator[list[str]]) -> Iterator[dict[str, Any]]:
        header = [name.strip().removeprefix("\ufeff") for name in next(lines, [])]
        plain = [_plain(name) for name in header]
        id_place = next((plain.index(name) for name in _ID_COLUMNS if name in plain), None)
        user_place = next((plain.index(name) for name in _USER_COLUMNS if name in plain), None)
        if id_place is None:
            raise UnknownShapeError(
                f"The download of cohort {self._cohort_id} has the columns {', '.join(header) or 'of an empty file'}; "
                "none of them is the Amplitude ID."
            )
        places = [place for place in range(len(header)) if place not in (id_place, user_place)]
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(header):
                raise UnknownShapeError(
                    f"The download of cohort {self._cohort_id} has a row of {len(cells)} cells below {len(header)}."
                )
            amplitude_id = cells[id_place]
            yield {
                "cohort_id": self._cohort_id,
                "amplitude_id": int(amplitude_id) if amplitude_id.isdecimal() else amplitude_id,
                "user_id": (cells[user_place] or None) if user_place is not None else None,
                "properties": {header[place].removeprefix(_PROPERTY_PREFIX): cells[place] for place in places},
                "computed_at": self._computed_at,
            }


def _plain(name: str) -> str:
    """Return a column's name for comparison: ``amplitude_id``, ``amplitudeID`` and ``Amplitude ID`` are one."""
    return name.lower().replace("_", "").replace(" ", "")
