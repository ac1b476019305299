"""Cohort downloads: request, status, file (reference 2.3 to 2.5)."""

from __future__ import annotations

import csv
import gzip
import io
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amplitude_emulator.derived_ids import derive_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amplitude_emulator.clock import EmulatorClock
    from amplitude_emulator.rest.cohorts import Cohort, CohortMember
    from amplitude_emulator.rest.settings import PropertyPrefix

LINK_LIFE_SECONDS = 7 * 24 * 3_600.0  # documented, reference 2.5
PARALLEL_SECONDS = 60.0
# From a client's test (reference 2.5).
ID_COLUMNS = ("amplitude_id", "user_id")


@dataclass
class CohortDownload:
    """One download, with the cohort's members at the time of the request.

    Attributes:
        property_names: The names of the property columns, without a prefix.
        begun_at: The start, in elapsed seconds of the clock.
        pending_polls: How many more polls report it as in progress.
    """

    request_id: str
    cohort_id: str
    members: tuple[CohortMember, ...]
    property_names: tuple[str, ...]
    begun_at: float
    pending_polls: int

    @property
    def is_complete(self) -> bool:
        """Whether the file is available."""
        return self.pending_polls <= 0


class CohortDownloads:
    """A project's downloads. Thread-safe."""

    def __init__(self, clock: EmulatorClock, seed: int, project_id: int) -> None:
        self._clock = clock
        self._origin = (seed, project_id)
        self._lock = threading.Lock()
        self._by_id: dict[str, CohortDownload] = {}

    def begin(self, cohort: Cohort, property_names: Sequence[str], pending_polls: int) -> CohortDownload:
        """Start a download and return it."""
        with self._lock:
            request_id = derive_text("download", *self._origin, len(self._by_id))[:12]
            now = self._clock.elapsed_seconds()
            names = tuple(property_names)
            download = CohortDownload(request_id, cohort.cohort_id, cohort.members, names, now, pending_polls)
            self._by_id[request_id] = download
            return download

    def get(self, request_id: str) -> CohortDownload:
        """Return a download. Raise KeyError if it is unknown or older than seven days."""
        with self._lock:
            download = self._by_id[request_id]
            if self._clock.elapsed_seconds() - download.begun_at > LINK_LIFE_SECONDS:
                raise KeyError(request_id)
            return download

    def poll(self, request_id: str) -> tuple[CohortDownload, bool]:
        """Return a download, and whether it was complete before this poll."""
        download = self.get(request_id)
        with self._lock:
            was_completed = download.is_complete
            download.pending_polls -= 1
        return download, was_completed

    def unfinished(self) -> int:
        """Return the number of downloads of the last minute that are still in progress."""
        with self._lock:
            since = self._clock.elapsed_seconds() - PARALLEL_SECONDS
            return sum(not item.is_complete and item.begun_at > since for item in self._by_id.values())

    def clear(self) -> None:
        """Remove all downloads."""
        with self._lock:
            self._by_id.clear()


def property_names_of(members: Sequence[CohortMember]) -> list[str]:
    """Return the sorted names of all properties of the members."""
    return sorted({name for member in members for name in member.properties})


def write_csv(download: CohortDownload, prefix: PropertyPrefix) -> bytes:
    """Return the file: UTF-8 CSV with a header. Nested values are JSON; Amplitude's form is not known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = download.property_names
    writer.writerow([*ID_COLUMNS, *(prefix + name for name in names)])
    for member in download.members:
        values = (member.properties.get(name) for name in names)
        writer.writerow([member.amplitude_id, member.user_id, *map(_cell, values)])
    return text.getvalue().encode()


def pack(data: bytes) -> bytes:
    """Return gzip-compressed data; equal data give equal bytes."""
    return gzip.compress(data, mtime=0)


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | dict) else value
