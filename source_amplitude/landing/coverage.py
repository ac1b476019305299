"""Coverage: compare the expected hours with the manifests and with the objects in the store.

Pure functions. Every report is computed from a coverage; coverages are not stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from source_amplitude.landing.layout import hour_folder
from source_amplitude.landing.manifest import HourState, Manifest
from source_amplitude.windows import HourSet, HourWindow, plan, whole_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime


class Condition(Enum):
    """The condition of an hour, as reports show it."""

    DONE = "done"
    EMPTY = "empty"
    OPEN = "open"
    ACCEPTED = "accepted"
    MISSING = "missing"
    SHORT = "short"
    FAILED = "failed"

    @property
    def is_missing(self) -> bool:
        """Whether the hour has to be landed (again)."""
        return self in (Condition.MISSING, Condition.SHORT, Condition.FAILED)


@dataclass(frozen=True)
class HourCover:
    """The coverage of one hour, by its manifest (of one day, if Amplitude has day files).

    Attributes:
        event_types: Event counts of the most frequent types; empty if they were not counted.
        reason: Why the hour is missing, short or failed; part of a sentence, without a full stop.
    """

    window: HourWindow
    condition: Condition
    events: int = 0
    object_bytes: int = 0
    objects: int = 0
    event_types: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class CoverSpan:
    """Consecutive hours with the same condition for the same reason."""

    window: HourWindow
    condition: Condition
    reason: str


def spans_of(covers: Iterable[HourCover]) -> tuple[CoverSpan, ...]:
    """Return the spans of hours that are in order."""
    spans: list[CoverSpan] = []
    for each in covers:
        last = spans[-1] if spans else None
        span = CoverSpan(each.window, each.condition, each.reason)
        if last and last.window.end == each.window.start and replace(last, window=each.window) == span:
            spans[-1] = replace(last, window=HourWindow(last.window.start, each.window.end))
        else:
            spans.append(span)
    return tuple(spans)


@dataclass(frozen=True)
class Coverage:
    """The coverage of all hours of ``span``, in order."""

    span: HourWindow
    hours: tuple[HourCover, ...]

    def missing(self) -> HourSet:
        return self.hours_in(*(each for each in Condition if each.is_missing))

    def hours_in(self, *conditions: Condition) -> HourSet:
        return HourSet.of(each.window for each in self.of(*conditions))

    def of(self, *conditions: Condition) -> tuple[HourCover, ...]:
        return tuple(each for each in self.hours if each.condition in conditions)

    def by_day(self) -> Iterator[tuple[date, tuple[HourCover, ...]]]:
        """Yield each UTC day and its hours, in order."""
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
    """Return the coverage of ``span``.

    Args:
        manifests: By the start of their hour.
        folders: Object sizes in bytes, by folder and object name.
    """
    covers = []
    for window in plan(whole_units(span), 1):
        manifest, sizes = manifests.get(window.start), folders.get(hour_folder(window.start), {})
        cover = _without_manifest(window, sizes) if manifest is None else _with_manifest(manifest, sizes)
        if cover.condition.is_missing and window.start in accepted_gaps:
            cover = HourCover(window, Condition.ACCEPTED, reason="named in accepted_gaps")
        covers.append(cover)
    return Coverage(span, tuple(covers))


def _without_manifest(window: HourWindow, sizes: Mapping[str, int]) -> HourCover:
    reason = "incomplete: landing was interrupted" if sizes else "never landed"
    return HourCover(window, Condition.MISSING, objects=len(sizes), object_bytes=sum(sizes.values()), reason=reason)


def _with_manifest(manifest: Manifest, sizes: Mapping[str, int]) -> HourCover:
    condition, reason = Condition(manifest.state.value), manifest.reason
    if manifest.state is not HourState.FAILED and (problem := shortfall(manifest, sizes)):
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


def shortfall(manifest: Manifest, sizes: Mapping[str, int]) -> str:
    """Return the first difference between an hour's manifest and its objects in the store; empty if they agree.

    Objects that the manifest does not list are ignored: they are from another program, or the next run lists them.
    """
    for landed in manifest.objects:
        size = sizes.get(landed.name)
        if size is None:
            return f"{landed.name} is missing"
        if size != landed.object_bytes:
            return f"{landed.name} has {size:,} bytes instead of {landed.object_bytes:,}"
    return ""
