"""Read the fields of JSON objects in the store, which other programs can write.

Every error is a ValueError that names the field and its value.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from source_amplitude.api.redaction import printable, without_controls

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterable, Iterator

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Years of valid times: an earlier or later one is a mistake, and would exceed what later steps can add to it."""

_LARGEST = 2**63 - 1
_SHOWN_CHARS = 80
_HEX = re.compile(r"[0-9A-Fa-f]{1,8}")


class Fields:
    """A JSON object. Control characters in its texts are escaped.

    Args:
        saved: Any JSON value.
        path: Where it is in its file, such as ``objects[0].``; empty for the whole file.
    """

    def __init__(self, saved: object, path: str = "") -> None:
        if not isinstance(saved, dict):
            raise ValueError(f"{path.rstrip('.') or 'it'} is {shown(saved)}, not an object")  # noqa: TRY004 - one kind
        self._saved: dict[str, Any] = saved
        self._path = path

    def items(self) -> ItemsView[str, Any]:
        return self._saved.items()

    def require_version(self, version: int) -> None:
        found = self._value("version")
        if isinstance(found, bool) or not isinstance(found, int) or found != version:
            raise ValueError(f"its version is {shown(found)}; this program reads version {version}")

    def text(self, name: str) -> str:
        value = self._value(name)
        if not isinstance(value, str):
            raise self._error(name, "a text")
        return without_controls(value)

    def filled_text(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self._error(name, "a text with characters")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self._value(name) is None else self.text(name)

    def text_if_any(self, name: str) -> str:
        """Return a text; an absent field is empty."""
        return self.text(name) if name in self._saved else ""

    def one_of(self, name: str, choices: Iterable[str]) -> str:
        value = self.text(name)
        if value not in choices:
            raise self._error(name, f"one of {', '.join(choices)}")
        return value

    def file_name(self, name: str) -> str:
        value = self.text(name)
        if value in ("", ".", "..") or "/" in value:
            raise self._error(name, "the name of a file")
        return value

    def number(self, name: str) -> int:
        """Return a whole number from 0 to 2^63-1."""
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
            raise self._error(name, "a whole number from 0 to 2^63-1")
        return value

    def crc32(self, name: str) -> int:
        value = self._value(name)
        if not isinstance(value, str) or not _HEX.fullmatch(value):
            raise self._error(name, "a checksum of up to 8 hexadecimal digits")
        return int(value, 16)

    def time(self, name: str, format_: str) -> datetime:
        """Return an aware UTC datetime in a supported year."""
        text, found = self.text(name), None
        try:
            found = datetime.strptime(text, format_).replace(tzinfo=timezone.utc)
        except ValueError:
            raise self._error(name, f"a time like {datetime(2026, 3, 4, 5):{format_}}") from None  # noqa: DTZ001
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise self._error(name, f"a time in the years {FIRST_YEAR} to {LAST_YEAR}")
        return found

    def counts(self, name: str) -> dict[str, int]:
        """Return numbers by their names; an absent field is empty. Names that become equal are added up."""
        found: dict[str, int] = {}
        numbers = Fields(self._saved.get(name, {}), f"{self._path}{name}.")
        for each in numbers._saved:
            found[without_controls(each)] = found.get(without_controls(each), 0) + numbers.number(each)
        return found

    def objects(self, name: str) -> Iterator[Fields]:
        value = self._value(name)
        if not isinstance(value, list):
            raise self._error(name, "a list")
        return (Fields(each, f"{self._path}{name}[{index}].") for index, each in enumerate(value))

    def _value(self, name: str) -> object:
        try:
            return self._saved[name]
        except KeyError:
            raise ValueError(f"{printable(self._path + name)} is missing") from None

    def _error(self, name: str, expected: str) -> ValueError:
        return ValueError(f"{printable(self._path + name)} is {shown(self._saved[name])}, not {expected}")


def shown(value: object) -> str:
    """Return a value for a message, in one line of limited length."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    constants = {None: "null", True: "true", False: "false"}
    text = constants[value] if value is None or isinstance(value, bool) else printable(repr(value))
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}... ({len(text):,} characters)"
