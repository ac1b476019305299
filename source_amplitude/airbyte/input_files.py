"""Read the files named by a command's options; report an unusable file in one readable error.

The CDK would print a traceback and quote the file's content.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from airbyte_cdk.models import AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer
from serpyco_rs import SchemaValidationError

from source_amplitude.config.fields import shown
from source_amplitude.config.file import read_raw_config, read_text, require_no_pipe_twice
from source_amplitude.config.json_text import parse_json
from source_amplitude.errors import InvalidConfigError, InvalidStateError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from airbyte_cdk.models import AirbyteStateMessage, ConfiguredAirbyteCatalog


@dataclass(frozen=True)
class InputFiles:
    """The content of the files named by a command's options.

    Attributes:
        config: The raw configuration, with keys substituted from the environment; not in the repr.
        catalog: The configured catalog; None unless the command is ``read``.
        state: The last state of each stream.
    """

    config: dict[str, Any] = field(repr=False)
    catalog: ConfiguredAirbyteCatalog | None
    state: list[AirbyteStateMessage]

    @classmethod
    def read(cls, options: argparse.Namespace, saved: list[AirbyteStateMessage] | None = None) -> InputFiles:
        """Read each file once, since a pipe cannot be read twice.

        Args:
            options: The parsed command line.
            saved: The states already read from ``--state-file``.

        Raises:
            InvalidConfigError: A file cannot be used. The message names option and file, and quotes no content.
        """
        paths = {name: getattr(options, name, None) for name in ("config", "catalog", "state")}
        require_no_pipe_twice(paths)
        return cls(
            config=read_raw_config(options.config),
            catalog=read_catalog(options.catalog) if paths["catalog"] is not None else None,
            state=read_states(options.state) if paths["state"] is not None else saved or [],
        )


def read_catalog(path: str) -> ConfiguredAirbyteCatalog:
    """Return the configured catalog in a file; raise InvalidConfigError, without quoting content, if it is not one."""
    content = _json("catalog", path)
    if not isinstance(content, dict) or not isinstance(content.get("streams"), list):
        raise InvalidConfigError((f"--catalog: {path} is not a configured catalog: it needs a list named streams",))
    try:
        catalog = ConfiguredAirbyteCatalogSerializer.load(content)
    except (SchemaValidationError, ValueError, TypeError, KeyError):
        problem = (
            "is not a configured catalog: each stream needs stream, sync_mode (full_refresh or incremental) and "
            "destination_sync_mode; the output of discover lacks these modes"
        )
        raise InvalidConfigError((f"--catalog: {path} {problem}",)) from None
    odd = [each.stream.name for each in catalog.streams if not each.stream.name.isprintable()]
    if odd:
        problem = f"contains a stream whose name has control characters: {shown(odd[0])}"
        raise InvalidConfigError((f"--catalog: {path} {problem}",))
    return catalog


def read_states(path: str) -> list[AirbyteStateMessage]:
    """Return the states in a file: one message, a list of messages, STATE lines, or states by stream name."""
    return load_states(_json("state", path), path)[1]


def load_states(saved: object, path: str) -> tuple[list[Any], list[AirbyteStateMessage]]:
    """Return the last state message of each stream in a state file's JSON, as JSON and as the CDK's objects.

    Raises:
        InvalidStateError: The JSON does not contain states, or contains values that no later state could repeat: lone
            surrogates, or integers above 64 bits.
    """
    if not saved:
        return [], []
    try:
        messages = last_of_each(state_messages(saved))
        orjson.dumps(messages)
        return messages, [AirbyteStateMessageSerializer.load(message) for message in messages]
    except SchemaValidationError as error:
        places = ", ".join(sorted({each.instance_path for each in error.errors}))
        raise _invalid_state(path, f"{places or 'a message'} is missing or invalid") from error
    except (TypeError, ValueError) as error:
        raise _invalid_state(path, str(error)) from error


def _invalid_state(path: str, reason: str) -> InvalidStateError:
    return InvalidStateError(f"The state file {path} does not contain state messages ({reason}).")


def parse_states(text: str) -> object:
    """Return the JSON value in a state file's text, or the list of JSON values in its lines.

    ``grep '"type":"STATE"'`` extracts such lines from the output of ``read``.

    Raises:
        ValueError: The text is not valid JSON.
    """
    try:
        return parse_json(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:  # noqa: PLR2004 - a single line failed above
            raise
        return [parse_json(line) for line in lines]


def problem_with(error: OSError | ValueError) -> str:
    """Return the predicate of an error sentence about a file, without quoting its content."""
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or error})"
    if isinstance(error, UnicodeDecodeError):
        return "is not valid UTF-8"
    return f"is not valid JSON ({error})"


def _json(option: str, path: str) -> object:
    try:
        text = read_text(path)
        return parse_states(text) if option == "state" else parse_json(text)
    except (OSError, ValueError) as error:
        raise InvalidConfigError((f"--{option}: {path} {problem_with(error)}",)) from None


def state_messages(saved: object) -> list[Any]:
    """Return the state messages in a state file's JSON; raise TypeError for any other JSON."""
    if isinstance(saved, list):
        return [message for each in saved for message in state_messages(each)]
    state = _object(saved, "a state")
    if state.get("type") == "STATE":
        return state_messages(state.get("state"))
    if "stateType" in state:
        return _connection_messages(state)
    if "global" in state:
        return _global_messages(_object(state["global"], "the GLOBAL state"))
    return _stream_messages(state)


def _stream_messages(state: dict[str, Any]) -> list[Any]:
    if "stream" in state:
        return [{**state, "stream": _object(state["stream"], "the field stream")}]
    if "streamDescriptor" in state or "stream_descriptor" in state:  # as Airbyte's UI shows states
        stream = {"stream_descriptor": state.get("streamDescriptor") or state.get("stream_descriptor")}
        stream["stream_state"] = state.get("streamState") or state.get("stream_state") or {}
        return [{"type": "STREAM", "stream": stream}]
    by_stream = _object(state.get("data"), "the legacy state") if state.get("type") == "LEGACY" else state
    return [
        {
            "type": "STREAM",
            "stream": {
                "stream_descriptor": {"name": name},
                "stream_state": _object(saved, f"the state of the stream {shown(name)}"),
            },
        }
        for name, saved in by_stream.items()
    ]


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{what} has the type {type(value).__name__}, not object")
    return value


def _global_messages(state: dict[str, Any]) -> list[Any]:
    """Return a GLOBAL state as one message per stream; this source has no state that streams share."""
    if state.get("shared_state"):
        raise TypeError("a GLOBAL state with a shared_state, which this source never writes")
    states = state.get("stream_states")
    if not isinstance(states, list):
        raise TypeError(f"the stream_states of the GLOBAL state have the type {type(states).__name__}, not array")
    return state_messages(states)


def _connection_messages(saved: dict[str, Any]) -> list[Any]:
    """Return the state messages in the response of Airbyte's API for a connection's state."""
    global_state = _object(saved.get("globalState") or {}, "globalState")
    states = saved.get("streamState") or global_state.get("streamStates") or saved.get("state") or []
    return state_messages(states)


def last_of_each(messages: Sequence[Any]) -> list[Any]:
    """Return the last message of each stream."""
    last = {json.dumps(message["stream"].get("stream_descriptor")): message for message in messages}
    return list(last.values())
