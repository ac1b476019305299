"""Values of declared fields; ``spec.json`` declares their types, defaults, ranges and choices."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeGuard

from source_amplitude.windows import UNIX_EPOCH, floor_unit, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

KEYS = ("api_key", "secret_key")

_MAX_SHOWN_CHARS = 60


@cache
def schema() -> Mapping[str, Any]:
    """Return the configuration's JSON Schema (cached)."""
    text = resources.files("source_amplitude").joinpath("spec.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["connectionSpecification"]
    return found


def holds_a_key(value: object, raw: Mapping[str, Any]) -> bool:
    """Return whether ``value`` contains a key of a raw configuration, plain or escaped."""
    given = (raw.get(name) for name in KEYS)
    keys = [key.strip() for key in given if isinstance(key, str) and key.strip()]
    texts = (value if isinstance(value, str) else "", _repr(value))
    return any(form in text for key in keys for form in (key, repr(key)[1:-1]) for text in texts)


def shown(value: object, most_chars: int = _MAX_SHOWN_CHARS) -> str:
    """Return a value as a short text of printable characters, for a message."""
    text = _repr(value)
    return text if len(text) <= most_chars else text[:most_chars] + "..."


def _repr(value: object) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # an integer of more than 4,300 digits, or too many levels
        return f"a value of the type {type(value).__name__}"


class Fields:
    """Reads declared fields and collects their problems.

    Args:
        raw: JSON values; a missing or null value takes its default.
        declared: The declaration of each field by name, as in the ``properties`` of ``spec.json``.
        required: The names of the required fields.

    Attributes:
        problems: The problems in the order of reading, without any key.
    """

    def __init__(
        self, raw: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]], required: Iterable[str] = ()
    ) -> None:
        self._raw = raw
        self._declared = declared
        self._required = frozenset(required)
        self.problems: list[str] = []

    def value(self, name: str, convert: Callable[[Any], Any] | None = None) -> Any:  # noqa: ANN401 - as declared
        """Return a field's value; None if it is missing or invalid.

        Args:
            name: The name of a declared field.
            convert: Converts the JSON value instead of the declared type's reader; raises a ValueError with the
                problem.
        """
        declared, value = self._declared[name], self._raw.get(name)
        if declared.get("airbyte_secret"):
            return self._key(name, value)
        if value is None and name in self._required:
            self.problems.append(f"{name} is missing")
        value = declared.get("default") if value is None else value
        if value is None:
            return None
        kind = declared.get("format") or ("enum" if "enum" in declared else declared["type"])
        try:
            return convert(value) if convert else _READERS[kind](value, declared)
        except ValueError as problem:
            self.problem(name, value, str(problem))
            return None

    def problem(self, name: str, value: object, problem: str) -> None:
        # Search for keys before shortening: a part of a key would not be found.
        text = "a key" if holds_a_key(value, self._raw) else shown(value)
        self.problems.append(f"{name}: {text} {problem}")

    def _key(self, name: str, value: object) -> str:
        if _is_name(value):
            return value.strip()
        shape = "is missing" if value is None else "is empty" if value == "" else "is blank or not a string"
        self.problems.append(f"{name} {shape}")
        return ""


def _moment(value: object, _: Mapping[str, Any]) -> datetime:
    """Return a time rounded down to the hour; it accepts more forms than the spec's pattern."""
    moment = parse_moment(value)
    if moment is None:
        raise ValueError("is not a UTC time of the form 2021-01-25T00:00:00Z")
    if moment < UNIX_EPOCH:
        raise ValueError("is before 1970")
    return floor_unit(moment)


def with_spelled_choices(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a raw configuration with each choice spelled as in the spec; other values are unchanged."""
    declared = schema()["properties"]
    return {name: _spelled(value, declared.get(name, {})) for name, value in raw.items()}


def _spelled(value: object, declared: Mapping[str, Any]) -> object:
    with_underscores = value.replace("-", "_") if isinstance(value, str) else value
    return with_underscores if with_underscores in declared.get("enum", ()) else value


def _choice(value: object, declared: Mapping[str, Any]) -> object:
    """Return one of the choices; those with an underscore are also accepted with a hyphen, as on a command line."""
    value = _spelled(value, declared)
    if value not in declared["enum"]:
        raise ValueError("is not one of " + ", ".join(map(repr, declared["enum"])))
    return value


def _integer(value: object, declared: Mapping[str, Any]) -> int:
    if not _is_whole_number(value, declared):
        raise ValueError(f"is not a whole number from {declared['minimum']} to {declared['maximum']}")
    return value


def _boolean(value: object, _: Mapping[str, Any]) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")  # noqa: TRY004 - a problem with a value
    return value


def _array(value: object, declared: Mapping[str, Any]) -> tuple[object, ...]:
    """Return whole numbers in ascending order, or strings in their order, without duplicates."""
    items = declared["items"]
    if items["type"] == "integer":
        if not isinstance(value, list) or not all(_is_whole_number(each, items) for each in value):
            raise ValueError(f"is not a list of whole numbers from {items['minimum']} to {items['maximum']}")
        return tuple(sorted(set(value)))
    if not isinstance(value, list) or not all(map(_is_name, value)):
        raise ValueError("is not a list of non-empty strings")
    return tuple(dict.fromkeys(each.strip() for each in value))


_READERS: dict[str, Callable[[Any, Mapping[str, Any]], object]] = {
    "date-time": _moment,
    "enum": _choice,
    "integer": _integer,
    "boolean": _boolean,
    "array": _array,
}


def _is_whole_number(value: object, declared: Mapping[str, Any]) -> TypeGuard[int]:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and bool(declared["minimum"] <= value <= declared["maximum"])


def _is_name(value: object) -> TypeGuard[str]:
    """Return whether a value is a string that is not blank and has no lone surrogate (UTF-8 cannot encode it)."""
    if not isinstance(value, str) or not value.strip():
        return False
    return value == value.encode("utf-8", "ignore").decode("utf-8")
