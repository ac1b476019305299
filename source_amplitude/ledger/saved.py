"""Convert the ledger to and from Airbyte state, including the formats of other versions.

Our format is ``{"server_upload_time": "20240101T17", "ledger": {...}}``. Upstream 0.7 uses the first key, so a
connection can switch to it and back. The ledger repeats the value: a difference means that upstream ran in between.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from source_amplitude.config.fields import shown
from source_amplitude.errors import InvalidStateError
from source_amplitude.ledger.hours import Ledger, ReadHour
from source_amplitude.ledger.member_codec import decode_members, encode_members
from source_amplitude.windows import HOUR, UNIX_EPOCH, HourSet, HourWindow, floor_hour, floor_unit, parse_moment

CURSOR_FIELD = "server_upload_time"
VERSION = 1

_HOUR_FORMAT = "%Y%m%dT%H"
_READ_AT_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_LATEST = datetime(2200, 1, 1, tzinfo=timezone.utc)
_UPSTREAM_OVERLAP = timedelta(
    hours=2
)  # upstream 0.7 reads the last two hours again on every sync, because they were incomplete
_ALL_KEYS = (CURSOR_FIELD, "event_time", "ledger", "slices", "state_type", "legacy", "parent_state", "lookback_window")
_MAX_SHOWN_CHARS, _MAX_REASON_CHARS = 80, 200
_MOST_WORKING_HOURS = 365 * 24


@dataclass(frozen=True)
class SavedState:
    """A ledger from a saved state, with warnings to log."""

    ledger: Ledger
    warnings: tuple[str, ...] = field(default=())


def state_from_ledger(ledger: Ledger, *, start: datetime, accepted_gaps: HourSet) -> dict[str, Any]:
    """Return the ledger as Airbyte state, in plain JSON values."""
    cursor = _text(ledger.cursor(start, accepted_gaps))
    saved: dict[str, Any] = {
        "version": VERSION,
        CURSOR_FIELD: cursor,
        "settled": _saved_hours(ledger.settled),
        "open": _saved_hours(ledger.open),
        "landed": {
            _text(hour): _saved_hour(read_hour, ledger.project, hour)
            for hour, read_hour in sorted(ledger.read_hours.items())
        },
    }
    if ledger.project is not None:
        saved["project"] = ledger.project
    if ledger.newest_with_data is not None:
        saved["newest_landed"] = _text(ledger.newest_with_data)
    if ledger.working_hours is not None:
        saved["working_hours"] = list(ledger.working_hours)
    return {CURSOR_FIELD: cursor, "ledger": saved}


def ledger_from_state(state: Mapping[str, Any], *, export_delay_hours: int) -> SavedState:
    """Return the ledger of a state in any known format; raise an InvalidStateError for other formats."""
    saved = state.get("ledger")
    if saved is None:
        return _other_version(state, export_delay_hours, ())
    version = saved.get("version") if isinstance(saved, Mapping) else None
    if version != VERSION or isinstance(version, bool):
        if not state.get(CURSOR_FIELD):
            raise InvalidStateError(f"The state has a ledger of version {shown(version)}, but no {CURSOR_FIELD}.")
        warning = f"The state's ledger has version {shown(version)}; this source reads version {VERSION}"
    elif saved.get(CURSOR_FIELD) != state.get(CURSOR_FIELD):
        warning = (
            f"The state's {CURSOR_FIELD} is {shown(state.get(CURSOR_FIELD))}, but its ledger was written for "
            f"{shown(saved.get(CURSOR_FIELD))}: another version of this source ran in between"
        )
    else:
        return SavedState(_own_version(saved))
    warning += f". The ledger is ignored: the hours before {CURSOR_FIELD} count as read."
    return _other_version(state, export_delay_hours, (warning,))


def _own_version(saved: Mapping[str, Any]) -> Ledger:
    try:
        project = saved.get("project")
        newest = saved.get("newest_landed")
        working = saved.get("working_hours")
        return Ledger(
            settled=_hours(saved["settled"]),
            open=_hours(saved["open"]),
            read_hours={
                _hour(text): _read_hour(entry, project, _hour(text)) for text, entry in saved["landed"].items()
            },
            project=None if project is None else str(project),
            newest_with_data=None if newest is None else _hour(newest),
            working_hours=None if working is None else _working_hours(working),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        reason = str(error) if len(str(error)) <= _MAX_REASON_CHARS else f"{str(error)[:_MAX_REASON_CHARS]}..."
        raise InvalidStateError(f"The state's ledger cannot be read ({type(error).__name__}: {reason}).") from error


def _working_hours(saved: Any) -> tuple[int, int]:  # noqa: ANN401 - any JSON
    found = int(saved[0]), int(saved[1])
    if not all(1 <= hours <= _MOST_WORKING_HOURS for hours in found):
        raise ValueError("working_hours is out of range")
    return found


def _saved_hour(read_hour: ReadHour, project: str | None, hour: datetime) -> dict[str, Any]:
    members = encode_members(read_hour.members, project=project or "", hour=hour)
    return {"read_at": read_hour.read_at.strftime(_READ_AT_FORMAT), **members}


def _read_hour(entry: Mapping[str, Any], project: str | None, hour: datetime) -> ReadHour:
    read_at = _in_range(datetime.strptime(entry["read_at"], _READ_AT_FORMAT).replace(tzinfo=timezone.utc))
    return ReadHour(read_at, decode_members(entry, project=project or "", hour=hour))


def _other_version(state: Mapping[str, Any], export_delay_hours: int, warnings: tuple[str, ...]) -> SavedState:
    moment = _read_until(state)
    if moment is None:
        if "event_time" in state:
            warnings += (
                "The state contains only event_time, but exports need upload times. The sync starts at start_date.",
            )
        return SavedState(Ledger(), warnings)
    restart = floor_unit(floor_hour(moment) - HOUR * export_delay_hours - _UPSTREAM_OVERLAP)
    settled = HourSet((HourWindow(UNIX_EPOCH, restart),)) if restart > UNIX_EPOCH else HourSet()
    return SavedState(Ledger(settled=settled), warnings)


def _read_until(state: Mapping[str, Any]) -> datetime | None:
    """Return the time until which another version had read; None if the state has no upload time."""
    value: Any = state.get(CURSOR_FIELD)
    slices = state.get("slices")
    if state.get("state_type") == "date-range" and isinstance(slices, list) and slices:
        value = slices[0].get("end") if isinstance(slices[0], Mapping) else slices[0]
    if value is None or value == "":
        unknown = [key for key in state if key not in _ALL_KEYS and not key.startswith("__ab_")]
        if unknown:
            raise InvalidStateError(f"The state has no {CURSOR_FIELD}, and its key {shown(unknown[0])} is unknown.")
        return None
    moment = _parse_cursor(value)
    if moment is None or not UNIX_EPOCH <= moment < _LATEST:
        text = shown(value, _MAX_SHOWN_CHARS)
        raise InvalidStateError(f"The state's {CURSOR_FIELD} is {text}, not a time from 1970 to 2199.")
    return moment


def _parse_cursor(value: object) -> datetime | None:
    if isinstance(value, str) and re.fullmatch(r"\d{8}T\d{2}", value):
        try:
            return _hour(value)
        except ValueError:
            return None
    return parse_moment(value)


def _text(hour: datetime) -> str:
    return hour.strftime(_HOUR_FORMAT)


def _hour(text: str) -> datetime:
    return _in_range(datetime.strptime(text, _HOUR_FORMAT).replace(tzinfo=timezone.utc))


def _in_range(moment: datetime) -> datetime:
    if not UNIX_EPOCH <= moment < _LATEST:
        raise ValueError(f"{moment} is out of range")
    return moment


def _saved_hours(hours: HourSet) -> list[list[str]]:
    return [[_text(window.start), _text(window.end)] for window in hours.windows]


def _hours(saved: list[list[str]]) -> HourSet:
    return HourSet.of(HourWindow(_hour(start), _hour(end)) for start, end in saved)
