"""The declared types of the events' schema, and values of other types (misfits).

A misfit is emitted unchanged. A schema with more types would change the columns of existing tables, and a converted
value would no longer be Amplitude's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from source_amplitude.records.findings import Oddity, OddityKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Record = dict[str, Any]

SCHEMA_FILE = Path(__file__).parents[1] / "schemas" / "events.json"

_NONE = type(None)
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "null": (_NONE,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_JSON_TYPES = {
    types[-1]: word for word, types in _PYTHON_TYPES.items()
}  # the last type: an int is an integer, a float is a number


class Declared(NamedTuple):
    """The declaration of a field in the schema.

    Attributes:
        name: The field's name; an inner field has the object's name as prefix.
        words: The declared types for messages, without null.
        types: The accepted Python types.
        fields: The declared inner fields of an object.
    """

    name: str
    words: str
    types: frozenset[type]
    fields: Mapping[str, Declared]

    def oddity(self, found: type) -> Oddity:
        return Oddity(OddityKind.MISFIT, self.name, self.words, _JSON_TYPES[found])


def _declared(properties: Mapping[str, Any], prefix: str = "") -> dict[str, Declared]:
    found = {}
    for name, schema in properties.items():
        named = schema["type"]
        words = [word for word in ([named] if isinstance(named, str) else named) if word != "null"]
        types = frozenset({_NONE}.union(*(_PYTHON_TYPES[word] for word in words)))
        inner = _declared(schema.get("properties", {}), f"{prefix}{name}.")
        found[name] = Declared(f"{prefix}{name}", " or ".join(words), types, inner)
    return found


FIELDS = _declared(json.loads(SCHEMA_FILE.read_bytes())["properties"])
"""The declared fields by name."""

OBJECTS_WITH_FIELDS = tuple(name for name, declared in FIELDS.items() if declared.fields)


def misfits(event: Mapping[str, Any], fields: Mapping[str, Declared] = FIELDS) -> Iterator[Oddity]:
    """Yield an oddity for each value of another type; a number without a fraction is also an integer."""
    for name, value in event.items():
        declared = fields.get(name)
        if declared is None:
            continue
        if not fits(declared, value):
            yield declared.oddity(float if isinstance(value, float) else type(value))
        elif declared.fields and value:
            yield from misfits(value, declared.fields)


def fits(declared: Declared, value: object) -> bool:
    """Return whether a value has a declared type."""
    if type(value) in declared.types:
        return True
    return isinstance(value, float) and (float in declared.types or (int in declared.types and value.is_integer()))


def known_name(name: str) -> str:
    """Return a field's name for messages. Names outside the schema may be confidential and are not shown."""
    return name if name in FIELDS else "fields outside the schema"
