"""Parse JSON from a file within bounds, so that no later step meets a value that it cannot copy, compare or print."""

from __future__ import annotations

import json

MOST_LEVELS = 100
_MOST_DIGITS = 4300  # Python's own bound on converting a text to an integer


def parse_json(text: str) -> object:
    """Return the JSON value of a text.

    Raises:
        ValueError: The text is not valid JSON, or is nested too deeply, or has an integer that is too long. The message
            has no part of the text.
    """
    try:
        value = json.loads(text, parse_int=_integer)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _require_flat(value)
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"an integer of {len(digits):,} digits")
    return int(digits)


def _require_flat(value: object) -> None:
    """Raise a ValueError if lists and objects are nested in more than `MOST_LEVELS` levels."""
    level, levels = [value], 1
    while level := [each for container in level for each in _children(container)]:
        levels += 1
        if levels > MOST_LEVELS:
            raise ValueError("nested too deeply")


def _children(value: object) -> list[object]:
    """Return the lists and objects in a list or an object."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in inside if isinstance(each, list | dict)]
