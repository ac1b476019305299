"""A local Amplitude for tests, demos and benchmarks; see README.md."""

from amplitude_emulator.export_api import ExportOptions
from amplitude_emulator.project import Project
from amplitude_emulator.request_log import RequestSeen
from amplitude_emulator.rest.catalog import Catalog
from amplitude_emulator.rest.cohorts import Cohort, CohortMember
from amplitude_emulator.rest.settings import ProjectSettings
from amplitude_emulator.sample_data import generate_hours
from amplitude_emulator.server import Emulator
from amplitude_emulator.store import HourStore, Member

__all__ = [
    "Catalog",
    "Cohort",
    "CohortMember",
    "Emulator",
    "ExportOptions",
    "HourStore",
    "Member",
    "Project",
    "ProjectSettings",
    "RequestSeen",
    "generate_hours",
]
