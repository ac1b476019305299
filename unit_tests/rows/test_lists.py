from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.shapes import annotation, annotation_category, deletions, items
from unit_tests.rows.json_values import ANY_JSON

JOB = {
    "day": "2026-03-10",
    "status": "staging",
    "amplitude_ids": [
        {"amplitude_id": 1, "requested_on_day": "2026-03-01", "requester": "ana@example.com"},
        {"amplitude_id": 2, "requested_on_day": "2026-03-02", "requester": "ana@example.com"},
    ],
    "app": 100200,
    "active_scrub_done_date": None,
}


@pytest.mark.parametrize(
    ("response", "key"),
    [
        ({"data": [{"id": 1}, {}], "wasCached": True}, "data"),
        ({"cohorts": [{"id": 1}, {}]}, "cohorts"),
        ([{"id": 1}, {}], None),
    ],
)
def test_items_are_the_objects_of_the_array(response: object, key: str | None) -> None:
    assert items(response, key) == [{"id": 1}, {}]


@pytest.mark.parametrize(("response", "key"), [({"data": []}, "data"), ([], None)])
def test_an_empty_array_has_no_items(response: object, key: str | None) -> None:
    assert items(response, key) == []


@pytest.mark.parametrize(
    ("response", "key"),
    [
        (None, "data"),
        ([{"id": 1}], "data"),
        ({}, "data"),
        ({"data": None}, "data"),
        ({"data": {"id": 1}}, "data"),
        ({"data": [{"id": 1}, None]}, "data"),
        ({"data": [[{"id": 1}]]}, "data"),
        ({"success": False, "errors": [{"message": "Not found"}]}, "data"),
        ({"data": [{"id": 1}]}, None),
        (["events"], None),
    ],
    ids=str,
)
def test_another_list_is_an_unknown_shape(response: object, key: str | None) -> None:
    with pytest.raises(UnknownShapeError):
        items(response, key)


@given(ANY_JSON, st.sampled_from([None, "data"]))
def test_any_json_gives_items_or_an_unknown_shape(value: object, key: str | None) -> None:
    found: list[dict[str, Any]] = []
    body = value if key is None else {"data": value}
    try:
        found = [*items(body, key), *deletions(body)]
    except UnknownShapeError:
        return

    assert all(isinstance(item, dict) for item in found)


@pytest.mark.parametrize(
    ("item", "row"),
    [
        (
            {"id": 160419, "date": "2021-09-01", "label": "v2", "details": ""},
            {"id": 160419, "date": "2021-09-01", "label": "v2", "details": ""},
        ),
        (
            {
                "id": 7,
                "start": "2026-06-16T12:00:00+00:00",
                "end": None,
                "label": "v3",
                "details": None,
                "category": {"id": 1, "category": "Uncategorized"},
                "chart_id": None,
            },
            {
                "id": 7,
                "date": "2026-06-16",
                "start": "2026-06-16T12:00:00+00:00",
                "end": None,
                "label": "v3",
                "details": None,
                "category": {"id": 1, "name": "Uncategorized"},
                "chart_id": None,
            },
        ),
        (
            {"id": 8, "start": "2026-06-16T23:00:00-05:00", "category": {"id": 2, "name": "Releases"}},
            {
                "id": 8,
                "date": "2026-06-16",
                "start": "2026-06-16T23:00:00-05:00",
                "category": {"id": 2, "name": "Releases"},
            },
        ),
        ({"id": 9, "start": None, "date": "2026-06-16"}, {"id": 9, "start": None, "date": "2026-06-16"}),
        (
            {"start": "2026-06-16T23:00:00Z", "date": "2026-06-17", "category": None},
            {"start": "2026-06-16T23:00:00Z", "date": "2026-06-17", "category": None},
        ),
        ({"id": "x", "category": "Releases"}, {"id": "x", "category": "Releases"}),
        ({}, {}),
    ],
    ids=["v2", "v3 as observed", "v3 as documented", "v3 without start", "both dates", "other types", "empty"],
)
def test_annotations_of_both_versions_have_a_date_and_category(item: dict[str, Any], row: dict[str, Any]) -> None:
    before = dict(item)

    assert annotation(item) == row
    assert item == before


@pytest.mark.parametrize(
    ("item", "row"),
    [
        ({"id": 1, "name": "Releases"}, {"id": 1, "name": "Releases"}),
        ({"id": 1, "category": "Releases"}, {"id": 1, "name": "Releases"}),
        ({"id": 1, "category": "old", "name": "new"}, {"id": 1, "name": "new"}),
        ({"id": 1, "category": "Releases", "name": None}, {"id": 1, "name": "Releases"}),
        ({"id": 1, "name": None}, {"id": 1, "name": None}),
        ({"id": 1, "category": ""}, {"id": 1, "name": ""}),
        ({"name": "x", "extra": [1]}, {"name": "x", "extra": [1]}),
    ],
)
def test_the_name_of_a_category_is_always_called_name(item: dict[str, Any], row: dict[str, Any]) -> None:
    assert annotation_category(item) == row


@pytest.mark.parametrize("item", [{}, {"id": 1}, {"id": 1, "title": "Releases"}])
def test_a_category_without_a_name_is_an_unknown_shape(item: dict[str, Any]) -> None:
    with pytest.raises(UnknownShapeError):
        annotation_category(item)
    with pytest.raises(UnknownShapeError):
        annotation({"id": 1, "category": item})


def test_a_deletion_job_has_one_row_per_user() -> None:
    shared = {"day": "2026-03-10", "status": "staging", "app": 100200, "active_scrub_done_date": None}

    assert deletions([JOB, {"day": "2026-03-11", "status": "done", "amplitude_ids": []}]) == [
        {**shared, "amplitude_id": 1, "requested_on_day": "2026-03-01", "requester": "ana@example.com"},
        {**shared, "amplitude_id": 2, "requested_on_day": "2026-03-02", "requester": "ana@example.com"},
    ]


def test_without_deletion_jobs_there_are_no_rows() -> None:
    assert deletions([]) == []


@pytest.mark.parametrize(
    "response",
    [
        None,
        {},
        {"data": [JOB]},
        ["2026-03-10"],
        [{"day": "2026-03-10", "status": "done"}],
        [{**JOB, "amplitude_ids": None}],
        [{**JOB, "amplitude_ids": {"amplitude_id": 1}}],
        [JOB, {**JOB, "amplitude_ids": [1, 2]}],
    ],
    ids=str,
)
def test_another_list_of_deletions_is_an_unknown_shape(response: object) -> None:
    with pytest.raises(UnknownShapeError):
        deletions(response)
