from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from amplitude_emulator.sample_templates import EVENTS
from unit_tests.emulator.amplitude_client import AmplitudeClient, envelope

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

DAYS = "start=20260301&end=20260303"
DATES = ["2026-03-01", "2026-03-02", "2026-03-03"]
TIMES = [f"{day}T00:00:00" for day in DATES]
LTV_KEYS = [
    *("paid", "count"),
    *(f"r{day}d" for day in range(1, 181)),
    *(f"r{day}new" for day in (1, 2, 3, 4, 5, 6, 7, 14, 30, 60, 90, 120, 180)),
    "total_amount",
]


def data(client: AmplitudeClient, path: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/us/api/2/{path}").tree["data"]
    return found


def metadata_of(client: AmplitudeClient, path: str) -> set[str]:
    return set(client.get(f"/us/api/2/{path}").tree) - {"data"}


def test_users_of_each_day(client: AmplitudeClient) -> None:
    assert client.get(f"/us/api/2/users?{DAYS}").json == {
        "data": {
            "xValues": DATES,
            "series": [[27, 58, 105]],
            "seriesCollapsed": [[{"setId": "", "value": 190}]],
            "seriesLabels": [0],
            "seriesMeta": [{"segmentIndex": 0}],
        }
    }


def test_numbers_depend_on_day_measure_and_project(emulator: Emulator, client: AmplitudeClient) -> None:
    (other_range,) = data(client, "users?start=20260302&end=20260304")["series"]
    (new,) = data(client, f"users?{DAYS}&m=new")["series"]
    other_project = client.get(f"/eu/api/2/users?{DAYS}", emulator.projects[1]).tree

    assert other_range[:2] == [58, 105]
    assert new != [27, 58, 105]
    assert other_project["data"]["series"] != [[27, 58, 105]]


def test_users_by_group_have_a_series_for_each_value(client: AmplitudeClient) -> None:
    found = data(client, f"users?{DAYS}&g=country")

    assert found["seriesLabels"] == ["United States", "Denmark", "Japan", "(none)"]
    assert [len(values) for values in found["series"]] == [3] * 4
    assert found["seriesMeta"] == [{"segmentIndex": 0}] * 4
    assert [collapsed["value"] for (collapsed,) in found["seriesCollapsed"]] == list(map(sum, found["series"]))


def test_users_by_segment_have_a_series_for_each_segment(client: AmplitudeClient) -> None:
    one = quote('[{"prop":"country","op":"is","values":["Japan"]}]')
    found = data(client, f"users?{DAYS}&s={one}&s=[]")

    assert found["seriesLabels"] == [0, 1]
    assert found["seriesMeta"] == [{"segmentIndex": 0}, {"segmentIndex": 1}]


def test_unknown_custom_property_has_no_values(client: AmplitudeClient) -> None:
    assert data(client, f"users?{DAYS}&g=gp:nothing")["seriesLabels"] == ["(none)"]


@pytest.mark.parametrize("range_", ["start=20260305&end=20260306", "start=20191230&end=20191231"])
def test_users_without_activity_have_days_but_no_series(client: AmplitudeClient, range_: str) -> None:
    found = data(client, f"users?{range_}&g=country")

    assert len(found.pop("xValues")) == 2
    assert found == {"series": [], "seriesCollapsed": [], "seriesLabels": [], "seriesMeta": []}


def test_future_days_are_zero(client: AmplitudeClient) -> None:
    (values,) = data(client, "users?start=20260303&end=20260306")["series"]

    assert values[0] == 105
    assert values[1] > 0
    assert values[2:] == [0, 0]


def test_time_zone_determines_today(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, time_zone="Pacific/Kiritimati")

    assert data(client, "users?start=20260305&end=20260305")["series"] != []


def test_late_activity_changes_a_past_day(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, late_activity={"2026-03-02": 5})

    assert data(client, f"users?{DAYS}")["series"] == [[27, 63, 105]]


def test_intervals_are_weeks_or_calendar_months(client: AmplitudeClient) -> None:
    daily = data(client, "users?start=20260120&end=20260303")["series"][0]
    weekly = data(client, "users?start=20260120&end=20260303&i=7")
    monthly = data(client, "users?start=20260120&end=20260303&i=30")

    assert weekly["xValues"][:2] == ["2026-01-20", "2026-01-27"]
    assert weekly["series"][0][0] == sum(daily[:7])
    assert monthly["xValues"] == ["2026-01-20", "2026-02-01", "2026-03-01"]
    assert sum(monthly["series"][0]) == sum(daily)


@pytest.mark.parametrize(
    ("path", "details"),
    [
        ("users", "Missing required parameter start"),
        ("sessions/average?start=20260301", "Missing required parameter end"),
        ("sessions/length?start=2026-03-01&end=20260302", "Invalid start: expected the format YYYYMMDD"),
        ("users?start=20260301&end=20260231", "Invalid end: expected the format YYYYMMDD"),
        ("revenue/ltv?start=20260302&end=20260301", "Invalid time range: start is after end"),
        (f"users?{DAYS}&m=daily", "Invalid value for m: daily"),
        (f"users?{DAYS}&i=2", "Invalid value for i: 2"),
        (f"users?{DAYS}&s=nothing", "Invalid segment definition"),
        (f"users?{DAYS}&s=[]&s=[]&g=country", "A group by needs a single segment"),
        (f"composition?{DAYS}", "Missing required parameter p"),
        (f"revenue/ltv?{DAYS}&m=4", "Invalid value for m: 4"),
    ],
)
def test_invalid_parameters_are_refused(client: AmplitudeClient, path: str, details: str) -> None:
    response = client.get(f"/us/api/2/{path}")

    assert (response.status, response.json) == (400, envelope(400, details, "Invalid parameters", "invalid"))


@pytest.mark.parametrize("path", ["users?g=planet", "composition?p=planet", "revenue/ltv?g=planet"])
def test_unknown_built_in_property_is_refused_as_observed(client: AmplitudeClient, path: str) -> None:
    response = client.get(f"/us/api/2/{path}&{DAYS}")

    assert response.status == 400
    assert response.json == envelope(400, "Invalid user property planet", "Invalid chart definition", "invalid")


@pytest.mark.parametrize(("path", "lowest", "highest"), [("average", 30, 900), ("peruser", 1, 4)])
def test_sessions_have_times_and_fractions(client: AmplitudeClient, path: str, lowest: float, highest: float) -> None:
    found = data(client, f"sessions/{path}?{DAYS}")
    (values,) = found.pop("series")

    assert all(lowest <= value <= highest for value in values)
    assert found == {
        "seriesCollapsed": [[{"setId": "", "value": round(sum(values) / 3, 3)}]],
        "seriesMeta": [{"segmentIndex": 0, "sessionIndex": 0}],
        "xValues": TIMES,
    }


@pytest.mark.parametrize("path", ["average", "peruser"])
def test_sessions_without_activity_are_integer_zeros(client: AmplitudeClient, path: str) -> None:
    body = client.get(f"/us/api/2/sessions/{path}?start=20191230&end=20191231").body

    assert b'"series": [[0, 0]], "seriesCollapsed": [[{"setId": "", "value": 0}]]' in body


def test_session_lengths_have_the_default_bins(client: AmplitudeClient) -> None:
    found = data(client, f"sessions/length?{DAYS}")

    assert found["xValues"] == [
        *("0s-3s", "3s-10s", "10s-30s", "30s-60s", "60s-180s", "180s-600s", "600s-1800s"),
        *("1800s-3600s", "3600s-86400s"),
    ]
    assert [len(counts) for counts in found["series"]] == [9]


@pytest.mark.parametrize(
    ("unit", "low", "high", "size", "bins"),
    [
        ("minutes", 0, 10, "5", ["0s-300s", "300s-600s"]),
        ("seconds", 10, 25, "10", ["10s-20s", "20s-25s"]),
        ("hours", 0, 1, "", [f"{n * 360}s-{n * 360 + 360}s" for n in range(10)]),
    ],
)
def test_session_lengths_can_have_custom_bins(
    client: AmplitudeClient, unit: str, low: int, high: int, size: str, bins: list[str]
) -> None:
    prefix = "timeHistogramConfigBin"
    query = f"{prefix}TimeUnit={unit}&{prefix}Min={low}&{prefix}Max={high}&{prefix}Size={size}"

    assert data(client, f"sessions/length?{DAYS}&{query}")["xValues"] == bins


def test_session_lengths_without_activity_have_no_bins(client: AmplitudeClient) -> None:
    body = client.get("/us/api/2/sessions/length?start=20191230&end=20191231").tree

    assert (body["withSets"], body["data"]) == (
        False,
        {"series": [], "seriesMeta": [], "xValues": [], "seriesLabels": [], "seriesCollapsed": []},
    )


def test_composition_counts_the_values_of_a_property(client: AmplitudeClient) -> None:
    found = data(client, f"composition?{DAYS}&p=gp:plan")

    assert found["xValues"] == ["(none)", "premium", "pro"]
    assert found["seriesLabels"] == ["gp:plan"]
    assert [len(counts) for counts in found["series"]] == [3]


def test_lifetime_value_names_days_without_a_year_newest_first(client: AmplitudeClient) -> None:
    found = data(client, f"revenue/ltv?{DAYS}&m=2")
    (series,) = found["series"]
    newest = series["values"]["Mar 03"]

    assert found["seriesLabels"] == [0]
    assert series["dates"] == ["Mar 03", "Mar 02", "Mar 01"]
    assert list(newest) == LTV_KEYS
    assert 0 < newest["paid"] < newest["count"]
    assert newest["r1d"] <= newest["r2d"] == newest["r180d"]


def test_lifetime_value_without_activity_is_zeros(client: AmplitudeClient) -> None:
    (series,) = data(client, "revenue/ltv?start=20191231&end=20191231")["series"]

    assert series == {"dates": ["Dec 31"], "values": {"Dec 31": dict.fromkeys(LTV_KEYS, 0)}}


def test_events_list_omits_hidden_events(emulator: Emulator, client: AmplitudeClient) -> None:
    found = client.get("/us/api/2/events/list").tree["data"]

    assert [item["value"] for item in found] == list(EVENTS)
    assert found == [item for item in emulator.content.catalog.events if not item["hidden"]]
    assert list(found[0]) == [
        *("autohidden", "id", "value", "display", "hidden", "deleted", "flow_hidden", "timeline_hidden"),
        *("non_active", "in_waitroom", "waitroom_approved", "name", "totals", "totals_delta"),
    ]


def test_metadata_varies_by_route(client: AmplitudeClient) -> None:
    few = {"timeComputed", "wasCached", "cacheFreshness", "novaRuntime", "novaRequestDuration", "novaCost"}

    assert metadata_of(client, f"users?{DAYS}") == set()
    assert metadata_of(client, "events/list") == {*few, "throttleTime", "transformationIds"}
    assert metadata_of(client, f"sessions/average?{DAYS}") > {*few, "timedOutRealtimeData", "perQueryMetadata"}


def test_first_day_can_be_set(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.content.settings = replace(emulator.content.settings, first_day=date(2026, 3, 2))

    assert data(client, f"users?{DAYS}")["series"] == [[0, 58, 105]]
