"""Compare spec.json with the parts of the configuration that are declared in code."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pendulum
import pytest

from source_amplitude.config import Config, MalformedLines, Region, parse_config
from source_amplitude.errors import InvalidConfigError

SPEC_FILE = Path(__file__).parents[2] / "source_amplitude" / "spec.json"
SPEC: dict[str, Any] = json.loads(SPEC_FILE.read_bytes())["connectionSpecification"]
PROPERTIES: dict[str, Any] = SPEC["properties"]

MINIMAL = {"api_key": "the-api-key", "secret_key": "the-secret", "start_date": "2024-03-01T05:30:00Z"}

FIELD_OF_KEY = {
    "data_region": "region",
    "api_key": "keys",
    "secret_key": "keys",
    "start_date": "start",
    "end_date": "end",
    "request_time_range": "window_hours",
}


def config(**changes: object) -> Config:
    return parse_config({**MINIMAL, **changes})


def test_the_spec_has_exactly_the_fields_of_the_configuration() -> None:
    assert {FIELD_OF_KEY.get(name, name) for name in PROPERTIES} == {field.name for field in fields(Config)}


def test_the_keys_and_a_start_are_required() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse_config({})

    assert caught.value.problems == ("start_date is missing", "api_key is missing", "secret_key is missing")


def test_only_three_optional_fields_have_no_default() -> None:
    without = [name for name in PROPERTIES if "default" not in PROPERTIES[name]]

    assert without == ["api_key", "secret_key", "start_date", "end_date", "num_processes", "project_time_zone"]


def test_every_whole_number_has_a_range() -> None:
    numbers = [each for field in PROPERTIES.values() for each in (field, field.get("items", {}))]

    assert [each for each in numbers if each.get("type") == "integer" and not {"minimum", "maximum"} <= set(each)] == []


@pytest.mark.parametrize(("name", "kind"), [("data_region", Region), ("malformed_lines", MalformedLines)])
def test_the_spec_s_choices_are_the_parser_s(name: str, kind: type[Region | MalformedLines]) -> None:
    assert PROPERTIES[name]["enum"] == [member.value for member in kind]


@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_the_spec_s_examples_of_dates_are_valid(name: str) -> None:
    for example in PROPERTIES[name]["examples"]:
        assert re.fullmatch(PROPERTIES[name]["pattern"], example)
        assert config(**{"start_date": "2020-01-01T00:00:00Z", name: example})


def test_upstream_s_fields_keep_their_types_and_ranges() -> None:
    upstream: dict[str, dict[str, object]] = {
        "data_region": {"type": "string", "enum": ["Standard Server", "EU Residency Server"]},
        "api_key": {"type": "string", "airbyte_secret": True},
        "secret_key": {"type": "string", "airbyte_secret": True},
        "start_date": {
            "type": "string",
            "format": "date-time",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        },
        "request_time_range": {"type": "integer", "minimum": 1, "maximum": 8760},
        "active_users_group_by_country": {"type": "boolean", "default": True},
    }

    ours = {name: {key: PROPERTIES[name].get(key) for key in facts} for name, facts in upstream.items()}
    assert ours == upstream
    assert SPEC["additionalProperties"] is True


def test_fields_are_shown_in_the_order_of_the_file() -> None:
    assert [PROPERTIES[name]["order"] for name in PROPERTIES] == list(range(len(PROPERTIES)))


@pytest.mark.parametrize("name", PROPERTIES["project_time_zone"]["examples"])
def test_the_spec_s_examples_of_time_zones_are_valid(name: str) -> None:
    assert config(project_time_zone=name).project_time_zone == pendulum.timezone(name)
