"""Looking into answers whose shape may differ from what is known."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from source_amplitude.errors import UnknownShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_SHOWN_KEYS = 12
_MAX_SHOWN_CHARS = 300


def require_dict(value: object, what: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        UnknownShapeError: It is something else.
    """
    if not isinstance(value, dict):
        raise unknown_shape(what, "an object", value)
    return value


def require_list(value: object, what: str) -> list[Any]:
    """Return a JSON array.

    Raises:
        UnknownShapeError: It is something else.
    """
    if not isinstance(value, list):
        raise unknown_shape(what, "an array", value)
    return value


def unknown_shape(what: str, expected: str, value: object) -> UnknownShapeError:
    """Return the error that names the place and the kind of what was found, but no value: it may be a person's."""
    found = type(value).__name__
    if isinstance(value, dict):
        keys = ", ".join(map(str, list(value)[:_MAX_SHOWN_KEYS]))
        found = f"an object with the keys {keys[:_MAX_SHOWN_CHARS]}" if value else "an empty object"
    return UnknownShapeError(f"Amplitude's answer has {found} as {what}, where {expected} is known.")


def number(value: object, what: str) -> float | int | None:
    """Return a number, also where it comes as ``{"setId": ..., "value": ...}`` (observed 2023, upstream.md A2).

    Raises:
        UnknownShapeError: It is neither a finite number, such an object, nor null.
    """
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and math.isfinite(value):  # json reads NaN, and 1e999 as infinity
        return value
    raise unknown_shape(what, "a number", value)


def label_text(label: object) -> str:
    """Return a label as text; of a list such as ``[0, "blue"]`` the last element (observed).

    Raises:
        UnknownShapeError: It is an object, an empty list, or a list that ends with such.
    """
    if isinstance(label, list) and label:
        label = label[-1]
    if isinstance(label, dict | list):
        raise unknown_shape("a label", "a text", label)
    return label if isinstance(label, str) else json.dumps(label)


def unique_names(names: Iterable[str]) -> list[str]:
    """Return names in their order, those that repeat with a number, so that none hides another's value."""
    unique: dict[str, None] = {}
    for name in names:
        free, count = name, 1
        while free in unique:
            count += 1
            free = f"{name} ({count})"
        unique[free] = None
    return list(unique)
