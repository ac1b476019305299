"""The inventory of a store for a span of hours, and the ledger built from it.

Few requests: one lists all manifests, one reads each manifest of the span, one lists the objects of each day. The
ledger is built from these alone, so no state besides the store is kept between runs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from source_amplitude.config import AMPLITUDE_BEGINNING
from source_amplitude.errors import InvalidManifestError, OtherFormatError, OtherProjectError
from source_amplitude.landing.coverage import shortfall
from source_amplitude.landing.fields import LAST_YEAR
from source_amplitude.landing.layout import (
    MANIFEST_FOLDER,
    by_folder,
    day_folder,
    hour_folder,
    hour_of_manifest,
    manifest_path,
)
from source_amplitude.landing.manifest import HourState, Manifest, manifest_from_bytes
from source_amplitude.landing.place import read_place, with_arrays
from source_amplitude.ledger import Ledger, conclusive_at
from source_amplitude.windows import DAY, HourSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from source_amplitude.landing.place import Place
    from source_amplitude.landing.store import Store
    from source_amplitude.windows import HourWindow

_REQUESTS_AT_ONCE = 16
_HOURS_TO_LOOK_AT = 48


@dataclass(frozen=True)
class Inventory:
    """The manifests and object sizes of a span.

    Attributes:
        hours: All hours with a manifest, also outside the span, in order.
        manifests: The span's manifests, by the start of their hour.
        folders: Object sizes in bytes of the span's days, by folder and name.
        earlier: The manifest of the newest hour with events before the span, if found.
        later: The manifest of the newest hour with events after the span, if found.
    """

    hours: tuple[datetime, ...]
    manifests: Mapping[datetime, Manifest]
    folders: Mapping[str, Mapping[str, int]]
    earlier: Manifest | None = None
    later: Manifest | None = None

    @property
    def known(self) -> tuple[Manifest, ...]:
        """All manifests that were read."""
        return (*self.manifests.values(), *filter(None, (self.earlier, self.later)))

    def sizes(self, hour: datetime) -> Mapping[str, int]:
        return self.folders.get(hour_folder(hour), {})


def landed_hours(store: Store) -> tuple[datetime, ...]:
    """Return all hours with a manifest, in order.

    Raises:
        InvalidManifestError: A manifest is for an hour that Amplitude cannot have.
    """
    hours = {hour: path for path in store.sizes(MANIFEST_FOLDER) if (hour := hour_of_manifest(path))}
    for hour, path in hours.items():
        if not AMPLITUDE_BEGINNING.year <= hour.year <= LAST_YEAR:
            raise InvalidManifestError(f"{path} is not for a year from {AMPLITUDE_BEGINNING.year} to {LAST_YEAR}.")
    return tuple(sorted(hours))


def take_inventory(store: Store, span: HourWindow, hours: tuple[datetime, ...], *, look_around: bool) -> Inventory:
    """Return the inventory of ``span``.

    Args:
        hours: The result of `landed_hours`.
        look_around: Whether to read manifests before and after the span as well. They show the format and the project
            of the stored hours; a later hour with events settles open hours as empty.
    """
    wanted = [hour for hour in hours if span.start <= hour < span.end]
    pool = ThreadPoolExecutor(_REQUESTS_AT_ONCE, thread_name_prefix="inventory")
    try:
        manifests = pool.map(lambda hour: read_manifest(store, hour), wanted)
        found = {hour: manifest for hour, manifest in zip(wanted, manifests, strict=True) if manifest is not None}
        # List objects after reading the manifests: another run writes its objects before its manifest.
        days = pool.map(lambda day: store.sizes(day_folder(day)), days_of(span))
        stored = {path: size for sizes in days for path, size in sizes.items()}
    finally:
        pool.shutdown(cancel_futures=True)  # after a failure or a signal, no further request is sent
    inventory = Inventory(hours, found, by_folder(stored))
    if not look_around:
        return inventory
    return replace(
        inventory,
        earlier=_newest_with_events(store, [hour for hour in hours if hour < span.start]),
        later=_newest_with_events(store, [hour for hour in hours if hour >= span.end]),
    )


def recorded_format(store: Store) -> str:
    """Return the format in the marker, or that of the newest hour with events; empty for a new destination."""
    place = read_place(store)
    format_ = place.format if place else format_of_hours(store, landed_hours(store))
    return with_arrays(format_, store.destination) if format_ else ""


def format_of_hours(store: Store, hours: Sequence[datetime]) -> str:
    """Return the format of the newest hour with events in a destination without marker; empty without such an hour.

    A sparse project can have more open and empty hours in a row than `take_inventory` looks at, so all are read.
    """
    newest = _newest_with_events(store, hours, most=len(hours))
    return newest.format if newest else ""


def read_manifest(store: Store, hour: datetime) -> Manifest | None:
    """Return an hour's manifest, or None without one. Raise an InvalidManifestError if it is not valid."""
    path = manifest_path(hour)
    content = store.get(path)
    if content is None or not content.body:  # a power failure can leave an empty file
        return None
    return manifest_from_bytes(path, content.body)


def ledger_of(inventory: Inventory, place: Place | None, *, conclusive_after_hours: int) -> Ledger:
    """Return the ledger that corresponds to the manifests and the marker.

    Hours with missing or truncated objects count as never read, without members, so that they are landed again.
    """
    ledger = Ledger()
    empty: list[HourWindow] = []
    found_open: list[Manifest] = []
    for hour, manifest in sorted(inventory.manifests.items()):
        if shortfall(manifest, inventory.sizes(hour)):
            continue
        if manifest.state is HourState.DONE:
            members = {each.member: each.content for each in manifest.objects}
            ledger.mark_done(hour, members, asked_at=manifest.asked_at)
        elif manifest.state is HourState.OPEN:
            found_open.append(manifest)
        elif manifest.state is HourState.EMPTY:
            empty.append(manifest.window)
    _mark_open(ledger, found_open, conclusive_after_hours)
    ledger.settle(HourSet.of(empty))
    if inventory.later is not None:
        ledger.mark_done(inventory.later.window.start, {}, asked_at=inventory.later.asked_at)
    if project := next((each.project for each in (place, *inventory.known) if each and each.project), None):
        ledger.note_project(project)
    return ledger


def _mark_open(ledger: Ledger, manifests: list[Manifest], after_hours: int) -> None:
    """Mark hours without files in two calls, because a call is slow if there are many windows.

    All conclusive hours get the latest of their request times, all others the earliest.
    """
    conclusive = [each for each in manifests if each.asked_at >= conclusive_at(each.window.start, after_hours)]
    inconclusive = [each for each in manifests if each.asked_at < conclusive_at(each.window.start, after_hours)]
    for alike, one_of in ((conclusive, max), (inconclusive, min)):
        if alike:
            hours, asked_at = HourSet.of(each.window for each in alike), one_of(each.asked_at for each in alike)
            ledger.mark_empty_response(hours, asked_at=asked_at, conclusive_after_hours=after_hours)


def require_fitting(inventory: Inventory, place: Place | None, format_: str, destination: object) -> None:
    """Raise an error if the store contains hours in another format than ``format_``, or of several projects.

    Args:
        place: The marker; its project counts as that of an hour.
    """
    formats = {manifest.format for manifest in inventory.known if manifest.format} - {format_}
    if formats:
        raise OtherFormatError(
            f"{destination} already contains {min(formats)} files.",
            next_step=f"Use --format {min(formats)}, or another folder.",
        )
    projects = sorted({each.project for each in (place, *inventory.known) if each and each.project})
    if len(projects) > 1:
        raise OtherProjectError(
            f"{destination} contains hours of projects {projects[0]} and {projects[1]}.",
            next_step="Use one folder per project.",
        )


def days_of(span: HourWindow) -> Iterator[datetime]:
    day = span.start.replace(hour=0)
    while day < span.end:
        yield day
        day += DAY


def _newest_with_events(store: Store, hours: Sequence[datetime], most: int = _HOURS_TO_LOOK_AT) -> Manifest | None:
    for hour in islice(reversed(hours), most):
        manifest = read_manifest(store, hour)
        if manifest is not None and manifest.state is HourState.DONE:
            return manifest
    return None
