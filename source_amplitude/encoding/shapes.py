"""What the names of an event's fields and the types of their values say about it, worked out once for many events."""

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
    """What events have in common whose fields have the same names, order and types.

    Attributes:
        datetimes: Those of the seven that are texts.
        inner: Objects that have declared fields inside.
    """

    names: tuple[str, ...]
    datetimes: tuple[str, ...]
    nulls: tuple[str, ...]
    inner: tuple[str, ...]
    misfits: tuple[Oddity, ...]


class Shapes(dict[Types, Shape]):
    """Shapes by the types of an event's values; of several orders of names with the same types, the latest.

    Exports have some hundreds: each field that can be null is or is not.
    """

    def learn(self, event: Record) -> Shape:
        """Return the shape of an event, for those that follow.

        Raises:
            ValueError: It depends on the values what is odd about them.
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
"""Of no event that has fields."""

INNER_FIELDS = {name: FIELDS[name].fields for name in OBJECTS_WITH_FIELDS}
