"""Saved charts, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from unit_tests.airbyte.streams.rest_host import Failure, days

if TYPE_CHECKING:
    from unit_tests.airbyte.streams.rest_host import Project

PATH = "/us/api/3/chart/{}/csv"


def chart(**changes: object) -> dict[str, Any]:
    known = {"name": "N", "description": "D", "metric": "Uniques", "event": "E", "segments": ["All"], "days": 2}
    return {**known, **changes}


def have(project: Project, *charts: dict[str, Any]) -> None:
    project.content.catalog = replace(project.content.catalog, charts=charts)


def test_each_segment_is_a_row_with_all_days_of_the_chart(project: Project) -> None:
    have(project, chart(id="abc12def", segments=["All Users", "Denmark, Sweden"], days=3))

    read = project.sync("chart_results", chart_ids=["abc12def"]).records["chart_results"]

    columns = ["Segment", *days("2026-03-02", "2026-03-04")]
    assert [(row["chart_id"], row["row"], row["title"]) for row in read] == [("abc12def", 1, "N"), ("abc12def", 2, "N")]
    assert [list(row["values"]) for row in read] == [columns, columns]
    assert [row["values"]["Segment"] for row in read] == ["All Users", "Denmark, Sweden"]
    assert {type(value) for row in read for name, value in row["values"].items() if name != "Segment"} == {int}


def test_only_the_configured_charts_are_requested_in_order(project: Project) -> None:
    have(project, chart(id="a"), chart(id="b"), chart(id="c d?"))

    read = project.sync("chart_results", chart_ids=["c d?", "a", "a"])

    assert [row["chart_id"] for row in read.records["chart_results"]] == ["c d?", "a"]
    assert [request.path for request in project.asked("/chart/")] == [PATH.format("c d?"), PATH.format("a")]


def test_a_missing_chart_is_reported_by_its_id(project: Project) -> None:
    have(project, chart(id="there"))

    read = project.sync("chart_results", "cohorts", chart_ids=["deleted", "there"])

    assert [row["chart_id"] for row in read.records["chart_results"]] == ["there"]
    assert read.statuses == {"chart_results": "INCOMPLETE", "cohorts": "COMPLETE"}
    assert read.failures["chart_results"] == Failure(
        "NotFoundError",
        "config_error",
        "chart_ids has charts that the project does not have: Amplitude did not find chart deleted (HTTP 404: Chart "
        "deleted was not found). If a setting contains its id, correct or remove the id; else deselect the stream. The "
        "other streams are not affected.",
    )


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": ["a"]}, [], {"data": "no header here"}, {"data": ""}])
def test_a_response_of_an_unknown_shape_is_an_error(project: Project, body: object) -> None:
    project.emulator.faults.add("json", path="/chart/", body=body)

    read = project.sync("chart_results", chart_ids=["abc12def"])

    assert read.failures["chart_results"].error == "UnknownShapeError"
    assert read.records == {}


def test_without_charts_the_stream_completes_without_requests(project: Project) -> None:
    read = project.sync("chart_results")

    assert read.statuses == {"chart_results": "COMPLETE"}
    assert read.lines("INFO", "chart_results") == ["chart_results: chart_ids is empty, so there is nothing to read."]
    assert (read.records, project.emulator.requests) == ({}, [])
