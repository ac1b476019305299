"""A project with all its data."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amplitude_emulator.event_intake import EventIntake
    from amplitude_emulator.project import Project, Region
    from amplitude_emulator.rest.content import ProjectContent
    from amplitude_emulator.store import HourStore


@dataclass(frozen=True)
class Workspace:
    """One project, its stored hours, its users from ingestion, and the content of its other APIs."""

    project: Project
    store: HourStore
    intake: EventIntake
    content: ProjectContent


class Workspaces:
    """All projects of an emulator. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[int, Workspace] = {}

    def add(self, workspace: Workspace) -> None:
        """Add a project. Raise ValueError if its id is in use."""
        with self._lock:
            project_id = workspace.project.project_id
            if project_id in self._by_id:
                raise ValueError(f"Project {project_id} already exists.")
            self._by_id[project_id] = workspace

    def all(self) -> list[Workspace]:
        """Return all projects in the order they were added."""
        with self._lock:
            return list(self._by_id.values())

    def get(self, project_id: int) -> Workspace:
        """Return a project by its id. Raise KeyError if it is unknown."""
        with self._lock:
            return self._by_id[project_id]

    def with_api_key(self, api_key: str, region: Region) -> Workspace | None:
        """Return the project of an API key, or None; a key is valid in its own region only (reference 0.1)."""
        for workspace in self.all():
            if workspace.project.api_key == api_key and workspace.project.region == region:
                return workspace
        return None
