"""The catalog's entries made without the CDK, and those that the CDK makes of the streams."""

from __future__ import annotations

import logging

import pytest
from airbyte_cdk.models import AirbyteCatalog

from source_amplitude.airbyte.source import SourceAmplitude

CONFIG = {"api_key": "no-such-api-key", "secret_key": "no-such-secret", "start_date": "2024-05-05T00:00:00Z"}
VARIATIONS = [CONFIG, {**CONFIG, "active_users_group_by_country": True, "cohort_ids": ["a"], "chart_ids": ["b"]}]


@pytest.mark.parametrize("config", VARIATIONS, ids=["required fields", "more fields"])
def test_discover_returns_the_entries_of_the_streams(config: dict[str, object]) -> None:
    source = SourceAmplitude()

    found = source.discover(logging.getLogger("airbyte"), config)

    assert found == AirbyteCatalog(streams=[each.as_airbyte_stream() for each in source.streams(config)])
