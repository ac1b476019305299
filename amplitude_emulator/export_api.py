"""``GET /api/2/export``: the Export API (reference section 1)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from amplitude_emulator.archive_writer import write_archive
from amplitude_emulator.basic_auth import authorised_workspace
from amplitude_emulator.delivery import ArchiveResponse
from amplitude_emulator.errors import (
    FILE_SIZE_TOO_LARGE,
    NOTHING_FOUND,
    RequestRefusedError,
    envelope_response,
    refusal_response,
)
from amplitude_emulator.generated_archives import open_generated_archive
from amplitude_emulator.hours import ExportWindow, parse_hour
from amplitude_emulator.repeated_members import Repetition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from aiohttp import web

    from amplitude_emulator.archive_writer import ArchiveCache
    from amplitude_emulator.clock import EmulatorClock
    from amplitude_emulator.hours import MemberName
    from amplitude_emulator.project import Region
    from amplitude_emulator.store import HourStore, Member
    from amplitude_emulator.workspace import Workspaces

MAX_SPAN_DAYS = 365  # documented, reference 1.3
# Documented as "4 GB" without details; that it means the size of the archive is inferred (9).
DEFAULT_ARCHIVE_LIMIT_BYTES = 4_000_000_000
# Hour H is expected to be complete at H+3h (reference 1.2).
DEFAULT_PUBLISH_DELAY_HOURS = 3.0


@dataclass(frozen=True)
class ExportOptions:
    """Options of exports: publishing delay, size limit, form of the zip."""

    publish_delay_hours: float = DEFAULT_PUBLISH_DELAY_HOURS
    archive_limit_bytes: int = DEFAULT_ARCHIVE_LIMIT_BYTES
    deflated: bool = False
    directory_entry: bool = False


class ExportApi:
    """Responds to export requests. ``options`` may be replaced at any time, from any thread."""

    def __init__(
        self, workspaces: Workspaces, clock: EmulatorClock, archives: ArchiveCache, options: ExportOptions
    ) -> None:
        self.options = options
        self._workspaces = workspaces
        self._clock = clock
        self._archives = archives

    async def export(self, request: web.Request, region: Region) -> web.StreamResponse:
        """Respond to one request; check keys, parameters, hours and size in this order."""
        try:
            workspace = authorised_workspace(self._workspaces, request.headers.get("Authorization", ""), region)
        except RequestRefusedError as refusal:
            return refusal_response(request.path, refusal)
        try:
            window = parse_window(request.query)
        except ValueError as error:
            return envelope_response(400, str(error))
        # In a thread, since compressing members and writing a large archive would block other responses.
        return await asyncio.to_thread(self._export_window, workspace.store, window)

    def _export_window(self, store: HourStore, window: ExportWindow) -> web.StreamResponse:
        members = self._published_members(store, window)
        if not members:
            return envelope_response(404, NOTHING_FOUND)
        options = self.options
        if sum(member.size_bytes for member in members) > options.archive_limit_bytes:
            return envelope_response(400, FILE_SIZE_TOO_LARGE)
        if any(store.repeated(member.name) for member in members):
            parts = _parts(store, members)
            return ArchiveResponse(open_generated_archive(parts, directory_entry=options.directory_entry))

        def write(path: Path) -> None:
            contents = _contents(store, members)
            write_archive(path, contents, deflated=options.deflated, directory_entry=options.directory_entry)

        states = tuple((str(member.name), member.revision) for member in members)
        key = (states, options.deflated, options.directory_entry)
        return ArchiveResponse(self._archives.open(key, write))

    def _published_members(self, store: HourStore, window: ExportWindow) -> list[Member]:
        """Return the members of the window's published hours.

        Unpublished hours are omitted without an error (reference 1.2, inferred).
        """
        now = self._clock.now()
        delay = timedelta(hours=self.options.publish_delay_hours)
        members = store.members(window.first, window.end)
        hours = {member.name.hour for member in members}
        published = {hour for hour in hours if store.published_from(hour, delay) <= now}
        return [member for member in members if member.name.hour in published]


def parse_window(query: Mapping[str, str]) -> ExportWindow:
    """Parse ``start`` and ``end``.

    Raises:
        ValueError: A parameter is missing or malformed, or the range is invalid. Amplitude's texts, and
            whether it checks the order, are not documented (reference 9); these are inferred.
    """
    for name in ("start", "end"):
        if name not in query:
            raise ValueError(f"Missing required parameter {name}")
    try:
        window = ExportWindow(parse_hour(query["start"]), parse_hour(query["end"]))
    except ValueError:
        raise ValueError("Invalid start or end: expected the format YYYYMMDDTHH") from None
    if window.first > window.last:
        raise ValueError("Invalid time range: start is after end")
    if window.end - window.first > timedelta(days=MAX_SPAN_DAYS):
        raise ValueError(f"Invalid time range: more than {MAX_SPAN_DAYS} days")
    return window


def _contents(store: HourStore, members: list[Member]) -> Iterator[tuple[MemberName, bytes]]:
    for member in members:
        data = store.read(member.name)
        if data is not None:  # None: removed after the list was built
            yield member.name, data


def _parts(store: HourStore, members: list[Member]) -> Iterator[tuple[MemberName, Repetition]]:
    for member in members:
        repeated = store.repeated(member.name)
        if repeated is not None:
            yield member.name, repeated.packed
        elif (data := store.read(member.name)) is not None:  # as above
            yield member.name, Repetition(data)
