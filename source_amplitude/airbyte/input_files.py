"""Read the files named by a command's options; report an unusable file in one readable error.

The CDK would print a traceback and quote the file's content.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airbyte_cdk.models import AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer
from serpyco_rs import SchemaValidationError

from source_amplitude.config.file import read_raw_config, read_text, require_no_pipe_twice
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
        return ConfiguredAirbyteCatalogSerializer.load(content)
    except (SchemaValidationError, ValueError, TypeError, KeyError):
        problem = (
            "is not a configured catalog: each stream needs stream, sync_mode (full_refresh or incremental) and "
            "destination_sync_mode; the output of discover lacks these modes"
        )
        raise InvalidConfigError((f"--catalog: {path} {problem}",)) from None


def read_states(path: str) -> list[AirbyteStateMessage]:
    """Return the states in a file: one message, a list of messages, STATE lines, or states by stream name."""
    return load_states(_json("state", path), path)[1]


def load_states(saved: object, path: str) -> tuple[list[Any], list[AirbyteStateMessage]]:
    """Return the last state message of each stream in a state file's JSON, as JSON and as the CDK's objects."""
    if not saved:
        return [], []
    try:
        messages = last_of_each(state_messages(saved))
        return messages, [AirbyteStateMessageSerializer.load(message) for message in messages]
    except (AttributeError, KeyError, TypeError, ValueError, SchemaValidationError) as error:
        raise InvalidStateError(f"The state file {path} does not contain state messages ({error}).") from error


def parse_states(text: str) -> object:
    """Return the JSON value in a state file's text, or the list of JSON values in its lines.

    ``grep '"type":"STATE"'`` extracts such lines from the output of ``read``.

    Raises:
        ValueError: The text is not valid JSON.
    """
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:  # noqa: PLR2004 - a single line failed above
            raise
        return [json.loads(line) for line in lines]


def problem_with(error: OSError | ValueError | RecursionError) -> str:
    """Return the predicate of an error sentence about a file, without quoting its content."""
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or error})"
    if isinstance(error, UnicodeDecodeError):
        return "is not valid UTF-8"
    return (
        "is not valid JSON (nested too deeply)" if isinstance(error, RecursionError) else f"is not valid JSON ({error})"
    )


def _json(option: str, path: str) -> object:
    try:
        text = read_text(path)
        return parse_states(text) if option == "state" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidConfigError((f"--{option}: {path} {problem_with(error)}",)) from None


def state_messages(saved: object) -> list[Any]:
    """Return the state messages in a state file's JSON; raise TypeError for any other JSON."""
    if isinstance(saved, list):
        return [message for each in saved for message in state_messages(each)]
    if not isinstance(saved, dict):
        raise TypeError(f"{type(saved).__name__} instead of a list of objects")
    if saved.get("type") == "STATE":
        return state_messages(saved["state"])
    if "stateType" in saved:
        return _connection_messages(saved)
    if "stream" in saved or "global" in saved:
        return [saved]
    if "streamDescriptor" in saved or "stream_descriptor" in saved:  # as Airbyte's UI shows states
        stream = {"stream_descriptor": saved.get("streamDescriptor") or saved["stream_descriptor"]}
        stream["stream_state"] = saved.get("streamState") or saved.get("stream_state") or {}
        return [{"type": "STREAM", "stream": stream}]
    by_stream = saved["data"] if saved.get("type") == "LEGACY" else saved
    if not all(isinstance(state, dict) for state in by_stream.values()):
        raise TypeError("a stream's state is not an object")
    return [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}}
        for name, state in by_stream.items()
    ]


def _connection_messages(saved: dict[str, Any]) -> list[Any]:
    """Return the state messages in the response of Airbyte's API for a connection's state."""
    global_state = saved.get("globalState") or {}
    states = saved.get("streamState") or global_state.get("streamStates") or saved.get("state") or []
    return state_messages(states)


def last_of_each(messages: Sequence[Any]) -> list[Any]:
    """Return the last message of each stream."""
    last = {
        json.dumps(message["stream"]["stream_descriptor"]) if "stream" in message else "": message
        for message in messages
    }
    return list(last.values())
