"""The invented numbers of dashboards, derived from the seed, the project, the day and a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amplitude_emulator.derived_ids import derive_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from amplitude_emulator.rest.content import ProjectContent

NONE = "(none)"  # the name of a missing value, reference 3.4
PROPERTY_VALUES: Mapping[str, tuple[str, ...]] = {
    "version": ("3.4.9", "3.5.0", NONE),
    "country": ("United States", "Denmark", "Japan", NONE),
    "city": ("Aarhus", "Austin", NONE),
    "region": ("Central Jutland", "Texas", NONE),
    "DMA": (NONE, "Austin, TX"),
    "language": ("English", "Danish", "Japanese"),
    "platform": ("Web", "iOS", "Android"),
    "os": ("Chrome", "ios", "android"),
    "device": ("Mac", "Apple iPhone", NONE),
    "device_type": ("Mac", "Apple iPhone", NONE),
    "start_version": (NONE, "3.4.9"),
    "paying": (NONE, "true"),
    "gp:plan": (NONE, "premium", "pro"),
}


@dataclass(frozen=True)
class Numbers:
    """The numbers of one response. Days without activity have zeros."""

    seed: int
    project_id: int
    first_day: date
    today: date
    late_activity: Mapping[str, int]

    def has_activity(self, day: date) -> bool:
        """Whether a day has activity. That future days have zeros is inferred."""
        return self.first_day <= day <= self.today

    def count(self, day: date, *label: object, lowest: int, highest: int) -> int:
        """Return a number for a day and a label, between two limits, plus the day's late activity."""
        if not self.has_activity(day):
            return 0
        drawn = derive_number(highest - lowest + 1, self.seed, self.project_id, day.isoformat(), *label)
        return lowest + drawn + self.late_activity.get(day.isoformat(), 0)

    def total(self, days: Iterable[date], *label: object, lowest: int, highest: int) -> int:
        """Return the sum over days. Real numbers of distinct users would be lower."""
        return sum(self.count(day, *label, lowest=lowest, highest=highest) for day in days)


def numbers_of(content: ProjectContent) -> Numbers:
    """Return the numbers of a project by its current settings."""
    settings = content.settings
    return Numbers(
        content.seed, content.project.project_id, settings.first_day, content.today(), settings.late_activity
    )


def values_of(name: str) -> tuple[str, ...]:
    """Return the values of a property; unknown custom properties have no values."""
    return PROPERTY_VALUES.get(name, (NONE,))
