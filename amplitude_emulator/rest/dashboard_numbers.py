"""The made-up numbers of dashboards: they follow from the seed, the project, the day and a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amplitude_emulator.derived_ids import derive_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from amplitude_emulator.rest.content import ProjectContent

NONE = "(none)"  # how a missing value is called, reference 3.4
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
    """The source of numbers for one answer. Days outside the project's life count nothing."""

    seed: int
    project_id: int
    first_day: date
    today: date
    late_activity: Mapping[str, int]

    def has_activity(self, day: date) -> bool:
        """Whether anything happened on a day. That days to come are answered with zeros is inferred."""
        return self.first_day <= day <= self.today

    def count(self, day: date, *label: object, lowest: int, highest: int) -> int:
        """Return a number for a day and a label, between two limits, plus what came in late."""
        if not self.has_activity(day):
            return 0
        drawn = derive_number(highest - lowest + 1, self.seed, self.project_id, day.isoformat(), *label)
        return lowest + drawn + self.late_activity.get(day.isoformat(), 0)

    def total(self, days: Iterable[date], *label: object, lowest: int, highest: int) -> int:
        """Return the sum over some days; real numbers of distinct users add up to less."""
        return sum(self.count(day, *label, lowest=lowest, highest=highest) for day in days)


def numbers_of(content: ProjectContent) -> Numbers:
    """Return the numbers of a project as it is now."""
    settings = content.settings
    return Numbers(
        content.seed, content.project.project_id, settings.first_day, content.today(), settings.late_activity
    )


def values_of(name: str) -> tuple[str, ...]:
    """Return the values of a property; custom ones that nobody sent have none."""
    return PROPERTY_VALUES.get(name, (NONE,))
