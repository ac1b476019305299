"""The source: state files in every format, unknown streams, one object used twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airbyte_cdk.models import AirbyteStateMessage, AirbyteStateMessageSerializer, SyncMode
from airbyte_cdk.test.catalog_builder import CatalogBuilder
from airbyte_cdk.test.entrypoint_wrapper import discover, read
from airbyte_cdk.utils import AirbyteTracedException

from source_amplitude import SourceAmplitude

if TYPE_CHECKING:
    from pathlib import Path

STATE = {"server_upload_time": "20240101T20"}
MESSAGE = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "events"}, "stream_state": STATE}}
CONFIG = {"api_key": "some-api-key-1", "secret_key": "some-secret-key-1", "start_date": "2024-01-01T00:00:00Z"}


def written(folder: Path, content: object) -> str:
    path = folder / "state.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def as_json(messages: list[AirbyteStateMessage]) -> list[dict[str, Any]]:
    loaded = [AirbyteStateMessageSerializer.dump(message) for message in messages]
    return [{"type": each["type"], "stream": each["stream"]} for each in loaded]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([MESSAGE], id="a list of messages"),
        pytest.param(MESSAGE, id="one message"),
        pytest.param({"type": "STATE", "state": MESSAGE}, id="a STATE line"),
        pytest.param({"events": STATE}, id="states by stream name"),
        pytest.param({"type": "LEGACY", "data": {"events": STATE}}, id="a legacy message"),
        pytest.param([{"type": "LEGACY", "data": {"events": STATE}}], id="a legacy message in a list"),
        pytest.param([{"streamDescriptor": {"name": "events"}, "streamState": STATE}], id="Airbyte's UI"),
    ],
)
def test_read_state_accepts_every_format(tmp_path: Path, content: object) -> None:
    assert as_json(SourceAmplitude.read_state(written(tmp_path, content))) == [MESSAGE]


def test_the_last_state_line_of_each_stream_is_used(tmp_path: Path) -> None:
    other = {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"date": "2026-03-01"}},
    }
    events = {"stream_descriptor": {"name": "events"}, "stream_state": {"server_upload_time": "20240101T00"}}
    older = {"type": "STREAM", "stream": events}
    path = tmp_path / "lines.json"
    path.write_text("".join(json.dumps({"type": "STATE", "state": each}) + "\n" for each in (older, other, MESSAGE)))

    assert as_json(SourceAmplitude.read_state(str(path))) == [MESSAGE, other]


@pytest.mark.parametrize("content", [[], {}, None])
def test_an_empty_state_file_has_no_states(tmp_path: Path, content: object) -> None:
    assert SourceAmplitude.read_state(written(tmp_path, content)) == []


@pytest.mark.parametrize(
    "content", ["x", 5, [5], {"events": 5}, {"type": "LEGACY"}, {"type": "STATE"}, [["x"]], [{"type": "STREAM"}]]
)
def test_an_invalid_state_file_is_a_config_error(tmp_path: Path, content: object) -> None:
    path = written(tmp_path, content)

    with pytest.raises(AirbyteTracedException) as caught:
        SourceAmplitude.read_state(path)

    assert f"The state file {path} does not contain state messages" in str(caught.value)


def test_an_unknown_stream_is_not_discovered_later() -> None:
    source = SourceAmplitude(environ={"AMPLITUDE_API_URL": "http://127.0.0.1:9"})
    catalog = CatalogBuilder().with_stream("nonsense", sync_mode=SyncMode.full_refresh).build()

    read(source, CONFIG, catalog, expecting_exception=True)

    streams = discover(source, CONFIG).catalog.catalog
    assert streams is not None
    assert "nonsense" not in [stream.name for stream in streams.streams]


def test_a_state_of_another_source_is_refused() -> None:
    source = SourceAmplitude(environ={"AMPLITUDE_API_URL": "http://127.0.0.1:9"})
    catalog = CatalogBuilder().with_stream("events", sync_mode=SyncMode.incremental).build()
    other = {"stream_descriptor": {"name": "orders\x1b[2J"}, "stream_state": {"id": 5}}
    state = [AirbyteStateMessageSerializer.load(each) for each in (MESSAGE, {"type": "STREAM", "stream": other})]

    output = read(source, CONFIG, catalog, state, expecting_exception=True)

    message = output.errors[-1].trace.error.message  # type: ignore[union-attr]
    assert message.startswith("The state belongs to another source: it contains 'orders\\x1b[2J'. The streams of this")
