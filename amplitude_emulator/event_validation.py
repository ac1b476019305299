"""Validation of uploads to HTTP V2 and Batch, and the error bodies (reference 6.2 to 6.4). Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amplitude_emulator.property_operations import mixes_operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Event = dict[str, object]

DEFAULT_MIN_ID_LENGTH = 5
MAX_OBJECT_DEPTH = 40
MAX_GROUP_TYPES = 5
MAX_GROUP_VALUES = 10
# Documented, reference 6.3.
REFUSED_IDS = frozenset(
    ("anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "", "{}", "lmy47d", "0", "-1")
) | {"00000000-0000-0000-0000-000000000000"}
RESERVED_EVENT_TYPES = frozenset(
    "[Amplitude] " + name
    for name in (
        "Start Session",
        "End Session",
        "Revenue",
        "Revenue (Verified)",
        "Revenue (Unverified)",
        "Merged User",
    )
)


@dataclass(frozen=True)
class UploadLimits:
    """The limits of one endpoint, and how it lists invalid events (reference 6.2, 6.4)."""

    max_bytes: int
    max_events: int
    lists_all_indexes: bool


# "Fewer than 2,000" events for HTTP V2 and 2,000 for Batch; 1 MB and 20 MB read as powers of two.
HTTP_V2_LIMITS = UploadLimits(max_bytes=1024**2, max_events=1999, lists_all_indexes=False)
BATCH_LIMITS = UploadLimits(max_bytes=20 * 1024**2, max_events=2000, lists_all_indexes=True)


class UploadRefusedError(Exception):
    """An upload is refused as a whole; holds the response's status and body without ``code``."""

    def __init__(self, status: int, body: Mapping[str, object]) -> None:
        super().__init__(body.get("error"))
        self.status = status
        self.body = body


@dataclass(frozen=True)
class Upload:
    """A well-formed request body; its events are not validated yet."""

    api_key: str
    events: list[Event]
    min_id_length: int


def parse_upload(body: bytes, content_type: str, limits: UploadLimits) -> Upload:
    """Parse a request body.

    Raises:
        UploadRefusedError: It is too large, is not valid JSON, or lacks a required field.
    """
    if len(body) > limits.max_bytes:
        raise UploadRefusedError(413, {"error": "Payload too large"})
    if not body:
        raise UploadRefusedError(400, {"error": "Missing request body"})
    content = _read_object(body)
    # JSON's content type is required (reference 6.1); the response to other types is inferred.
    if content is None or content_type != "application/json":
        raise UploadRefusedError(400, {"error": "Invalid JSON request body"})
    for name in ("api_key", "events"):
        if not content.get(name):
            raise UploadRefusedError(400, {"error": "Request missing required field", "missing_field": name})
    events = content["events"]
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise UploadRefusedError(400, {"error": "Invalid event JSON"})
    if len(events) > limits.max_events:
        raise UploadRefusedError(413, {"error": "Payload too large"})  # inferred
    return Upload(str(content["api_key"]), events, _min_id_length(content.get("options")))


def _read_object(body: bytes) -> dict[str, object] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _min_id_length(options: object) -> int:
    length = options.get("min_id_length") if isinstance(options, dict) else None
    return length if isinstance(length, int) else DEFAULT_MIN_ID_LENGTH


def checked_events(upload: Upload, limits: UploadLimits) -> list[Event]:
    """Return the events without ids that are too short.

    Raises:
        UploadRefusedError: Some events are invalid; the whole upload is refused. The body lists their
            indexes by field.
    """
    events = [_without_short_ids(event, upload.min_id_length) for event in upload.events]
    missing = _indexes_by_field(upload.events, _missing_fields)
    invalid = _indexes_by_field(upload.events, _invalid_fields)
    # Not in the reference; the official SDK reads this key (amplitude-analytics 1.3.0, http_client.py).
    short = {} if missing or invalid else _indexes_by_field(events, _missing_ids)
    if not (missing or invalid or short):
        return events
    error = "Invalid field values on some events" if invalid or short else "Request missing required field"
    named = {
        "events_with_invalid_fields": invalid,
        "events_with_missing_fields": missing,
        "events_with_invalid_id_lengths": short,
    }
    body: dict[str, object] = {"error": error}
    for name, indexes_by_field in named.items():
        if indexes_by_field:
            body[name] = {
                field: indexes if limits.lists_all_indexes else indexes[:1]
                for field, indexes in indexes_by_field.items()
            }
    raise UploadRefusedError(400, body)


def _without_short_ids(event: Event, min_id_length: int) -> Event:
    short = [name for name in ("user_id", "device_id") if len(str(event.get(name) or "")) < min_id_length]
    return {key: value for key, value in event.items() if key not in short}


def _indexes_by_field(events: list[Event], fields_of: Callable[[Event], list[str]]) -> dict[str, list[int]]:
    indexes: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        for name in fields_of(event):
            indexes.setdefault(name, []).append(index)
    return indexes


def _missing_fields(event: Event) -> list[str]:
    missing = [] if event.get("event_type") else ["event_type"]
    # A group identify needs no user: the official SDK sends it without one.
    return missing if event.get("event_type") == "$groupidentify" else missing + _missing_ids(event)


def _missing_ids(event: Event) -> list[str]:
    if event.get("event_type") == "$groupidentify":
        return []
    return [] if event.get("user_id") is not None or event.get("device_id") is not None else ["user_id"]


def _invalid_fields(event: Event) -> list[str]:
    return [name for name, is_valid in _FIELD_RULES.items() if name in event and not is_valid(event[name])]


def _is_id(value: object) -> bool:
    return value is None or (isinstance(value, str) and value not in REFUSED_IDS)


def _is_integer(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _is_event_type(value: object) -> bool:
    return not value or (isinstance(value, str) and value not in RESERVED_EVENT_TYPES)


def _is_object(value: object) -> bool:
    return value is None or (isinstance(value, dict) and _depth(value) <= MAX_OBJECT_DEPTH)


def _is_user_properties(value: object) -> bool:
    return _is_object(value) and not (isinstance(value, dict) and mixes_operations(value))


def _is_groups(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or len(value) > MAX_GROUP_TYPES:
        return False
    names = [name for group in value.values() for name in (group if isinstance(group, list) else [group])]
    return len(names) <= MAX_GROUP_VALUES


def _depth(value: object) -> int:
    """Return the nesting depth of objects and arrays; stop just above the limit."""
    depth, level = 0, [value]
    while level and depth <= MAX_OBJECT_DEPTH + 1:
        level = [child for item in level for child in _children(item)]
        depth += 1
    return depth - 1


def _children(item: object) -> list[object]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else []


# The handling of invalid values (6.2, 6.3) is documented for `time` and ids only.
_FIELD_RULES: Mapping[str, Callable[[object], bool]] = {
    "time": _is_integer,
    "user_id": _is_id,
    "device_id": _is_id,
    "event_type": _is_event_type,
    "event_properties": _is_object,
    "user_properties": _is_user_properties,
    "group_properties": _is_object,
    "groups": _is_groups,
}
