"""JSON with numbers of any length: decode them, keep them, and write them without a change of their decimal value."""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TO_ZERO = bytes.maketrans(b"123456789.E", b"0000000000e")
_LONG = b"0" * 16
_EXPONENTS = (b"0e000", b"0e+000", b"0e-000")
_LONG_NUMBER = re.compile(rb"(?<![\w.])-?\d[\d.]{15}|(?<![\w.])-?\d[\d.]*[eE][+-]?\d{3}")


class ExactNumber(float):
    """A number with its spelling, which is written instead of the float's digits."""

    __slots__ = ("spelling",)

    spelling: str


def exact_float(text: str) -> float:
    """Return a JSON number with a fraction or exponent, as an `ExactNumber` if its float has another decimal value."""
    number = float(text)
    if repr(number) == text:
        return number
    with suppress(InvalidOperation):  # an exponent of twenty digits
        if math.isinf(number) or Decimal(repr(number)) == Decimal(text):
            return number
    exact = ExactNumber(number)
    exact.spelling = text
    return exact


def may_lose_digits(line: bytes) -> bool:
    """Return whether orjson may change the decimal value of a number in a line.

    A float holds every decimal number of at most 15 digits, and orjson writes it with the same digits, unless the
    number is near the limits of a float's range. orjson reads integers beyond 64 bits as floats.
    """
    zeros = line.translate(_TO_ZERO)
    if _LONG not in zeros and not any(exponent in zeros for exponent in _EXPONENTS):
        return False
    return _LONG_NUMBER.search(line) is not None


class WrittenJson(NamedTuple):
    """A value as JSON text, which is written unchanged."""

    text: bytes


def as_fragment(value: object) -> orjson.Fragment:
    """Return an `ExactNumber` or `WrittenJson` for orjson to write; raise a TypeError for other values."""
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.spelling)
    if isinstance(value, WrittenJson):
        return orjson.Fragment(value.text)
    raise TypeError


def dump_exactly(value: object, *, ensure_ascii: bool = True) -> str:
    """Return decoded JSON of any depth as text. Lone surrogates are escaped, unless ``ensure_ascii`` is False."""
    text_of = json.JSONEncoder(ensure_ascii=ensure_ascii).encode
    parts: list[str] = []
    pending: list[Iterator[object]] = [iter((value,))]
    while pending:
        for item in pending[-1]:
            if isinstance(item, dict | list):
                pending.append(_pieces(item, text_of))
                break
            parts.append(_written(item, text_of))
        else:
            pending.pop()
    return "".join(parts)


def _pieces(value: dict[str, object] | list[object], text_of: Callable[[object], str]) -> Iterator[object]:
    """Yield the text between the values of an object or array, and the values."""
    names = [f"{text_of(name)}:" for name in value] if isinstance(value, dict) else repeat("")
    items = value.values() if isinstance(value, dict) else value
    yield _Text("{" if isinstance(value, dict) else "[")
    for position, (name, item) in enumerate(zip(names, items, strict=False)):
        yield _Text(f",{name}" if position else name)
        yield item
    yield _Text("}" if isinstance(value, dict) else "]")


def _written(value: object, text_of: Callable[[object], str]) -> str:
    if isinstance(value, _Text):
        return value.text
    if isinstance(value, ExactNumber):
        return value.spelling
    return value.text.decode() if isinstance(value, WrittenJson) else text_of(value)


class _Text(NamedTuple):
    text: str
