"""Check the shape of responses, and convert lists of objects to rows."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from source_amplitude.errors import UnknownShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]

_MAX_SHOWN_KEYS = 12
_MAX_SHOWN_CHARS = 300


def require_dict(value: object, what: str) -> dict[str, Any]:
    """Return ``value``; raise an UnknownShapeError if it is not a JSON object."""
    if not isinstance(value, dict):
        raise unknown_shape(what, "an object", value)
    return value


def require_list(value: object, what: str) -> list[Any]:
    """Return ``value``; raise an UnknownShapeError if it is not a JSON array."""
    if not isinstance(value, list):
        raise unknown_shape(what, "an array", value)
    return value


def unknown_shape(what: str, expected: str, value: object) -> UnknownShapeError:
    """Return an error with the place and type of ``value``, without its content: it may be personal data."""
    found = type(value).__name__
    if isinstance(value, dict):
        keys = ", ".join(map(str, list(value)[:_MAX_SHOWN_KEYS]))
        found = f"an object with the keys {keys[:_MAX_SHOWN_CHARS]}" if value else "an empty object"
    return UnknownShapeError(f"Amplitude's response has {found} as {what}; expected {expected}.")


def number(value: object, what: str) -> float | int | None:
    """Return a number, plain or as ``{"setId": ..., "value": ...}`` (observed 2023, upstream.md A2).

    Raises:
        UnknownShapeError: It is not a finite number, such an object, or null.
    """
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and math.isfinite(value):  # json accepts NaN, and reads 1e999 as infinity
        return value
    raise unknown_shape(what, "a number", value)


def label_text(label: object) -> str:
    """Return a label as text; for a list such as ``[0, "blue"]`` the last element (observed).

    Raises:
        UnknownShapeError: It is an object, an empty list, or a list that ends with one of these.
    """
    if isinstance(label, list) and label:
        label = label[-1]
    if isinstance(label, dict | list):
        raise unknown_shape("a label", "a text", label)
    return label if isinstance(label, str) else json.dumps(label)


def unique_names(names: Iterable[str]) -> list[str]:
    """Return names in their order; number repeated names, so that no value is overwritten."""
    unique: dict[str, None] = {}
    for name in names:
        free, count = name, 1
        while free in unique:
            count += 1
            free = f"{name} ({count})"
        unique[free] = None
    return list(unique)


# Lists of objects (amplitude-api.md 2.1, 4 and 5)


def items(body: object, key: str | None) -> list[Row]:
    """Return the objects of the array under ``key``; None: the body itself is the array."""
    found = body if key is None else require_dict(body, "body").get(key)
    return [require_dict(item, f"an element of {key or 'body'}") for item in require_list(found, key or "body")]


def annotation(item: Row) -> Row:
    """Return an annotation of API v2 or v3 in upstream's shape, with the fields that v3 adds.

    v3's ``start`` has a UTC offset; ``date`` is its day as written (amplitude-api.md 4.1). An unexpected or missing
    value is passed on, so that the other values are not lost.
    """
    row = {"date": str(item["start"])[:10], **item} if item.get("start") else dict(item)
    category = row.get("category")
    return {**row, "category": annotation_category(category)} if isinstance(category, dict) else row


def annotation_category(item: Row) -> Row:
    """Return ``{"id", "name"}``; the name comes as ``name`` (documented) or ``category`` (observed)."""
    if "name" not in item and "category" not in item:
        raise unknown_shape("a category", "an object with name or category", item)
    rest = {key: value for key, value in item.items() if key != "category"}
    return {**rest, "name": item.get("category") if item.get("name") is None else item["name"]}


def deletions(body: object) -> list[Row]:
    """Return one row per user of each deletion job (amplitude-api.md 5.5)."""
    rows = []
    for job in items(body, None):
        shared = {key: value for key, value in job.items() if key != "amplitude_ids"}
        users = require_list(job.get("amplitude_ids"), "amplitude_ids")
        rows += [{**shared, **require_dict(user, "an element of amplitude_ids")} for user in users]
    return rows
