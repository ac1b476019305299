"""Formats by the names they have on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.errors import InvalidConfigError
from source_amplitude.landing.formats.jsonl import Jsonl
from source_amplitude.landing.formats.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from source_amplitude.landing.formats.form import Format


_FORMATS: dict[str, Callable[[], Format]] = {"raw": Raw, "jsonl": Jsonl, "json": Raw}

FORMAT_NAMES = tuple(_FORMATS)
"""What ``--format`` takes. ``json`` lands raw members; `landing.day_arrays` then makes the arrays of them."""


def format_named(name: str) -> Format:
    """Return the format that is called ``name``.

    Raises:
        InvalidConfigError: There is none of that name.
        MissingExtraError: A library that it needs is not installed.
    """
    make = _FORMATS.get(name)
    if make is None:
        raise InvalidConfigError((f"--format: must be one of {', '.join(FORMAT_NAMES)}, not {name!r}",))
    return make()
