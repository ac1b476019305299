"""Shapes: facts that follow from an event's field names and value types, computed once for many events."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from source_amplitude.records import DATETIME_FIELDS
from source_amplitude.records.declared import FIELDS, OBJECTS_WITH_FIELDS, shape_misfits

if TYPE_CHECKING:
    from source_amplitude.records import Oddity, Record

_NONE = type(None)
_MOST_SHAPES = 2000
_MOST_FIELDS = 200

Types = tuple[type, ...]


class Shape(NamedTuple):
    """Facts about all events with the same field names, order and value types.

    Attributes:
        names: The names of all fields, in order.
        datetimes: The names of datetime fields whose values are strings.
        nulls: The names of fields whose values are null.
        inner: The names of objects with declared inner fields.
        misfits: The values that do not have the declared type of their field.
    """

    names: tuple[str, ...]
    datetimes: tuple[str, ...]
    nulls: tuple[str, ...]
    inner: tuple[str, ...]
    misfits: tuple[Oddity, ...]


class Shapes(dict[Types, Shape]):
    """The latest shape for each sequence of value types.

    An export has hundreds of shapes, because many fields can be null.
    """

    def learn(self, event: Record) -> Shape:
        """Return the shape of an event and store it for the next events.

        Raises:
            ValueError: The oddities depend on the values, not only on their types.
        """
        types = (*map(type, event.values()),)
        odd = shape_misfits(event, types)
        if odd is None:
            raise ValueError("a number may be an integer")
        shape = Shape(
            (*event,),
            tuple(name for name in DATETIME_FIELDS if type(event.get(name)) is str),
            tuple(name for name, found in zip(event, types, strict=True) if found is _NONE),
            tuple(name for name in OBJECTS_WITH_FIELDS if type(event.get(name)) is dict),
            odd,
        )
        if len(types) <= _MOST_FIELDS:
            if len(self) >= _MOST_SHAPES:
                self.clear()
            self[types] = shape
        return shape


NO_SHAPE = Shape((), (), (), (), ())
"""The shape of an event without fields."""

INNER_FIELDS = {name: FIELDS[name].fields for name in OBJECTS_WITH_FIELDS}
