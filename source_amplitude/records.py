"""A line of an archive to the record Airbyte gets. Pure.

The record is the event as Amplitude wrote it, except that its seven datetimes become RFC 3339 in UTC and its
top-level nulls are left out (Airbyte's own serialiser drops them, cdk.md part 3).
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timezone
from typing import Any, cast

import orjson

Record = dict[str, Any]

DATETIME_FIELDS = (
    "client_event_time",
    "client_upload_time",
    "event_time",
    "processed_time",
    "server_received_time",
    "server_upload_time",
    "user_creation_time",
)

_AMPLITUDE_FORM = "0000-00-00 00:00:00.000000"
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_HUGE = b"0" * 20
_HUGE_NEGATIVE = b"-" + b"0" * 19
_ODD_DATETIME = re.compile(
    r"(\d{4})[-:/](\d{2})[-:/](\d{2})"
    r"(?:[ T](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?",
    re.IGNORECASE,
)

_loads = orjson.loads


class NotAnEventError(ValueError):
    """A line is no JSON object. The message never holds any of the line."""


def record_from_line(line: bytes, unread: list[str] | None = None) -> Record:
    """Return the record of one line; integers beyond 64 bits may have lost digits, see `has_huge_integer`.

    Args:
        line: Without its line feed.
        unread: Gets the name of every datetime that could not be read and is passed on as it came.

    Raises:
        NotAnEventError: The line is no JSON object, even for the standard library.
    """
    try:
        event = _loads(line)
    except orjson.JSONDecodeError:
        return exact_record_from_line(line, unread)
    if event.__class__ is not dict:
        raise NotAnEventError("the line is JSON, but no object")
    return _to_record(event, unread)


def dump_record(record: Record) -> bytes:
    """Return a record as JSON; what orjson cannot write (lone surrogates, huge integers) the standard library does.

    Raises:
        NotAnEventError: It is nested too deeply for both.
    """
    try:
        return orjson.dumps(record)
    except TypeError:
        pass
    try:
        return json.dumps(record, separators=(",", ":")).encode()
    except RecursionError as error:
        raise NotAnEventError("the event is nested too deeply") from error


def has_huge_integer(line: bytes) -> bool:
    """Return whether a line may hold an integer that orjson would read as a float: 20 digits, or 19 after a minus."""
    zeros = line.translate(_DIGITS_TO_ZERO)
    return _HUGE in zeros or _HUGE_NEGATIVE in zeros


def exact_record_from_line(line: bytes, unread: list[str] | None = None) -> Record:
    """Return the record of a line that orjson refuses or would round: lone surrogates, NaN, huge integers.

    NaN and infinities become null: no JSON reader downstream would take them.

    Raises:
        NotAnEventError: The line is no JSON object.
    """
    try:
        text = line.decode("utf-8", "surrogatepass")
        event = json.loads(text, parse_constant=lambda _: None, parse_float=_finite_float)
    except (ValueError, RecursionError) as error:
        raise NotAnEventError("the line is no JSON") from error
    if not isinstance(event, dict):
        raise NotAnEventError("the line is JSON, but no object")
    return _to_record(event, unread)


def _finite_float(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def are_plain_datetimes(texts: list[str]) -> bool:
    """Return whether every text has the one form in which Amplitude writes datetimes, whatever its digits.

    Raises:
        TypeError: One of them is no text.
    """
    shapes = "\n".join(texts).encode(errors="replace").translate(_DIGITS_TO_ZERO)
    return shapes == "\n".join([_AMPLITUDE_FORM] * len(texts)).encode()


def _to_record(event: Record, unread: list[str] | None) -> Record:
    for name in DATETIME_FIELDS:
        if text := event.get(name):
            if isinstance(text, str) and are_plain_datetimes([text]):
                event[name] = f"{text[:10]}T{text[11:]}+00:00"
            else:
                event[name] = normal = normalise_datetime(text)
                if unread is not None and normal is text:
                    unread.append(name)
    return {name: value for name, value in event.items() if value is not None}


def normalise_datetime(value: object) -> object:
    """Return a datetime in an odd form as RFC 3339 in UTC; anything that cannot be read comes back as it is.

    Read are: colons or slashes in the date, no fraction, an offset, a bare day. A time without a zone is UTC.
    """
    if not isinstance(value, str):
        return value
    match = _ODD_DATETIME.fullmatch(value.strip())
    if match is None:
        return value
    year, month, day, time, zone = match.groups()
    # Only odd forms need it, and importing it takes longer than encoding ten thousand events.
    import pendulum  # noqa: PLC0415

    text = f"{year}-{month}-{day}T{(time or '00:00:00').replace(',', '.')}{_iso_offset(zone)}"
    try:
        moment = cast("datetime", pendulum.parse(text, tz="UTC"))
        return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):  # no day of the calendar, or none once it is moved to UTC
        return value


def _iso_offset(zone: str | None) -> str:
    return "" if zone is None or zone.upper() in ("Z", "UTC") else zone
