"""All streams but events, in the order in which they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.airbyte.streams.chart_results import ChartResults
from source_amplitude.airbyte.streams.cohort_members import CohortMembers
from source_amplitude.airbyte.streams.dashboards import DASHBOARDS, DashboardStream
from source_amplitude.airbyte.streams.deletion_jobs import DeletionJobs
from source_amplitude.airbyte.streams.lists import (
    LISTS,
    TAXONOMY_LISTS,
    EventPropertiesStream,
    ListStream,
    TaxonomyStream,
)

if TYPE_CHECKING:
    from source_amplitude.airbyte.streams.rest_stream import RestContext, RestStream


def rest_streams(context: RestContext) -> list[RestStream]:
    """Return every stream that is read from Amplitude's REST APIs."""
    return [
        *(ListStream(context, each) for each in LISTS),
        CohortMembers(context),
        *(DashboardStream(context, each) for each in DASHBOARDS),
        ChartResults(context),
        *(TaxonomyStream(context, each) for each in TAXONOMY_LISTS),
        EventPropertiesStream(context),
        DeletionJobs(context),
    ]
