"""Map a sent event to its exported line (reference 6.6). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from amplitude_emulator.derived_ids import derive_number, derive_text
from amplitude_emulator.languages import language_name
from amplitude_emulator.line_keys import new_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amplitude_emulator.event_validation import Event
    from amplitude_emulator.user_profiles import Profile

MAX_TEXT_CHARACTERS = 1024  # longer values are truncated, reference 6.2
CLOCK_TOLERANCE = timedelta(seconds=60)  # reference 6.6, row of event_time
NO_SESSION = -1
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

SAME_NAMES = (
    "city",
    "country",
    "device_brand",
    "device_manufacturer",
    "device_model",
    "dma",
    "location_lat",
    "location_lng",
    "os_name",
    "os_version",
    "partner_id",
    "platform",
    "region",
)
REVENUE_NAMES = ("price", "quantity", "revenue", "productId", "revenueType", "currency")
# The two pairs the reference shows; Amplitude's device tables are not public (6.6, inferred).
DEVICE_FAMILIES: Mapping[str, tuple[str, str]] = {"mac": ("Mac OS X", "Mac"), "win": ("Windows", "Windows")}


@dataclass(frozen=True)
class Receipt:
    """The times, path and sender of an upload; shared by all events of a request."""

    received: datetime
    uploaded: datetime
    path: str
    sender: str


@dataclass(frozen=True)
class Identity:
    """The ids of an event: sent, looked up or generated."""

    amplitude_id: int
    device_id: str
    insert_id: str
    uuid: str
    event_id: int


def map_event(
    event: Event,
    project_id: int,
    identity: Identity,
    receipt: Receipt,
    profile: Profile,
    group_properties: Mapping[str, object],
) -> dict[str, object]:
    """Return the complete line; ``profile`` is the user after this event."""
    client_event_time = _client_event_time(event, receipt)
    # HTTP V2 and Batch have no client upload time of their own (reference 6.6).
    client_upload_time = receipt.received
    groups = groups_of(event)
    family, device_type = _device_family(event)
    return new_line(
        {
            **{name: event.get(name) for name in SAME_NAMES},
            "$insert_id": identity.insert_id,
            "amplitude_attribution_ids": _attribution_ids(event),
            "amplitude_id": identity.amplitude_id,
            "app": project_id,
            "client_event_time": format_time(client_event_time),
            "client_upload_time": format_time(client_upload_time),
            "data": {
                "path": receipt.path,
                "user_properties_updated": bool(event.get("user_properties")),
                "group_first_event": {},
                "group_ids": _group_ids(groups),
            },
            "device_carrier": event.get("carrier"),
            "device_family": family,
            "device_id": identity.device_id,
            "device_type": device_type,
            "event_id": identity.event_id,
            "event_properties": _event_properties(event),
            "event_time": format_time(corrected_event_time(client_event_time, client_upload_time, receipt.received)),
            "event_type": event["event_type"],
            "group_properties": group_properties,
            "groups": groups,
            "ip_address": receipt.sender if event.get("ip") == "$remote" else event.get("ip"),
            "language": _language(event),
            "library": event.get("library") or "http/2.0",
            "paying": profile.paying,
            "plan": event.get("plan") or {},
            "processed_time": format_time(_processed_time(receipt, identity)),
            "server_received_time": format_time(receipt.received),
            "server_upload_time": format_time(receipt.uploaded),
            "session_id": event.get("session_id", NO_SESSION),
            "start_version": profile.start_version,
            "user_id": event.get("user_id"),
            "user_properties": truncate_texts(profile.properties),
            "uuid": identity.uuid,
            "version_name": event.get("app_version", event.get("version_name")),
        }
    )


def corrected_event_time(
    client_event_time: datetime, client_upload_time: datetime, server_received_time: datetime
) -> datetime:
    """Return the event's time by the server's clock; differences below a minute are ignored (6.6)."""
    difference = server_received_time - client_upload_time
    return client_event_time if abs(difference) < CLOCK_TOLERANCE else client_event_time + difference


def groups_of(event: Event) -> dict[str, list[str]]:
    """Return an event's groups with their names as arrays, as exported (reference 6.6)."""
    groups = event.get("groups")
    if not isinstance(groups, dict):
        return {}
    return {kind: names if isinstance(names, list) else [names] for kind, names in groups.items()}


def has_revenue(event: Event) -> bool:
    """Whether an event has revenue, in the fields of HTTP V2 or in the properties that an SDK sets."""
    properties = event.get("event_properties")
    sent = {**(properties if isinstance(properties, dict) else {}), **_revenue_properties(event)}
    return "$revenue" in sent or "$price" in sent


def truncate_texts(value: object) -> object:
    """Return JSON with every text truncated to the documented length (reference 6.2)."""
    if isinstance(value, str):
        return value[:MAX_TEXT_CHARACTERS]
    if isinstance(value, dict):
        return {key: truncate_texts(item) for key, item in value.items()}
    return [truncate_texts(item) for item in value] if isinstance(value, list) else value


def format_time(moment: datetime) -> str:
    """Format a time as exported lines do: a space, microseconds, UTC without a zone (reference 7)."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")


def _client_event_time(event: Event, receipt: Receipt) -> datetime:
    sent_ms = event.get("time")
    if not isinstance(sent_ms, int):
        return receipt.received  # "absent: upload time", reference 6.3
    return UNIX_EPOCH + timedelta(milliseconds=sent_ms)


def _processed_time(receipt: Receipt, identity: Identity) -> datetime:
    """Return an instant 0.5 to 3 seconds after the upload (reference 6.6)."""
    return receipt.uploaded + timedelta(milliseconds=500 + derive_number(2500, "processed", identity.uuid))


def _event_properties(event: Event) -> object:
    sent = event.get("event_properties")
    properties = sent if isinstance(sent, dict) else {}
    return truncate_texts({**properties, **_revenue_properties(event)})


def _revenue_properties(event: Event) -> dict[str, object]:
    """Return revenue fields as event properties of Amplitude's model; their location is inferred (6.6)."""
    sent = {name: event[name] for name in REVENUE_NAMES if event.get(name) is not None}
    price, quantity = sent.get("price"), sent.get("quantity", 1)
    if isinstance(price, int | float) and isinstance(quantity, int | float):
        # price x quantity wins over revenue, quantity is 1 by default (reference 6.3)
        sent.update(quantity=quantity, revenue=price * quantity)
    if "revenue" not in sent:
        return {}
    return {f"${name}": value for name, value in sent.items()}


def _attribution_ids(event: Event) -> str | None:
    """Return a hash of the ad id; the id itself is not exported (reference 6.6)."""
    ad_id = event.get("idfa") or event.get("adid")
    return derive_text("ad id", ad_id) if ad_id else None


def _group_ids(groups: Mapping[str, list[str]]) -> dict[str, list[int]]:
    """Return group ids in the form of the documented example (reference 7, row of data)."""
    return {
        str(derive_number(10_000, "group type", kind)): [derive_number(2**32, kind, name) for name in names]
        for kind, names in groups.items()
    }


def _device_family(event: Event) -> tuple[str | None, str | None]:
    model = str(event.get("device_model") or event.get("os_name") or "").lower()
    for prefix, family in DEVICE_FAMILIES.items():
        if model.startswith(prefix):
            return family
    return None, None


def _language(event: Event) -> str | None:
    tag = event.get("language")
    return language_name(tag) if isinstance(tag, str) else None
