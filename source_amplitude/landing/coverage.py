"""Which hours are there: what is expected, what the manifests say, and what the store really holds.

Pure. The day's view and every report are computed from these; nothing of the kind is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from source_amplitude.landing.layout import hour_folder
from source_amplitude.landing.manifest import HourState, Manifest
from source_amplitude.windows import HourSet, HourWindow, plan, whole_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime


class Condition(Enum):
    """What is to be said of an hour."""

    DONE = "done"
    EMPTY = "empty"
    OPEN = "open"
    ACCEPTED = "accepted"
    MISSING = "missing"
    SHORT = "short"
    FAILED = "failed"

    @property
    def is_missing(self) -> bool:
        """Whether the hour has to be landed, for the first time or again."""
        return self in (Condition.MISSING, Condition.SHORT, Condition.FAILED)


@dataclass(frozen=True)
class HourCover:
    """What is there of one hour (of one day, where Amplitude has day files), by its manifest.

    Attributes:
        event_types: The most frequent ones with their events; empty where they were not counted.
        reason: Why it is missing, short or failed; a sentence's part, without a full stop.
    """

    window: HourWindow
    condition: Condition
    events: int = 0
    object_bytes: int = 0
    objects: int = 0
    event_types: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Coverage:
    """What is there of ``span``, all of whose hours are expected; ``hours`` are in order."""

    span: HourWindow
    hours: tuple[HourCover, ...]

    def missing(self) -> HourSet:
        return self.hours_in(*(each for each in Condition if each.is_missing))

    def hours_in(self, *conditions: Condition) -> HourSet:
        return HourSet.of(each.window for each in self.of(*conditions))

    def of(self, *conditions: Condition) -> tuple[HourCover, ...]:
        return tuple(each for each in self.hours if each.condition in conditions)

    def by_day(self) -> Iterator[tuple[date, tuple[HourCover, ...]]]:
        """Yield each UTC day that has hours, with these, in order."""
        days: dict[date, list[HourCover]] = {}
        for each in self.hours:
            days.setdefault(each.window.start.date(), []).append(each)
        return ((day, tuple(hours)) for day, hours in days.items())


def coverage(
    span: HourWindow,
    manifests: Mapping[datetime, Manifest],
    folders: Mapping[str, Mapping[str, int]],
    *,
    accepted_gaps: HourSet,
) -> Coverage:
    """Return what is there of ``span``, by the manifests by hour and the sizes of objects by folder and name."""
    covers = []
    for window in plan(whole_units(span), 1):
        manifest, there = manifests.get(window.start), folders.get(hour_folder(window.start), {})
        cover = _without_manifest(window, there) if manifest is None else _with_manifest(manifest, there)
        if cover.condition.is_missing and window.start in accepted_gaps:
            cover = HourCover(window, Condition.ACCEPTED, reason="named in accepted_gaps")
        covers.append(cover)
    return Coverage(span, tuple(covers))


def _without_manifest(window: HourWindow, there: Mapping[str, int]) -> HourCover:
    reason = "never landed"
    if there:
        count = "one object" if len(there) == 1 else f"{len(there)} objects"
        reason = f"{count} without a manifest: a landing was cut off"
    return HourCover(window, Condition.MISSING, objects=len(there), object_bytes=sum(there.values()), reason=reason)


def _with_manifest(manifest: Manifest, there: Mapping[str, int]) -> HourCover:
    condition, reason = Condition(manifest.state.value), manifest.reason
    if manifest.state is not HourState.FAILED and (problem := shortfall(manifest, there)):
        condition, reason = Condition.SHORT, problem
    return HourCover(
        manifest.window,
        condition,
        events=manifest.events,
        object_bytes=manifest.object_bytes,
        objects=len(manifest.objects),
        event_types=manifest.event_types,
        reason=reason,
    )


def shortfall(manifest: Manifest, there: Mapping[str, int]) -> str:
    """Return how the objects of an hour differ from its manifest; nothing where they do not.

    Objects that the manifest does not name are another program's, or will be named after the next look at the hour.
    """
    for landed in manifest.objects:
        size = there.get(landed.name)
        if size is None:
            return f"{landed.name} is gone"
        if size != landed.object_bytes:
            return f"{landed.name} has {size:,} bytes, {landed.object_bytes:,} were landed"
    return ""
