"""Ingest valid events: identify users, deduplicate, write lines to the store."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from amplitude_emulator.derived_ids import derive_amplitude_id, derive_device_id, derive_number, derive_uuid
from amplitude_emulator.event_mapping import (
    UNIX_EPOCH,
    Identity,
    Receipt,
    groups_of,
    has_revenue,
    map_event,
)
from amplitude_emulator.partitions import partition_of, partitions_of_project
from amplitude_emulator.property_operations import apply_properties
from amplitude_emulator.store import encode_line
from amplitude_emulator.user_profiles import Profile, Profiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amplitude_emulator.clock import EmulatorClock
    from amplitude_emulator.event_validation import Event
    from amplitude_emulator.store import HourStore

DEDUPLICATION_PERIOD = timedelta(days=7)  # per (device_id, insert_id), reference 6.3
IDENTIFY, GROUP_IDENTIFY = "$identify", "$groupidentify"
# server_upload_time is 4 to 20 ms after server_received_time (reference 6.6).
SHORTEST_ACCEPT_MS, LONGEST_ACCEPT_MS = 4, 20


class EventIntake:
    """The ingestion pipeline of one project. Thread-safe; requests are processed one at a time."""

    def __init__(self, project_id: int, store: HourStore, clock: EmulatorClock, seed: int) -> None:
        self._project_id = project_id
        self._store = store
        self._clock = clock
        self._seed = seed
        self._lock = threading.Lock()
        self._profiles = Profiles()
        self._last_seen: dict[tuple[str, str], datetime] = {}
        self._partitions = partitions_of_project(seed, project_id)
        self._ingested = 0
        # Makes uuids differ from those of an earlier run with the same data directory.
        self._run = store.stored_bytes

    def ingest(self, events: Sequence[Event], path: str, sender: str) -> int:
        """Store the lines of valid events and return their server_upload_time in ms since the epoch."""
        with self._lock:
            receipt = self._receipt(path, sender)
            lines: dict[int, list[bytes]] = {}
            for event in events:
                self._ingested += 1
                line = self._line_of(event, receipt)
                if line is not None:
                    partition = partition_of(_amplitude_id_of(line), self._partitions)
                    lines.setdefault(partition, []).append(encode_line(line))
            for partition, new_lines in lines.items():
                self._store.append_lines(receipt.uploaded, partition, new_lines)
        return (receipt.uploaded - UNIX_EPOCH) // timedelta(milliseconds=1)

    def identify(self, identification: Mapping[str, object]) -> None:
        """Apply one item of the Identify API; later events show the change (reference 6.5)."""
        with self._lock:
            self._identify(dict(identification))

    def group_identify(self, group_type: str, group_name: str, change: Mapping[str, object]) -> None:
        """Apply one item of the Group Identify API."""
        with self._lock:
            self._profiles.update_group(group_type, group_name, change)

    def clear(self) -> None:
        """Clear users, groups and seen insert ids."""
        with self._lock:
            self._profiles.clear()
            self._last_seen.clear()
            self._ingested = 0

    def _receipt(self, path: str, sender: str) -> Receipt:
        # Times in lines carry milliseconds (reference 7).
        now = self._clock.now()
        received = now.replace(microsecond=now.microsecond // 1000 * 1000)
        spread = LONGEST_ACCEPT_MS - SHORTEST_ACCEPT_MS + 1
        accept_ms = SHORTEST_ACCEPT_MS + derive_number(spread, self._seed, "accept", self._ingested)
        return Receipt(received, received + timedelta(milliseconds=accept_ms), path, sender)

    def _line_of(self, event: Event, receipt: Receipt) -> dict[str, object] | None:
        """Return an event's line, or None for identify operations and duplicates."""
        identity = self._identify_event(event)
        if self._is_duplicate(event, identity, receipt.received):
            return None
        if event["event_type"] == GROUP_IDENTIFY:
            self._identify_groups(event)
            return None
        if event["event_type"] == IDENTIFY:
            self._identify(event)
            return None
        self._profiles.note_start_version(identity.amplitude_id, event.get("app_version"))
        profile = self._profile_for(event, identity.amplitude_id)
        known_groups = self._profiles.group_properties(groups_of(event))
        line = map_event(event, self._project_id, identity, receipt, profile, known_groups)
        if has_revenue(event):
            self._profiles.set_paying(identity.amplitude_id, paying=True)
        return line

    def _profile_for(self, event: Event, amplitude_id: int) -> Profile:
        """Merge the event's user properties into the profile and return it (reference 6.5)."""
        sent = event.get("user_properties")
        own = sent if isinstance(sent, dict) else {}
        if event.get("$skip_user_properties_sync"):
            profile = self._profiles.of(amplitude_id)
            return replace(profile, properties=apply_properties({}, own))
        return self._profiles.update_properties(amplitude_id, own)

    def _is_duplicate(self, event: Event, identity: Identity, now: datetime) -> bool:
        if not event.get("insert_id"):
            return False
        key = (identity.device_id, identity.insert_id)
        last_seen = self._last_seen.get(key)
        if last_seen is not None and now - last_seen < DEDUPLICATION_PERIOD:
            return True
        self._last_seen[key] = now
        return False

    def _identify_event(self, event: Mapping[str, object]) -> Identity:
        user_id, device_id = event.get("user_id"), event.get("device_id")
        device = str(device_id) if device_id else derive_device_id(str(user_id))
        made_up = (self._seed, self._project_id, self._run, self._ingested)
        insert_id = event.get("insert_id")
        event_id = event.get("event_id")
        return Identity(
            amplitude_id=self._amplitude_id(event),
            device_id=device,
            insert_id=str(insert_id) if insert_id else derive_uuid("insert", *made_up),
            uuid=derive_uuid("row", *made_up),
            event_id=event_id if isinstance(event_id, int) else derive_number(2**30, "event", *made_up),
        )

    def _amplitude_id(self, event: Mapping[str, object]) -> int:
        """Return a number derived from the user id, or from the device id of anonymous users."""
        owner = event.get("user_id") or event.get("device_id")
        return derive_amplitude_id(self._seed, self._project_id, owner)

    def _identify(self, event: Mapping[str, object]) -> None:
        amplitude_id = self._amplitude_id(event)
        change = event.get("user_properties")
        if isinstance(change, dict):
            self._profiles.update_properties(amplitude_id, change)
        paying = event.get("paying")
        if isinstance(paying, bool | str):
            self._profiles.set_paying(amplitude_id, paying)
        self._profiles.note_start_version(amplitude_id, event.get("start_version"))

    def _identify_groups(self, event: Event) -> None:
        change = event.get("group_properties")
        if isinstance(change, dict):
            for group_type, names in groups_of(event).items():
                for name in names:
                    self._profiles.update_group(group_type, str(name), change)


def _amplitude_id_of(line: Mapping[str, object]) -> int:
    return int(str(line["amplitude_id"]))
