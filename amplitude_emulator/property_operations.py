"""The ``$`` operations on user or group properties (reference 6.3 and 6.5). Pure.

Names and order are documented; the effect on a value of an unexpected type is inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Properties = dict[str, object]
Operation = Callable[[Properties, str, object], None]


def has_operations(properties: Mapping[str, object]) -> bool:
    """Whether an object contains operations instead of plain properties."""
    return any(key in OPERATIONS for key in properties)


def mixes_operations(properties: Mapping[str, object]) -> bool:
    """Whether an object contains both plain properties and operations, which is not allowed (6.4)."""
    return has_operations(properties) and not all(key in OPERATIONS for key in properties)


def apply_properties(current: Mapping[str, object], change: Mapping[str, object]) -> Properties:
    """Return the properties after a change: plain ones are set, operations are executed."""
    result = dict(current)
    if not has_operations(change):
        result.update(change)
        return result
    for name, operation in OPERATIONS.items():
        if name == CLEAR_ALL and name in change:
            result.clear()
        arguments = change.get(name)
        if isinstance(arguments, dict):
            for key, value in arguments.items():
                operation(result, key, value)
    return result


def _set(properties: Properties, key: str, value: object) -> None:
    properties[key] = value


def _set_once(properties: Properties, key: str, value: object) -> None:
    properties.setdefault(key, value)


def _add(properties: Properties, key: str, value: object) -> None:
    old = properties.get(key, 0)
    if isinstance(old, int | float) and isinstance(value, int | float):
        properties[key] = old + value


def _append(properties: Properties, key: str, value: object) -> None:
    properties[key] = [*_as_list(properties.get(key)), *_as_list(value)]


def _prepend(properties: Properties, key: str, value: object) -> None:
    properties[key] = [*_as_list(value), *_as_list(properties.get(key))]


def _unset(properties: Properties, key: str, _: object) -> None:
    properties.pop(key, None)


def _pre_insert(properties: Properties, key: str, value: object) -> None:
    old = _as_list(properties.get(key))
    properties[key] = [*(item for item in _as_list(value) if item not in old), *old]


def _post_insert(properties: Properties, key: str, value: object) -> None:
    old = _as_list(properties.get(key))
    properties[key] = [*old, *(item for item in _as_list(value) if item not in old)]


def _remove(properties: Properties, key: str, value: object) -> None:
    if key in properties:
        unwanted = _as_list(value)
        properties[key] = [item for item in _as_list(properties[key]) if item not in unwanted]


def _as_list(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


CLEAR_ALL = "$clearAll"  # not in the reference; sent by amplitude-analytics 1.3.0 (event.py)

# In the order of execution within one object.
OPERATIONS: Mapping[str, Operation] = {
    CLEAR_ALL: _unset,
    "$set": _set,
    "$setOnce": _set_once,
    "$add": _add,
    "$append": _append,
    "$prepend": _prepend,
    "$unset": _unset,
    "$preInsert": _pre_insert,
    "$postInsert": _post_insert,
    "$remove": _remove,
}
