"""What a store holds of a span of hours, and the ledger that follows from it.

A few requests a day: one for the names of all manifests, one for each manifest of the span, one for the sizes of each
day's objects. The ledger is made of these alone, so that nothing but the store has to be kept between two runs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from source_amplitude.errors import OtherFormatError, OtherProjectError
from source_amplitude.landing.coverage import shortfall
from source_amplitude.landing.layout import (
    MANIFEST_FOLDER,
    by_folder,
    day_folder,
    hour_folder,
    hour_of_manifest,
    manifest_path,
)
from source_amplitude.landing.manifest import HourState, Manifest, manifest_from_bytes
from source_amplitude.ledger import Ledger, conclusive_at
from source_amplitude.windows import DAY, HourSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from source_amplitude.landing.store import Store
    from source_amplitude.windows import HourWindow

_REQUESTS_AT_ONCE = 16
_HOURS_TO_LOOK_AT = 48


@dataclass(frozen=True)
class Inventory:
    """What a store holds.

    Attributes:
        hours: Every hour that has a manifest, in order, of the span or not.
        manifests: Those of the span, by the start of their hour.
        folders: Sizes of the objects of the span's days, by folder and name.
        earlier: The newest hour before the span that has events, if it was looked for and found.
        later: The newest hour after the span that has events, if it was looked for and found.
    """

    hours: tuple[datetime, ...]
    manifests: Mapping[datetime, Manifest]
    folders: Mapping[str, Mapping[str, int]]
    earlier: Manifest | None = None
    later: Manifest | None = None

    @property
    def known(self) -> tuple[Manifest, ...]:
        """Every manifest that was read."""
        return (*self.manifests.values(), *filter(None, (self.earlier, self.later)))

    def sizes(self, hour: datetime) -> Mapping[str, int]:
        return self.folders.get(hour_folder(hour), {})


def landed_hours(store: Store) -> tuple[datetime, ...]:
    """Return every hour that has a manifest, in order."""
    return tuple(sorted(filter(None, map(hour_of_manifest, store.sizes(MANIFEST_FOLDER)))))


def take_inventory(store: Store, span: HourWindow, hours: tuple[datetime, ...], *, look_around: bool) -> Inventory:
    """Return what ``store`` holds of ``span``.

    Args:
        hours: From `landed_hours`.
        look_around: Whether to look for hours with events before and after the span: they say in which form and of
            which project hours are there, and a later one makes open hours empty ones.
    """
    wanted = [hour for hour in hours if span.start <= hour < span.end]
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE, thread_name_prefix="inventory") as pool:
        manifests = pool.map(lambda hour: read_manifest(store, hour), wanted)
        found = {hour: manifest for hour, manifest in zip(wanted, manifests, strict=True) if manifest is not None}
        # Only now: objects that another run adds meanwhile are there before a manifest names them.
        days = pool.map(lambda day: store.sizes(day_folder(day)), days_of(span))
        stored = {path: size for sizes in days for path, size in sizes.items()}
    inventory = Inventory(hours, found, by_folder(stored))
    if not look_around:
        return inventory
    return replace(
        inventory,
        earlier=_newest_with_events(store, [hour for hour in hours if hour < span.start]),
        later=_newest_with_events(store, [hour for hour in hours if hour >= span.end]),
    )


def read_manifest(store: Store, hour: datetime) -> Manifest | None:
    """Return an hour's manifest, or None where it has none; raise an InvalidManifestError if it cannot be read."""
    path = manifest_path(hour)
    content = store.get(path)
    if content is None or not content.body:  # a machine that loses power may leave an empty file in a folder
        return None
    return manifest_from_bytes(path, content.body)


def ledger_of(inventory: Inventory, *, export_delay_hours: int) -> Ledger:
    """Return what the manifests say in the terms of a sync's state.

    Hours whose objects are not all there count as never read; what is known of their members is left out, so that
    these are landed again.
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
    _note_open(ledger, found_open, export_delay_hours)
    ledger.settle(HourSet.of(empty))
    if inventory.later is not None:
        ledger.mark_done(inventory.later.window.start, {}, asked_at=inventory.later.asked_at)
    if project := next((each.project for each in inventory.known if each.project), None):
        ledger.note_project(project)
    return ledger


def _note_open(ledger: Ledger, manifests: list[Manifest], export_delay_hours: int) -> None:
    """Record hours without files in two calls, since each takes longer the more windows there are.

    Of the ripe ones the latest time that they were asked for stands for all, of the others the earliest.
    """
    ripe = [each for each in manifests if each.asked_at >= conclusive_at(each.window.start, export_delay_hours)]
    unripe = [each for each in manifests if each.asked_at < conclusive_at(each.window.start, export_delay_hours)]
    for alike, one_of in ((ripe, max), (unripe, min)):
        if alike:
            hours, asked_at = HourSet.of(each.window for each in alike), one_of(each.asked_at for each in alike)
            ledger.mark_empty_response(hours, asked_at=asked_at, export_delay_hours=export_delay_hours)


def require_fitting(inventory: Inventory, format_: str, destination: object) -> None:
    """Raise an error if the store holds hours in another form than ``format_``, or hours of several projects."""
    formats = {manifest.format for manifest in inventory.known if manifest.format} - {format_}
    if formats:
        raise OtherFormatError(f"{destination} holds hours landed as {min(formats)}, and {format_} was asked for.")
    projects = sorted({manifest.project for manifest in inventory.known if manifest.project})
    if len(projects) > 1:
        raise OtherProjectError(
            f"{destination} holds hours of the projects {projects[0]} and {projects[1]}.",
            next_step="Use one prefix for each project.",
        )


def days_of(span: HourWindow) -> Iterator[datetime]:
    day = span.start.replace(hour=0)
    while day < span.end:
        yield day
        day += DAY


def _newest_with_events(store: Store, hours: list[datetime]) -> Manifest | None:
    for hour in reversed(hours[-_HOURS_TO_LOOK_AT:]):
        manifest = read_manifest(store, hour)
        if manifest is not None and manifest.state is HourState.DONE:
            return manifest
    return None
