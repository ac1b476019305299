"""Incremental reads from the saved states in this folder; the standard tests do not cover them."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airbyte_cdk.models import AirbyteStateMessage, AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput, read

from source_amplitude import SourceAmplitude

if TYPE_CHECKING:
    from amplitude_emulator import Emulator

pytestmark = pytest.mark.usefixtures("connector_environment")

HERE = Path(__file__).parent


def read_events(state: list[AirbyteStateMessage]) -> EntrypointOutput:
    config = json.loads((HERE / "emulator_config.json").read_text())
    catalog = ConfiguredAirbyteCatalogSerializer.load(json.loads((HERE / "configured_catalog.json").read_text()))
    return read(SourceAmplitude(), config, catalog, state)


def saved_state(name: str) -> list[AirbyteStateMessage]:
    return SourceAmplitude.read_state(str(HERE / name))


def next_state(output: EntrypointOutput) -> list[AirbyteStateMessage]:
    return [message.state for message in output.state_messages[-1:] if message.state]


def cursor(state: list[AirbyteStateMessage]) -> object:
    saved: dict[str, Any] = AirbyteStateMessageSerializer.dump(state[-1])
    return saved["stream"]["stream_state"]["server_upload_time"]


def uuids(output: EntrypointOutput) -> list[object]:
    return sorted(message.record.data["uuid"] for message in output.records if message.record)


def test_committed_config_has_the_emulators_keys(emulator: Emulator) -> None:
    config = json.loads((HERE / "emulator_config.json").read_text())

    keys = (config["api_key"], config["secret_key"])

    assert keys == (emulator.project.api_key, emulator.project.secret_key)


def test_sample_state_continues_with_every_later_event(emulator: Emulator) -> None:
    first_missing_hour = datetime(2024, 5, 5, 12, tzinfo=timezone.utc)
    stored = sorted(str(event["uuid"]) for event in emulator.store.events(first_missing_hour))

    output = read_events(saved_state("sample_state.json"))

    assert output.errors == []
    assert uuids(output) == stored


def test_second_read_emits_nothing() -> None:
    first = read_events(saved_state("sample_state.json"))

    second = read_events(next_state(first))

    assert (second.errors, uuids(second)) == ([], [])
    assert cursor(next_state(second)) == cursor(next_state(first))


def test_future_state_is_reset_to_the_newest_hour() -> None:
    output = read_events(saved_state("abnormal_state.json"))

    assert (output.errors, uuids(output)) == ([], [])
    assert cursor(next_state(output)) == "20240506T09"
    assert output.is_in_logs("The saved state lies in the future; it is set back to 2024-05-06")
