"""Looking into answers whose shape may differ from what is known."""

from __future__ import annotations

from typing import Any

from source_amplitude.errors import UnknownShapeError

_MAX_SHOWN_KEYS = 12


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
        found = f"an object with the keys {keys}" if value else "an empty object"
    return UnknownShapeError(f"Amplitude's answer has {found} as {what}, where {expected} is known.")


def number(value: object, what: str) -> float | int | None:
    """Return a number, also where it comes as ``{"setId": ..., "value": ...}`` (observed 2023, upstream.md A2).

    Raises:
        UnknownShapeError: It is neither a number, such an object, nor null.
    """
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise unknown_shape(what, "a number", value)
