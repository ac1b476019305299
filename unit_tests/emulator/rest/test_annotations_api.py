from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from unit_tests.emulator.amplitude_client import AmplitudeClient, envelope

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from amplitude_emulator.rest.settings import AnnotationVersion


def data(client: AmplitudeClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/us/api/{path}").tree["data"]
    return found


def test_v3_names_the_category_as_observed(emulator: Emulator, client: AmplitudeClient) -> None:
    sample = emulator.content.catalog.annotations
    categories = [{"id": 1247, "category": "Marketing"}, *[{"id": 1, "category": "Uncategorized"}] * 2]

    assert data(client, "3/annotations") == [
        {
            "id": annotation["id"],
            "start": annotation["start"],
            "label": annotation["label"],
            "details": annotation["details"],
            "end": annotation["end"],
            "chart_id": annotation["chart_id"],
            "category": category,
        }
        for annotation, category in zip(sample, categories, strict=True)
    ]


def test_v3_can_name_the_category_as_documented(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, annotation_category_key="name")

    assert data(client, "3/annotations")[0]["category"] == {"id": 1247, "name": "Marketing"}
    assert data(client, "3/annotation-categories")[0] == {"id": 1, "name": "Uncategorized"}


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("category=Marketing", ["Summer campaign"]),
        ("start=2026-02-20T12:00:00%2B00:00", ["検索 moved"]),
        ("start=2026-02-20T12:30:00%2B01:00", ["Release 3.5", "検索 moved"]),
        ("end=2026-02-10T00:00:00Z", []),
        ("end=2026-02-21T00:00:00Z", ["Summer campaign", "Release 3.5"]),
        ("start=2026-02-10T00:00:00Z&end=2026-02-21T00:00:00Z&category=Uncategorized", ["Release 3.5"]),
        ("chart_id=nothing", []),
    ],
)
def test_v3_can_be_filtered(client: AmplitudeClient, query: str, labels: list[str]) -> None:
    assert [item["label"] for item in data(client, f"3/annotations?{query}")] == labels


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("category=a&chart_id=b", "category and chart_id do not combine"),
        ("start=2026-02-20T12:00:00+01:00", "Invalid start: 2026-02-20T12:00:00 01:00"),
    ],
)
def test_v3_refuses_invalid_filters(client: AmplitudeClient, query: str, details: str) -> None:
    response = client.get(f"/us/api/3/annotations?{query}")

    assert (response.status, response.json) == (400, envelope(400, details, error_type="invalid"))


def test_categories_are_listed_as_recorded(client: AmplitudeClient) -> None:
    assert data(client, "3/annotation-categories") == [
        {"id": 1, "category": "Uncategorized"},
        {"id": 1247, "category": "Marketing"},
    ]
    assert data(client, "3/annotation-categories?category=Marketing") == [{"id": 1247, "category": "Marketing"}]


def test_v2_has_dates_and_no_category(emulator: Emulator, client: AmplitudeClient) -> None:
    second = emulator.content.catalog.annotations[1]
    item = {"id": second["id"], "date": "2026-02-20", "label": "Release 3.5", "details": None}

    assert data(client, "2/annotations")[1] == item
    assert data(client, f"2/annotations?id={second['id']}") == [item]


@pytest.mark.parametrize(
    ("versions", "statuses"), [((2,), [404, 404, 200]), ((3,), [200, 200, 404]), ((), [404, 404, 404])]
)
def test_each_version_can_be_missing(
    emulator: Emulator, client: AmplitudeClient, versions: tuple[AnnotationVersion, ...], statuses: list[int]
) -> None:
    emulator.content.settings = replace(emulator.content.settings, annotation_versions=versions)
    paths = ("3/annotations", "3/annotation-categories", "2/annotations")

    assert [client.get(f"/us/api/{path}").status for path in paths] == statuses
