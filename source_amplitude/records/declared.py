"""The types that the events' schema declares, and the values that have another one.

A value of another type is passed on as it came: a schema that accepts more types would change the columns of tables
that exist, and a value that is changed to fit is no longer Amplitude's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from source_amplitude.records.findings import Oddity, OddityKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Record = dict[str, Any]

SCHEMA_FILE = Path(__file__).parents[1] / "schemas" / "events.json"

_NONE = type(None)
_PYTHON: Mapping[str, tuple[type, ...]] = {
    "null": (_NONE,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_JSON = {types[-1]: word for word, types in _PYTHON.items()}  # of a number the last type: an int is an integer


class Declared(NamedTuple):
    """What the schema says of a field.

    Attributes:
        name: Of the field; one inside an object has the object's name before it.
        words: Its types, without null, as in messages.
        fields: Declared fields inside it, where it is an object.
    """

    name: str
    words: str
    types: frozenset[type]
    fields: Mapping[str, Declared]

    def oddity(self, found: type) -> Oddity:
        return Oddity(OddityKind.MISFIT, self.name, self.words, _JSON[found])


def _declared(properties: Mapping[str, Any], prefix: str = "") -> dict[str, Declared]:
    found = {}
    for name, schema in properties.items():
        named = schema["type"]
        words = [word for word in ([named] if isinstance(named, str) else named) if word != "null"]
        types = frozenset({_NONE}.union(*(_PYTHON[word] for word in words)))
        inner = _declared(schema.get("properties", {}), f"{prefix}{name}.")
        found[name] = Declared(f"{prefix}{name}", " or ".join(words), types, inner)
    return found


FIELDS = _declared(json.loads(SCHEMA_FILE.read_bytes())["properties"])
"""By name."""

OBJECTS_WITH_FIELDS = tuple(name for name, declared in FIELDS.items() if declared.fields)


def misfits(event: Mapping[str, Any], fields: Mapping[str, Declared] = FIELDS) -> Iterator[Oddity]:
    """Yield what is odd about the types of an event's values; a number without a fraction is an integer as well."""
    for name, value in event.items():
        declared = fields.get(name)
        if declared is None:
            continue
        if not fits(declared, value):
            yield declared.oddity(type(value))
        elif declared.fields and value:
            yield from misfits(value, declared.fields)


def fits(declared: Declared, value: object) -> bool:
    """Return whether a value has a declared type."""
    if type(value) in declared.types:
        return True
    return isinstance(value, float) and int in declared.types and value.is_integer()


def known_name(name: str) -> str:
    """Return a field's name for messages: only names of the schema, since others may hold anything."""
    return name if name in FIELDS else "fields that the schema does not have"


def shape_misfits(names: Iterable[str], types: Iterable[type]) -> tuple[Oddity, ...] | None:
    """Return what is odd about the types of an event's fields; None where that depends on the values."""
    odd = []
    for name, found in zip(names, types, strict=True):
        declared = FIELDS.get(name)
        if declared is None or found in declared.types:
            continue
        if found is float and int in declared.types:
            return None
        odd.append(declared.oddity(found))
    return tuple(odd)
