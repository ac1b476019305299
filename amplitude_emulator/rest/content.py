"""The content of a project except its events."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from amplitude_emulator.rest.cohort_downloads import CohortDownloads
from amplitude_emulator.rest.cohorts import Cohorts
from amplitude_emulator.rest.request_costs import RequestCosts
from amplitude_emulator.rest.sample_catalog import make_sample_catalog, make_sample_cohorts
from amplitude_emulator.rest.settings import ProjectSettings

if TYPE_CHECKING:
    from datetime import date

    from amplitude_emulator.clock import EmulatorClock
    from amplitude_emulator.project import Project


class ProjectContent:
    """Lists, cohorts, settings and budgets of one project; initially sample content.

    Replace the values of ``settings`` and ``catalog`` to change them (`dataclasses.replace`), from any thread.
    """

    def __init__(self, project: Project, clock: EmulatorClock, seed: int) -> None:
        self.project = project
        self.seed = seed
        self.cohorts = Cohorts(clock)
        self.downloads = CohortDownloads(clock, seed, project.project_id)
        self.costs = RequestCosts(clock)
        self._clock = clock
        self._fill()

    def today(self) -> date:
        """Return today's date in the project's time zone."""
        return self._clock.now().astimezone(ZoneInfo(self.settings.time_zone)).date()

    def reset(self) -> None:
        """Return to the sample content and full budgets."""
        self.downloads.clear()
        self.costs.clear()
        self._fill()

    def _fill(self) -> None:
        project_id = self.project.project_id
        self.settings = ProjectSettings()
        self.catalog = make_sample_catalog(self.seed, project_id)
        self.cohorts.replace_all(make_sample_cohorts(self.seed, project_id))
