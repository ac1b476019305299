"""Halves of surrogate pairs, which JSON can escape and no text in UTF-8 can hold."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from source_amplitude.records.declared import known_name
from source_amplitude.records.findings import Oddity, OddityKind

if TYPE_CHECKING:
    from collections import Counter

    from source_amplitude.records.declared import Record

_REPLACEMENT = "\ufffd"
_LONE = re.compile("[\ud800-\udfff]")
_PERHAPS = re.compile(r"\\u[dD][89a-fA-F]|[" + "\ud800-\udfff]")


def may_hold_surrogates(text: str) -> bool:
    """Return whether the decoded values of a line of JSON may hold lone surrogates."""
    return _PERHAPS.search(text) is not None


def without_surrogates(event: Record, notes: Counter[Oddity]) -> Record:
    """Return an event in which each lone surrogate is U+FFFD; halves that follow each other become their character.

    Args:
        event: Values as the standard library decodes them, of finite numbers.
        notes: Counts the lone ones by the field of the event.

    Raises:
        RecursionError: It is nested too deeply.
    """
    clean: Record = {}
    for name, value in event.items():
        (fixed_name, fixed), lone = replace_surrogates([name, value])
        if lone:
            notes[Oddity(OddityKind.SURROGATE, known_name(name))] += lone
        clean[_unique(fixed_name, clean)] = fixed
    return clean


def replace_surrogates(value: Any) -> tuple[Any, int]:  # noqa: ANN401 - of any type that JSON has
    """Return a decoded JSON value without lone surrogates, and how many it had; see `without_surrogates`."""
    text = json.dumps(value, ensure_ascii=False)
    if not _LONE.search(text):
        return value, 0
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    whole, lone = _LONE.subn(_REPLACEMENT, whole)
    return json.loads(whole, object_pairs_hook=_with_unique_names), lone


def _with_unique_names(pairs: list[tuple[str, Any]]) -> Record:
    """Return an object; names that became equal get one more replacement character each, so that no value is lost."""
    found: Record = {}
    for name, value in pairs:
        found[_unique(name, found)] = value
    return found


def _unique(name: str, taken: Record) -> str:
    while name in taken:
        name += _REPLACEMENT
    return name
