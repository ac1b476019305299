"""Formats by the names they have on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.errors import InvalidConfigError
from source_amplitude.landing.formats.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from source_amplitude.landing.formats.form import Format


def _jsonl() -> Format:
    from source_amplitude.landing.formats.jsonl import Jsonl  # noqa: PLC0415 - raw starts sooner without it

    return Jsonl()


def _parquet() -> Format:
    from source_amplitude.landing.formats.parquet import Parquet  # noqa: PLC0415 - pyarrow, on demand

    return Parquet()


_FORMATS: dict[str, Callable[[], Format]] = {"raw": Raw, "jsonl": _jsonl, "parquet": _parquet, "json": Raw}

FORMAT_NAMES = tuple(_FORMATS)
"""What ``--format`` takes. ``json`` lands raw members; `landing.day_arrays` then makes the arrays of them."""


def format_named(name: str, *, count_event_types: bool = False) -> Format:
    """Return the format that is called ``name``.

    Args:
        name: One of `FORMAT_NAMES`.
        count_event_types: Whether raw members are looked into for the types of their events; the others always are.

    Raises:
        InvalidConfigError: There is none of that name.
        MissingExtraError: A library that it needs is not installed.
    """
    make = _FORMATS.get(name)
    if make is None:
        raise InvalidConfigError((f"--format: must be one of {', '.join(FORMAT_NAMES)}, not {name!r}",))
    return Raw(count_event_types=count_event_types) if make is Raw else make()
