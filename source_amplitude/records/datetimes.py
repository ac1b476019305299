"""Convert Amplitude's datetimes to RFC 3339 in UTC, if they are valid."""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from functools import lru_cache
from typing import cast

DATETIME_FIELDS = (
    "client_event_time",
    "client_upload_time",
    "event_time",
    "processed_time",
    "server_received_time",
    "server_upload_time",
    "user_creation_time",
)

_ZONE = "+00:00"
_FORM = b"0000-00-00 00:00:00.000000+00:00\n"
_STEP = len(_FORM)
_CHARACTERS = len(_FORM) - len(_ZONE) - 1
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_YEAR, _MONTH, _DAY, _BLANK, _HOUR, _MINUTE, _SECOND = 0, 5, 8, 10, 11, 14, 17
_DAYS_OF_EVERY_MONTH, _DAYS_OF_OTHER_MONTHS = 28, 30  # without February, and without December because of its digit 2
_TO_FIVE = b"012345"
_ODD_DATETIME = re.compile(
    r"(\d{4})[-:/](\d{2})[-:/](\d{2})"
    r"(?:[ T](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?",
    re.IGNORECASE,
)


def normalise_plain_datetimes(texts: list[str]) -> list[str] | None:
    """Return valid datetimes in Amplitude's form as RFC 3339 in UTC, or None if a text has another form.

    All texts are checked at once, digit position by digit position. Calling `datetime.fromisoformat` for each takes
    five times as long.
    """
    joined = bytearray(f"{_ZONE}\n".join([*texts, ""]).encode(errors="replace"))
    if joined.translate(_DIGITS_TO_ZERO) != _FORM * len(texts) or not _are_valid(joined, texts):
        return None
    joined[_BLANK::_STEP] = b"T" * len(texts)
    return joined.decode("ascii").split("\n")[:-1]


def normalise_datetimes(texts: list[str]) -> list[str]:
    """Return each text as `normalise_datetime` does. A text that is not a datetime is returned as the same object."""
    plain = [text for text in texts if len(text) == _CHARACTERS]
    normal = normalise_plain_datetimes(plain)
    if normal is None:
        return [*map(_normalise, texts)]
    rest = iter(normal)
    return [next(rest) if len(text) == _CHARACTERS else _normalise(text) for text in texts]


def _are_valid(joined: bytearray, texts: list[str]) -> bool:
    """Return whether all datetimes exist in the calendar. They are the ``texts``, one per line."""
    if joined[_MINUTE::_STEP].translate(None, _TO_FIVE) or joined[_SECOND::_STEP].translate(None, _TO_FIVE):
        return False
    if not _are_within(joined, _HOUR, 0, 23) or not _are_within(joined, _MONTH, 1, 12):
        return False
    most = _DAYS_OF_EVERY_MONTH if b"2" in joined[_MONTH + 1 :: _STEP] else _DAYS_OF_OTHER_MONTHS
    if b"0" not in joined[_YEAR::_STEP] and _are_within(joined, _DAY, 1, most):
        return True
    return all(map(_is_day, {text[:10] for text in texts}))


def _are_within(joined: bytearray, at: int, least: int, most: int) -> bool:
    """Return whether the two-digit number at position ``at`` of each line is in a range.

    Each number is one byte of a long integer. It is at most 99, so no byte overflows into the next one.
    """
    tens = joined[at::_STEP]
    ones, digits, tops = _masks(len(tens))
    numbers = (int.from_bytes(tens, "little") & digits) * 10
    numbers += int.from_bytes(joined[at + 1 :: _STEP], "little") & digits
    reach = (numbers + ones * (128 - least)) & tops
    exceed = (numbers + ones * (127 - most)) & tops
    return reach == tops and not exceed


@lru_cache(maxsize=512)
def _masks(count: int) -> tuple[int, int, int]:
    """Return integers of ``count`` bytes: all 1, all 15 and all 128."""
    ones = int.from_bytes(b"\1" * count, "little")
    return ones, ones * 15, ones * 128


@lru_cache(maxsize=4096)
def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_plain_datetime(text: str) -> bool:
    """Return whether a text is a valid datetime in Amplitude's form."""
    try:
        return len(text) == _CHARACTERS and datetime.fromisoformat(text).isoformat(" ", "microseconds") == text
    except ValueError:
        return False


def normalise_datetime(value: object) -> object:
    """Return a datetime as RFC 3339 in UTC; return any other value unchanged.

    Accepted are Amplitude's form and variants: colons or slashes in the date, no fraction, an offset, a bare day. A
    time without an offset is UTC. The hour 24 and the second 60 are not accepted: most libraries reject them, and the
    following hour or second is not the value that Amplitude wrote.
    """
    return _normalise(value) if isinstance(value, str) else value


def _normalise(text: str) -> str:
    if _is_plain_datetime(text):
        return text.replace(" ", "T") + _ZONE
    match = _ODD_DATETIME.fullmatch(text.strip())
    if match is None:
        return text
    year, month, day, time, zone = match.groups()
    without_fraction = f"{year}-{month}-{day} {time or '00:00:00'}.000000"
    if zone is None and _is_plain_datetime(without_fraction):
        return without_fraction.replace(" ", "T") + _ZONE
    # Only odd forms need it, and the import takes longer than encoding ten thousand events.
    import pendulum  # noqa: PLC0415

    offset = "" if zone is None or zone.upper() in ("Z", "UTC") else zone
    odd = f"{year}-{month}-{day}T{(time or '00:00:00').replace(',', '.')}{offset}"
    try:
        moment = cast("datetime", pendulum.parse(odd, tz="UTC"))
        return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):  # an invalid date, or out of range in UTC
        return text
