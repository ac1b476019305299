"""Scripted faults: the kinds, the active ones, and which request they apply to.

`faulty_responses` implements their effects.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from amplitude_emulator.errors import UNSPECIFIED, UNSPECIFIED_ERROR
from amplitude_emulator.hours import truncate_to_hour

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from amplitude_emulator.hours import ExportWindow

NO_SETTINGS: Mapping[str, object] = {}


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault: its settings with defaults, and whether it applies to exports only."""

    settings: Mapping[str, object] = field(default_factory=dict)
    only_exports: bool = False


FAULT_KINDS: Mapping[str, FaultKind] = {
    "too_many_requests": FaultKind({"retry_after_seconds": None, "details": "Too Many Requests"}),
    "server_error": FaultKind({"status": 500, "body": None, "content_type": "text/html"}),
    "gateway_timeout_above_hours": FaultKind({"hours": 1}, only_exports=True),
    "too_large_above_hours": FaultKind({"hours": 1}, only_exports=True),
    "bad_request": FaultKind(
        {"details": "Invalid request", "message": UNSPECIFIED_ERROR, "type": UNSPECIFIED, "status": 400}
    ),
    "forbidden": FaultKind({"details": "User is not authorized to access this project"}),
    "cut_body": FaultKind({"after_bytes": None, "fraction": 0.5, "framing": "content_length"}),
    "connection_reset": FaultKind({"after_bytes": None}),
    "clipped_archive": FaultKind({"lost_members": 1}, only_exports=True),
    "flipped_byte": FaultKind({"member": 0}, only_exports=True),
    "broken_member": FaultKind({"member": 0, "how": "damaged"}, only_exports=True),
    "html_instead_of_zip": FaultKind(NO_SETTINGS, only_exports=True),
    "html_page": FaultKind({"status": 200}),
    "json": FaultKind({"body": {}, "status": 200}),
    "empty_body": FaultKind(NO_SETTINGS),
    "empty_archive": FaultKind(NO_SETTINGS, only_exports=True),
    "slow_drip": FaultKind({"bytes_per_second": 1000}),
    "prepare": FaultKind({"seconds": 1.0}),
    "no_answer": FaultKind({"seconds": 30.0}),
    "wrong_clock": FaultKind({"offset_seconds": 3600}),
}


@dataclass(frozen=True)
class Fault:
    """One scripted fault.

    Attributes:
        fault_id: Sequence number.
        name: A key of `FAULT_KINDS`.
        times: How many more requests it applies to; None for all.
        hour: Applies only to export requests whose window contains this hour.
        path: Applies only to paths that contain this text, such as ``/2/httpapi``.
        settings: All settings of the kind, including defaults.
    """

    fault_id: int
    name: str
    times: int | None = None
    hour: datetime | None = None
    path: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)

    def number(self, setting: str) -> float:
        """Return a numeric setting. Raise TypeError if it is not a number."""
        value = self.settings[setting]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{self.name}: {setting} must be a number, not {value!r}.")
        return value

    def text(self, setting: str) -> str:
        """Return a setting as text."""
        return str(self.settings[setting])

    def hits(self, path: str, window: ExportWindow | None) -> bool:
        """Whether the fault applies to a request; ``window`` is None except for exports."""
        if self.times == 0 or (self.path is not None and self.path not in path):
            return False
        if window is None:
            return self.hour is None and not FAULT_KINDS[self.name].only_exports
        if self.hour is not None and not window.contains(self.hour):
            return False
        return not self.name.endswith("_above_hours") or window.hours > self.number("hours")


class Faults:
    """The active faults, in the order they were added. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._added = 0

    def add(
        self,
        name: str,
        *,
        times: int | None = None,
        hour: datetime | None = None,
        path: str | None = None,
        **settings: object,
    ) -> Fault:
        """Append a fault; the first active fault that matches a request is applied.

        Args:
            name: A key of `FAULT_KINDS`; README.md describes each.
            times: How many requests it applies to; None for all until `clear`.
            hour: Restricts it to export requests whose window contains this hour.
            path: Restricts it to request paths that contain this text.
            settings: Settings of that kind of fault.

        Raises:
            ValueError: The fault or one of the settings is unknown.
        """
        kind = FAULT_KINDS.get(name)
        if kind is None:
            raise ValueError(f"Unknown fault {name!r}. Known faults: {', '.join(sorted(FAULT_KINDS))}.")
        unknown = sorted(settings.keys() - kind.settings.keys())
        if unknown:
            known = ", ".join(sorted(kind.settings))
            raise ValueError(f"{name} has no setting {', '.join(unknown)}. Its settings: {known}.")
        start = None if hour is None else truncate_to_hour(hour)
        with self._lock:
            self._added += 1
            fault = Fault(self._added, name, times, start, path, {**kind.settings, **settings})
            self._faults.append(fault)
        return fault

    def active(self) -> list[Fault]:
        """Return the active faults with their remaining ``times``."""
        with self._lock:
            return [fault for fault in self._faults if fault.times != 0]

    def remove(self, fault_id: int) -> None:
        """Remove one fault; an unknown id is ignored."""
        with self._lock:
            self._faults = [fault for fault in self._faults if fault.fault_id != fault_id]

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def take(self, path: str, window: ExportWindow | None) -> Fault | None:
        """Return the fault for a request and count it down, or return None."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.hits(path, window):
                    self._faults[index] = _changed_by(fault, -1)
                    return fault
        return None

    def restore(self, fault: Fault) -> None:
        """Undo `take` for a fault without effect, such as damage to an archive on a 404."""
        with self._lock:
            self._faults = [
                _changed_by(other, 1) if other.fault_id == fault.fault_id else other for other in self._faults
            ]


def _changed_by(fault: Fault, amount: int) -> Fault:
    return fault if fault.times is None else replace(fault, times=fault.times + amount)
