from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from unit_tests.emulator.amplitude_client import AmplitudeClient, envelope

if TYPE_CHECKING:
    from amplitude_emulator import Emulator


@pytest.fixture
def path(emulator: Emulator) -> str:
    catalog = emulator.content.catalog
    chart = {**catalog.charts[0], "id": "abc", "days": 2}
    emulator.content.catalog = replace(catalog, charts=(chart,))
    return "/us/api/3/chart/abc"


def test_csv_has_the_recorded_form(client: AmplitudeClient, path: str) -> None:
    body = client.get(f"{path}/csv").tree
    text = body.pop("data")

    assert body == {}
    assert text.startswith('"\tBuyers by country"\r\n"\tMade by the emulator"\r\n\r\n"\tUniques"\r\n')
    assert '\r\n\r\n"\tSegment","\t2026-03-03","\t2026-03-04"\r\n"\tAll Users","' in text
    assert [row[0] for row in list(csv.reader(text.splitlines()))[-2:]] == ["\tAll Users", "\tDenmark, Sweden"]


def test_query_has_the_numbers_of_the_csv(client: AmplitudeClient, path: str) -> None:
    text = client.get(f"{path}/csv").tree["data"]
    body = client.get(f"{path}/query").tree
    rows = [[int(cell) for cell in row[1:]] for row in list(csv.reader(text.splitlines()))[-2:]]

    assert body["data"] == {
        "series": [[{"setId": "", "value": value} for value in row] for row in rows],
        "seriesLabels": ["All Users", "Denmark, Sweden"],
        "seriesCollapsed": [[{"setId": "", "value": sum(row)}] for row in rows],
        "xValues": ["2026-03-03", "2026-03-04"],
    }
    assert body["wasCached"] is False


@pytest.mark.parametrize("kind", ["csv", "query"])
def test_unknown_chart_is_404(client: AmplitudeClient, kind: str) -> None:
    response = client.get(f"/us/api/3/chart/nothing/{kind}")

    assert (response.status, response.json) == (404, envelope(404, "Chart nothing was not found"))


def test_sample_has_a_chart(emulator: Emulator, client: AmplitudeClient) -> None:
    chart_id = emulator.content.catalog.charts[0]["id"]

    assert client.get(f"/us/api/3/chart/{chart_id}/csv").status == 200
