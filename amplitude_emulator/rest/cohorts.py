"""The cohorts of one project: definitions, members, computations (reference 2.1)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amplitude_emulator.clock import EmulatorClock

DEFINITION: Mapping[str, object] = {
    "version": 3,
    "countGroup": {"name": "User", "is_computed": False},
    "cohortType": "UNIQUES",
    "andClauses": [],
    "orClauses": [],
    "referenceFrameTimeParams": {},
}


@dataclass(frozen=True)
class CohortMember:
    """One user; anonymous users have no user id. Property names have no ``gp:`` prefix."""

    amplitude_id: int
    user_id: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Cohort:
    """The current state of one cohort.

    Attributes:
        cohort_id: 7 or 8 lower-case letters and digits.
        name: The display name; not unique.
        members: The members by the last computation; empty before the first one.
        last_mod: When the definition was last changed.
        created_at: When the cohort was created; None for old cohorts.
        last_computed: When the members were last computed; None before the first time, and ``size`` is null then.
        is_published: Whether the cohort is listed.
        syncs: The ``syncMetadata``, included on request.
        overrides: Keys that replace or extend those of the list's item.
    """

    cohort_id: str
    name: str
    members: tuple[CohortMember, ...] = ()
    last_mod: datetime = datetime(2026, 1, 12, 9, 30, tzinfo=timezone.utc)
    created_at: datetime | None = datetime(2026, 1, 12, 9, tzinfo=timezone.utc)
    last_computed: datetime | None = datetime(2026, 3, 1, 6, tzinfo=timezone.utc)
    is_published: bool = True
    syncs: tuple[Mapping[str, object], ...] = ()
    overrides: Mapping[str, object] = field(default_factory=dict)

    @property
    def size(self) -> int | None:
        """The number of members; None before the first computation."""
        return None if self.last_computed is None else len(self.members)


class Cohorts:
    """A project's cohorts in the order of creation. Thread-safe."""

    def __init__(self, clock: EmulatorClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_id: dict[str, Cohort] = {}

    def all(self) -> list[Cohort]:
        """Return all cohorts, including unpublished ones."""
        with self._lock:
            return list(self._by_id.values())

    def get(self, cohort_id: str) -> Cohort:
        """Return a cohort. Raise KeyError if it is unknown."""
        with self._lock:
            return self._by_id[cohort_id]

    def put(self, cohort: Cohort) -> Cohort:
        """Add a cohort, or replace the cohort with the same id."""
        with self._lock:
            self._by_id[cohort.cohort_id] = cohort
        return cohort

    def recompute(self, cohort_id: str, members: Iterable[CohortMember] | None = None) -> Cohort:
        """Set ``lastComputed`` to now, and the members if given; ``lastMod`` stays (8, 18)."""
        with self._lock:
            old = self._by_id[cohort_id]
            kept = old.members if members is None else tuple(members)
            self._by_id[cohort_id] = replace(old, members=kept, last_computed=self._clock.now())
            return self._by_id[cohort_id]

    def remove(self, cohort_id: str) -> None:
        """Remove a cohort. Raise KeyError if it is unknown."""
        with self._lock:
            del self._by_id[cohort_id]

    def replace_all(self, cohorts: Iterable[Cohort]) -> None:
        """Replace all cohorts."""
        with self._lock:
            self._by_id = {cohort.cohort_id: cohort for cohort in cohorts}


def cohort_to_json(cohort: Cohort, project_id: int, *, with_syncs: bool) -> dict[str, object]:
    """Return a cohort as an item of the list (reference 2.1)."""
    item: dict[str, object] = {
        "appId": project_id,
        "archived": False,
        "definition": DEFINITION,
        "description": None,
        "finished": cohort.last_computed is not None,
        "id": cohort.cohort_id,
        "name": cohort.name,
        "owners": ["ana@example.com"],
        "viewers": [],
        "published": cohort.is_published,
        "size": cohort.size,
        "type": "redshift",
        "lastMod": int(cohort.last_mod.timestamp()),
        "createdAt": None if cohort.created_at is None else int(cohort.created_at.timestamp()),
        "lastComputed": None if cohort.last_computed is None else int(cohort.last_computed.timestamp()),
        "hidden": False,
        "metadata": None,
        "view_count": None,
        "popularity": None,
        "last_viewed": None,
        "chart_id": None,
        "edit_id": None,
        "is_predictive": False,
        "is_official_content": False,
        "location_id": None,
        "shortcut_ids": [],
        "per_app_metadata": None,
        "cohort_definition_type": None,
        "cohort_output_type": "UNIQUES",
        "is_generated_content": False,
        **cohort.overrides,
    }
    if with_syncs:
        item["syncMetadata"] = list(cohort.syncs)
    return item
