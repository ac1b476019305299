"""Amplitude's REST APIs as tables: how to read each one. Does not import Airbyte."""

from source_amplitude.tables.chart_results import CHART_RESULTS
from source_amplitude.tables.cohort_members import COHORT_MEMBERS
from source_amplitude.tables.dashboards import DASHBOARDS
from source_amplitude.tables.deletion_jobs import DELETION_JOBS
from source_amplitude.tables.lists import LISTS, TAXONOMY
from source_amplitude.tables.table import Table

__all__ = ["TABLES", "Table"]

TABLES: tuple[Table, ...] = (*LISTS, COHORT_MEMBERS, *DASHBOARDS, CHART_RESULTS, *TAXONOMY, DELETION_JOBS)
"""All tables, in the order of the catalog."""
