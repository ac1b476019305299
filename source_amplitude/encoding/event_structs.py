"""Struct types for events, which msgspec decodes from lines and writes as JSON.

Objects and unknown fields stay `msgspec.Raw`: a view of the line, checked as JSON but not built as Python objects.
msgspec checks the declared types of the other fields. A line that does not fit extends the type by its fields, so that
the next lines fit. The fields of a record are in the schema's order, then the unknown ones in alphabetical order,
whichever lines were read before.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter, or_
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Raw

from source_amplitude.records import DATETIME_FIELDS
from source_amplitude.records.declared import FIELDS, OBJECTS_WITH_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from source_amplitude.records.declared import Declared

    Getter = Callable[[Any], tuple[Any, ...]]

ABSENT = Raw(b"{}")
"""The value of a raw field that is missing or null. It is not written."""

NULL = Raw(b"null")

_NONE = type(None)
_MOST_UNKNOWN = 100
_UNKNOWN_NAME = re.compile(r'[^"\\\x00-\x1f]{1,100}')
_TYPE_BY_BYTE = {b"{": dict, b"[": list, b'"': str, b"t": bool, b"f": bool, b"n": _NONE}

_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode


def type_of(value: Raw) -> type:
    """Return the Python type of a raw value."""
    view = memoryview(value)
    return _TYPE_BY_BYTE.get(bytes(view[:1])) or (float if any(sign in b".eE" for sign in view) else int)


class RawFields(NamedTuple):
    """Some fields with raw values; a null or missing value is `ABSENT`.

    Attributes:
        names: The names of the fields.
        attributes: The attributes of the struct.
        get: Returns an event's values.
    """

    names: tuple[str, ...]
    attributes: tuple[str, ...]
    get: Getter


@dataclass(frozen=True)
class CheckedField:
    """A field whose values can have any type, of which numbers with a fraction or exponent are `msgspec.Raw`.

    Attributes:
        declared: The declaration.
        get: Returns an event's value.
        fitting: The types that always fit.
    """

    declared: Declared
    get: Callable[[Any], Any]
    fitting: frozenset[type]


@dataclass(frozen=True)
class EventStruct:
    """A struct type and its decoder.

    Attributes:
        decode: Decodes a line; raises a `msgspec.MsgspecError` or RecursionError.
        getters: Return an event's value, by field.
        attributes: The attributes of the struct, by field.
        objects: The declared objects.
        unknown: The unknown fields.
        checked: The fields that msgspec does not check.
        inner: The objects with declared inner fields.
    """

    decode: Callable[[bytes], Any]
    getters: Mapping[str, Callable[[Any], Any]]
    attributes: Mapping[str, str]
    objects: RawFields
    unknown: RawFields
    checked: tuple[CheckedField, ...]
    inner: tuple[str, ...]


class EventStructs:
    """The current struct type. It learns from lines that do not fit; safe to use from several threads.

    Attributes:
        current: The latest struct type.
    """

    def __init__(self) -> None:
        self._objects: set[str] = set()
        self._checked: set[str] = {name for name, each in FIELDS.items() if not (_is_object(each) or _typed(each))}
        self._unknown: set[str] = set()
        self._lock = threading.Lock()
        self.current = self._make()

    def learn(self, line: bytes) -> bool:
        """Extend the struct type by the fields of a line; return whether it has changed."""
        try:
            fields = _decode_fields(line)
        except (msgspec.MsgspecError, RecursionError):
            return False
        with self._lock:
            before = self._size()
            for name, value in fields.items():
                self._learn_field(name, type_of(value))
            if self._size() == before:
                return False
            self.current = self._make()
        return True

    def _size(self) -> int:
        return len(self._objects) + len(self._checked) + len(self._unknown)

    def _learn_field(self, name: str, found: type) -> None:
        declared = FIELDS.get(name)
        if declared is None:
            if len(self._unknown) < _MOST_UNKNOWN and _UNKNOWN_NAME.fullmatch(name):
                self._unknown.add(name)
        elif found is not _NONE and name not in DATETIME_FIELDS:
            if _is_object(declared):
                self._objects.add(name)
            elif found not in _typed(declared):
                self._checked.add(name)

    def _make(self) -> EventStruct:
        unknown = tuple(sorted(self._unknown))
        names = (*FIELDS, *unknown)
        attributes = {name: name if name in DATETIME_FIELDS else f"f{number}" for number, name in enumerate(names)}
        struct = msgspec.defstruct(
            "Event",
            [(attributes[name], *self._type_and_default(name)) for name in names],
            rename={attribute: name for name, attribute in attributes.items()},
            omit_defaults=True,
            forbid_unknown_fields=True,
            gc=False,
        )
        getters = {name: attrgetter(attribute) for name, attribute in attributes.items()}
        objects = [name for name in FIELDS if name in self._objects]
        return EventStruct(
            decode=msgspec.json.Decoder(struct, float_hook=_finite).decode,
            getters=getters,
            attributes=attributes,
            objects=_raw_fields_of(objects, attributes),
            unknown=_raw_fields_of(unknown, attributes),
            checked=tuple(
                CheckedField(FIELDS[name], getters[name], _always_fitting(FIELDS[name]))
                for name in sorted(self._checked)
            ),
            inner=tuple(name for name in OBJECTS_WITH_FIELDS if name in self._objects),
        )

    def _type_and_default(self, name: str) -> tuple[Any, Any]:
        declared = FIELDS.get(name)
        if declared is None or name in self._objects:
            return Raw, ABSENT
        if name in self._checked:
            return Any, None
        return reduce(or_, _typed(declared), None) if _typed(declared) else None, None


def _finite(text: str) -> Raw:
    """Return a number with its spelling; raise a ValueError if it is out of a float's range."""
    if float(text) in (float("inf"), float("-inf")):
        raise ValueError("out of range")
    return Raw(text)


def _is_object(declared: Declared) -> bool:
    return declared.types == {_NONE, dict}


def _typed(declared: Declared) -> tuple[type, ...]:
    """Return the types that msgspec can check while it keeps a number's digits."""
    return tuple(each for each in (str, int, bool) if each in declared.types)


def _always_fitting(declared: Declared) -> frozenset[type]:
    return declared.types - {float} | ({Raw} if float in declared.types else set())


def _raw_fields_of(names: Sequence[str], attributes: Mapping[str, str]) -> RawFields:
    found = tuple(attributes[name] for name in names)
    return RawFields(tuple(names), found, getter_of(found))


def getter_of(attributes: Sequence[str]) -> Getter:
    """Return a function that returns the values of an event's attributes; any number of them."""
    if len(attributes) > 1:
        return attrgetter(*attributes)
    if not attributes:
        return lambda _: ()
    get = attrgetter(*attributes)
    return lambda event: (get(event),)
