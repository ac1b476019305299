"""Reading a command's files: states in every format, catalogs, each file once."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from airbyte_cdk.models import AirbyteStateMessage, ConfiguredAirbyteCatalog

from source_amplitude.airbyte.input_files import InputFiles, read_catalog, read_states
from source_amplitude.errors import InvalidConfigError, InvalidStateError

if TYPE_CHECKING:
    from pathlib import Path

DONE = {"server_upload_time": "20260304T08"}
MESSAGE = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "events"}, "stream_state": DONE}}
LINE = {"type": "STATE", "state": MESSAGE}
SHOWN = {"streamDescriptor": {"name": "events"}, "streamState": DONE}
CATALOG = {
    "streams": [
        {
            "stream": {"name": "events", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
        }
    ]
}


def written(folder: Path, content: bytes | str) -> str:
    path = folder / "input.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def by_stream(states: list[AirbyteStateMessage]) -> dict[str, Any]:
    return {
        each.stream.stream_descriptor.name: vars(each.stream.stream_state)
        for each in states
        if each.stream and each.stream.stream_state
    }


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(MESSAGE),
        json.dumps([MESSAGE]),
        json.dumps(LINE),
        json.dumps([LINE, LINE]),
        json.dumps(LINE) + "\n" + json.dumps(LINE) + "\n",
        json.dumps({"type": "LEGACY", "data": {"events": DONE}}),
        json.dumps([{"type": "LEGACY", "data": {"events": DONE}}]),
        json.dumps({"events": DONE}),
        json.dumps([SHOWN]),
        json.dumps({"stateType": "stream", "connectionId": "x", "streamState": [SHOWN]}),
        json.dumps({"stateType": "legacy", "connectionId": "x", "state": {"events": DONE}}),
        json.dumps({"stateType": "global", "globalState": {"sharedState": {}, "streamStates": [SHOWN]}}),
        json.dumps({"type": "GLOBAL", "global": {"shared_state": {}, "stream_states": [MESSAGE["stream"]]}}),
        json.dumps([{"type": "STATE", "state": {"type": "GLOBAL", "global": {"stream_states": [MESSAGE["stream"]]}}}]),
        "\ufeff" + json.dumps([MESSAGE]),
        json.dumps([MESSAGE], indent=1).replace("\n", "\r\n"),
        (json.dumps(LINE) + "\r\n" + json.dumps(LINE) + "\r\n").encode("utf-16"),
    ],
)
def test_every_state_format_is_read(tmp_path: Path, content: bytes | str) -> None:
    assert by_stream(read_states(written(tmp_path, content))) == {"events": DONE}


@pytest.mark.parametrize("content", ["[]", "{}", "null", '{"stateType": "not_set", "connectionId": "x"}'])
def test_an_empty_state_starts_from_the_beginning(tmp_path: Path, content: str) -> None:
    assert read_states(written(tmp_path, content)) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "--state: {} is not valid JSON (Expecting value"),
        ("hidden", "--state: {} is not valid JSON (Expecting value"),
        (b'["\xff"]', "--state: {} is not valid UTF-8"),
        ("[" * 100_000, "--state: {} is not valid JSON"),
        ("[7]", "The state file {} does not contain state messages (a state has the type int, not object)"),
        (
            '{"stateType": "stream", "streamState": "hidden"}',
            "The state file {} does not contain state messages (a state has the type str",
        ),
        (
            '{"type": "GLOBAL", "global": {"shared_state": {"a": "hidden"}, "stream_states": []}}',
            "(a GLOBAL state with a shared_state, which this source never writes)",
        ),
        (
            '{"type": "GLOBAL", "global": {}}',
            "(the stream_states of the GLOBAL state have the type NoneType, not array)",
        ),
        ('{"stream": {"stream_descriptor": {"name": 5}}}', "(stream/stream_descriptor/name is missing or invalid)"),
        ('{"type": "hidden", "stream": {"stream_descriptor": {"name": "a"}}}', "(type is missing or invalid)"),
        ('{"events": {"hidden": "\\ud800"}}', "(str is not valid UTF-8: surrogates not allowed)"),
        ('{"events": {"a": ' + "9" * 5000 + "}}", "--state: {} is not valid JSON (an integer of 5,000 digits)"),
        ('{"a":' * 101 + "1" + "}" * 101, "--state: {} is not valid JSON (nested too deeply)"),
    ],
    ids=[
        *("empty", "text", "bytes", "deeply nested", "numbers", "invalid connection", "shared state", "no streams"),
        *("a number as name", "an unknown type", "a lone surrogate", "a long integer", "101 levels"),
    ],
)
def test_invalid_state_is_reported_without_its_content(tmp_path: Path, content: bytes | str, problem: str) -> None:
    path = written(tmp_path, content)

    with pytest.raises((InvalidConfigError, InvalidStateError)) as raised:
        read_states(path)

    assert (problem.format(path) in str(raised.value), "hidden" in str(raised.value)) == (True, False)


def test_a_control_character_in_a_stream_name_is_refused(tmp_path: Path) -> None:
    catalog = json.dumps(CATALOG).replace('"events"', '"ev\\u001b[2Jents"')

    with pytest.raises(InvalidConfigError) as raised:
        read_catalog(written(tmp_path, catalog))

    problem = "contains a stream whose name has control characters: 'ev\\x1b[2Jents'"
    assert raised.value.problems == (f"--catalog: {tmp_path}/input.json {problem}",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_catalog_is_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    catalog = read_catalog(written(tmp_path, json.dumps(CATALOG).encode(encoding)))

    assert [each.stream.name for each in catalog.streams] == ["events"]


def test_each_file_is_read_once() -> None:
    contents = {"config": {"api_key": "k"}, "catalog": CATALOG, "state": [MESSAGE]}
    readers = []
    options = argparse.Namespace(command="read")
    for name, content in contents.items():
        reading, writing = os.pipe()
        os.write(writing, json.dumps(content).encode())
        os.close(writing)
        readers.append(reading)
        setattr(options, name, f"/dev/fd/{reading}")

    files = InputFiles.read(options)

    for each in readers:
        os.close(each)
    assert isinstance(files.catalog, ConfiguredAirbyteCatalog)
    assert (files.config, by_stream(files.state)) == ({"api_key": "k"}, {"events": DONE})
    assert "api_key" not in repr(files)
