"""Convert a line of an archive to records.

A record is the event as Amplitude wrote it, except that its seven datetimes become RFC 3339 in UTC, and its top-level
nulls and empty datetimes are left out (Airbyte's own serialiser drops nulls). Text that strict JSON readers reject is
repaired and counted, so that every reader accepts the records. Numbers keep their decimal value.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from source_amplitude.records.datetimes import DATETIME_FIELDS, normalise_datetime
from source_amplitude.records.declared import known_name, misfits
from source_amplitude.records.exact_json import as_fragment, dump_exactly, exact_float
from source_amplitude.records.findings import Oddity, OddityKind

if TYPE_CHECKING:
    from source_amplitude.records.declared import Record

_BYTE_ORDER_MARK = "\ufeff"
_BETWEEN = re.compile(f"[ \t\r\n{_BYTE_ORDER_MARK}]*")

_REPLACEMENT = "\ufffd"
# Lone surrogates: half of a surrogate pair. JSON can escape them, but UTF-8 cannot encode them.
_LONE = re.compile("[\ud800-\udfff]")
_MAYBE_LONE = re.compile(r"\\u[dD][89a-fA-F]|[" + "\ud800-\udfff]")

_loads = orjson.loads


class NotAnEventError(ValueError):
    """A line is not a JSON object. The message never quotes the line."""


def records_from_line(line: bytes, notes: Counter[Oddity] | None = None) -> list[Record]:
    """Return the records of one line: usually one, several if the line has several objects, none for a byte order mark.

    Long numbers may lose digits; check `may_lose_digits` first.

    Args:
        line: The line without its line feed.
        notes: Counts the oddities; undefined if NotAnEventError is raised.

    Raises:
        NotAnEventError: The line is not a JSON object, even for the standard library.
    """
    try:
        event = _loads(line)
    except orjson.JSONDecodeError:
        return exact_records_from_line(line, notes)
    if event.__class__ is not dict:
        raise NotAnEventError("the line is JSON, but not an object")
    return [_to_record(event, Counter() if notes is None else notes)]


def dump_record(record: Record) -> bytes:
    """Return a record as JSON. `dump_exactly` writes records that orjson cannot (huge integers, deep nesting)."""
    try:
        return orjson.dumps(record, default=as_fragment)
    except TypeError:
        return dump_exactly(record).encode()


def exact_records_from_line(line: bytes, notes: Counter[Oddity] | None = None) -> list[Record]:
    """Return the records of a line that orjson rejects or would round, as `records_from_line` does.

    Invalid UTF-8 and lone surrogates become U+FFFD. Raw control characters are accepted like escaped ones. Byte order
    marks around objects are left out. NaN and infinities become null.

    Raises:
        NotAnEventError: The line contains anything other than JSON objects.
    """
    notes = Counter() if notes is None else notes
    text = _decoded(line, notes)
    try:
        events = _objects(text, notes)
        if may_hold_surrogates(text):
            events = [without_surrogates(event, notes) for event in events]
    except RecursionError as error:
        raise NotAnEventError("the event is nested too deeply") from error
    except ValueError as error:
        if isinstance(error, NotAnEventError):
            raise
        raise NotAnEventError("the line is not valid JSON") from error
    return [_to_record(event, notes) for event in events]


def _decoded(line: bytes, notes: Counter[Oddity]) -> str:
    """Return a line as text. It may contain surrogates: some programs encode each half of a pair as UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        notes[Oddity(OddityKind.NOT_UTF8)] += 1
    try:
        return line.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return line.decode("utf-8", "replace")


def _objects(text: str, notes: Counter[Oddity]) -> list[Record]:
    """Return the objects of a line, parsed strictly if possible; raise a ValueError if it is not JSON objects."""
    try:
        return _Objects(text, is_strict=True).all(notes)
    except json.JSONDecodeError:
        events = _Objects(text, is_strict=False).all(notes)
        notes[Oddity(OddityKind.CONTROL_CHARACTER)] += 1
        return events


class _Objects:
    """Parses a sequence of JSON objects, with blanks and byte order marks around them."""

    def __init__(self, text: str, *, is_strict: bool) -> None:
        self._text = text
        self._odd: set[OddityKind] = set()
        self._decoder = json.JSONDecoder(
            strict=is_strict, parse_constant=lambda _: self._not_finite(), parse_float=self._float
        )

    def all(self, notes: Counter[Oddity]) -> list[Record]:
        """Return all objects and count their oddities; raise a ValueError for an empty line or other content."""
        events: list[Record] = []
        position = self._skip(0)
        if position == len(self._text) and OddityKind.BYTE_ORDER_MARK not in self._odd:
            raise NotAnEventError("the line is not valid JSON")
        while position < len(self._text):
            event, position = self._decoder.raw_decode(self._text, position)
            if not isinstance(event, dict):
                raise NotAnEventError("the line is JSON, but not an object")
            events.append(event)
            position = self._skip(position)
        if len(events) > 1:
            self._odd.add(OddityKind.SEVERAL_EVENTS)
        for kind in self._odd:
            notes[Oddity(kind)] += 1
        return events

    def _skip(self, position: int) -> int:
        match = _BETWEEN.match(self._text, position)
        end = match.end() if match else position
        if _BYTE_ORDER_MARK in self._text[position:end]:
            self._odd.add(OddityKind.BYTE_ORDER_MARK)
        return end

    def _float(self, text: str) -> float | None:
        number = exact_float(text)
        if math.isfinite(number):
            return number
        self._not_finite()
        return None

    def _not_finite(self) -> None:
        self._odd.add(OddityKind.NOT_FINITE)


def _to_record(event: dict[str, Any], notes: Counter[Oddity]) -> Record:
    for name in DATETIME_FIELDS:
        text = event.get(name)
        if not isinstance(text, str):
            continue
        if text:
            event[name] = normal = normalise_datetime(text)
            if normal is text:
                notes[Oddity(OddityKind.UNREAD_DATETIME, name)] += 1
        else:
            event[name] = None
    notes.update(misfits(event))
    return {name: value for name, value in event.items() if value is not None}


def may_hold_surrogates(text: str) -> bool:
    """Return whether the decoded values of a JSON text may contain lone surrogates."""
    return _MAYBE_LONE.search(text) is not None


def without_surrogates(event: Record, notes: Counter[Oddity]) -> Record:
    """Return an event with U+FFFD for each lone surrogate; adjacent halves of a pair become one character.

    Args:
        event: An event decoded by the standard library, with finite numbers.
        notes: Counts the lone surrogates by the event's field.

    Raises:
        RecursionError: The event is nested too deeply.
    """
    clean: Record = {}
    for name, value in event.items():
        (fixed_name, fixed), lone = replace_surrogates([name, value])
        if lone:
            notes[Oddity(OddityKind.SURROGATE, known_name(name))] += lone
        clean[_unique(fixed_name, clean)] = fixed
    return clean


def replace_surrogates(value: Any) -> tuple[Any, int]:  # noqa: ANN401 - any JSON
    """Return a decoded JSON value with U+FFFD for each lone surrogate, and the number of lone surrogates."""
    if not _LONE.search(json.dumps(value, ensure_ascii=False)):
        return value, 0
    text = dump_exactly(value, ensure_ascii=False)
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    whole, lone = _LONE.subn(_REPLACEMENT, whole)
    return json.loads(whole, object_pairs_hook=_with_unique_names, parse_float=exact_float), lone


def _with_unique_names(pairs: list[tuple[str, Any]]) -> Record:
    """Return an object. Names that have become equal get extra replacement characters, so that no value is lost."""
    found: Record = {}
    for name, value in pairs:
        found[_unique(name, found)] = value
    return found


def _unique(name: str, taken: Record) -> str:
    while name in taken:
        name += _REPLACEMENT
    return name
