"""Decoded answers of Amplitude's REST APIs to rows; pure. A shape nobody has described is an error, never no rows."""

from source_amplitude.rows.chart import chart_rows
from source_amplitude.rows.cohort_file import CohortFile
from source_amplitude.rows.lists import (
    annotation,
    annotation_category,
    deletions,
    items,
)
from source_amplitude.rows.matrix import by_label, one_value
from source_amplitude.rows.revenue import revenue_rows

__all__ = [
    "CohortFile",
    "annotation",
    "annotation_category",
    "by_label",
    "chart_rows",
    "deletions",
    "items",
    "one_value",
    "revenue_rows",
]
