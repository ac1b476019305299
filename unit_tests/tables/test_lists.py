"""Streams of one list: cohorts, events, annotations, lookup tables, taxonomy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from unit_tests.airbyte.streams.rest_host import Failure, without_nulls

if TYPE_CHECKING:
    from unit_tests.airbyte.streams.rest_host import Project

UNCATEGORIZED = {"id": 1, "name": "Uncategorized"}
TAXONOMY = ("event_categories", "event_types", "event_properties", "user_properties", "group_properties")


@pytest.mark.parametrize("name", ["event_categories", "event_types", "user_properties", "group_properties"])
def test_a_taxonomy_list_has_every_item_without_nulls(project: Project, name: str) -> None:
    listed = project.sync(name)

    assert listed.records[name] == [without_nulls(item) for item in getattr(project.content.catalog, name)]
    assert listed.statuses == {name: "COMPLETE"}


def test_new_keys_of_amplitude_are_kept(project: Project) -> None:
    catalog = project.content.catalog
    added = {"novel": {"deep": [1, None]}, "other": None}
    project.content.catalog = replace(catalog, events=({**catalog.events[0], **added},))

    listed = project.sync("events_list")

    assert listed.records["events_list"] == [{**without_nulls(catalog.events[0]), "novel": {"deep": [1, None]}}]


def test_the_events_list_has_no_hidden_events(project: Project) -> None:
    shown = [event for event in project.content.catalog.events if not event["hidden"]]

    listed = project.sync("events_list")

    assert listed.records["events_list"] == [without_nulls(event) for event in shown]


def test_a_lookup_table_comes_from_its_own_host_without_its_rows(project: Project) -> None:
    table = project.content.catalog.lookup_tables[0]

    listed = project.sync("lookup_tables")

    assert listed.records["lookup_tables"] == [{name: value for name, value in table.items() if name != "csv"}]
    assert project.paths() == ["/data-us/api/3/lookup_table"]


@pytest.mark.parametrize("key", ["category", "name"])
def test_a_categorys_name_is_read_from_either_key(project: Project, key: str) -> None:
    project.set(annotation_category_key=key)

    listed = project.sync("annotations", "annotation_categories")

    marketing = {"id": 1247, "name": "Marketing"}
    assert listed.records["annotation_categories"] == [UNCATEGORIZED, marketing]
    assert [each["category"] for each in listed.records["annotations"]] == [marketing, UNCATEGORIZED, UNCATEGORIZED]


def test_annotations_fall_back_to_the_older_api_version(project: Project) -> None:
    newer = project.sync("annotations").records["annotations"]
    project.set(annotation_versions=(2,))

    older = project.sync("annotations")

    upstreams = ("id", "date", "label", "details")
    assert older.records["annotations"] == [
        {name: each[name] for name in ("id", "date", "label", "details") if name in each} for each in newer
    ]
    assert set(upstreams) <= set(newer[0])
    assert older.statuses == {"annotations": "COMPLETE"}
    assert project.paths()[1:] == ["/us/api/3/annotations", "/us/api/2/annotations"]


def test_the_day_of_an_annotation_is_in_its_own_offset(project: Project) -> None:
    catalog = project.content.catalog
    late = {**catalog.annotations[0], "start": "2026-02-03T23:30:00-05:00"}
    project.content.catalog = replace(catalog, annotations=(late,))

    listed = project.sync("annotations")

    assert [each["date"] for each in listed.records["annotations"]] == ["2026-02-03"]


def test_annotations_missing_in_both_versions_are_an_error(project: Project) -> None:
    project.set(annotation_versions=())

    refused = project.sync("annotations")

    assert refused.statuses == {"annotations": "INCOMPLETE"}
    assert (refused.failures["annotations"].error, refused.failures["annotations"].failure_type) == (
        "NotFoundError",
        "config_error",
    )


def test_empty_lists_complete_without_records(project: Project) -> None:
    empty = dict.fromkeys(("events", "annotations", "annotation_categories", "lookup_tables", *TAXONOMY), ())
    project.content.catalog = replace(project.content.catalog, **empty)
    project.content.cohorts.replace_all(())
    names = ("cohorts", "events_list", "annotations", "annotation_categories", "lookup_tables", *TAXONOMY)

    listed = project.sync(*names)

    assert listed.records == {}
    assert listed.statuses == dict.fromkeys(names, "COMPLETE")


def test_each_event_property_is_read_once(project: Project) -> None:
    properties = project.content.catalog.event_properties
    keys = [(item["event_type"] or "", item["event_property"]) for item in properties]

    listed = project.sync("event_properties")

    found = [(each["event_type"], each["event_property"]) for each in listed.records["event_properties"]]
    assert sorted(found) == sorted(keys)
    assert len(set(found)) == len(found)


def test_event_names_in_requests_may_have_any_characters(project: Project) -> None:
    catalog = project.content.catalog
    name = "a&b=c/ü 100% #+?"
    own = {**catalog.event_properties[-1], "event_type": name}
    event = {**catalog.event_types[0], "event_type": name}
    project.content.catalog = replace(catalog, event_types=(event,), event_properties=(own,))

    listed = project.sync("event_properties")

    assert listed.records["event_properties"] == [without_nulls(own)]
    asked = [request.query.get("event_type") for request in project.asked("event-property")]
    assert asked == [None, name]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("forbidden", "(HTTP 403: Taxonomy is not included in your current plan)"),
        ("not_found", "(HTTP 404: Not found)"),
        ("invalid", "(HTTP 400: Not found)"),
    ],
)
def test_a_plan_without_taxonomy_fails_with_amplitude_s_error(project: Project, refusal: str, words: str) -> None:
    project.set(missing_in_plan=("taxonomy",), plan_refusal=refusal)

    refused = project.sync(*TAXONOMY, "cohorts")

    assert refused.statuses == {**dict.fromkeys(TAXONOMY, "INCOMPLETE"), "cohorts": "COMPLETE"}
    assert {name: (each.error, each.failure_type) for name, each in refused.failures.items()} == dict.fromkeys(
        TAXONOMY, ("NotInPlanError", "config_error")
    )
    assert all(words in each.message for each in refused.failures.values())
    assert list(refused.records) == ["cohorts"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"cohorts": None}, "NoneType as cohorts; expected an array"),
        ({"cohorts": {"id": "a"}}, "an object with the keys id as cohorts; expected an array"),
        ({"data": []}, "NoneType as cohorts; expected an array"),
        ({}, "NoneType as cohorts; expected an array"),
        ({"cohorts": ["a"]}, "str as an element of cohorts; expected an object"),
        ([], "list as body; expected an object"),
        (None, "NoneType as body; expected an object"),
        ("none", "str as body; expected an object"),
    ],
)
def test_a_list_of_an_unknown_shape_is_an_error(project: Project, body: object, found: str) -> None:
    project.emulator.faults.add("json", path="/api/3/cohorts", body=body)

    refused = project.sync("cohorts")

    message = (
        f"Amplitude's response has {found}. "
        "Report it with this message. Nothing of the response was emitted or recorded as read."
    )
    assert refused.failures == {"cohorts": Failure("UnknownShapeError", "system_error", message)}
    assert refused.records == {}


def test_an_html_page_is_retried_and_then_a_transient_error(project: Project) -> None:
    project.emulator.faults.add("html_page", path="/api/3/cohorts", times=1)
    once = project.sync("cohorts")
    project.emulator.faults.add("html_page", path="/api/3/cohorts")
    always = project.sync("cohorts")

    assert (len(once.records["cohorts"]), once.statuses) == (3, {"cohorts": "COMPLETE"})
    assert always.statuses == {"cohorts": "INCOMPLETE"}
    assert always.failures["cohorts"] == Failure(
        "GarbledResponseError",
        "transient_error",
        'The response to list of cohorts is not valid JSON (HTTP 200, text/html, "<html><head><title>Service '
        'unavailable</title></head><body><h1>Service unavailable</h1></body></html>"). '
        "Tried 2 times in 0 s. "
        "Run the sync again: it reads what is missing.",
    )
