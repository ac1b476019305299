"""The files that a command is given: read once, of the right shape, or one readable error.

The CDK would answer with a traceback, and quote what the file holds.
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
    """What the files of a command's options hold.

    Attributes:
        config: The configuration as it was written, with the keys out of the environment; without them in the repr.
        catalog: None for other commands than ``read``.
    """

    config: dict[str, Any] = field(repr=False)
    catalog: ConfiguredAirbyteCatalog | None
    state: list[AirbyteStateMessage]

    @classmethod
    def read(cls, options: argparse.Namespace, kept: list[AirbyteStateMessage] | None = None) -> InputFiles:
        """Read each file of a command's options once: pipes have nothing for a second look.

        Args:
            options: Of the command line.
            kept: The states of a ``--state-file``, which has been read.

        Raises:
            InvalidConfigError: One cannot be used; the text names the option and the file, and quotes nothing of it.
        """
        paths = {name: getattr(options, name, None) for name in ("config", "catalog", "state")}
        require_no_pipe_twice(paths)
        return cls(
            config=read_raw_config(options.config),
            catalog=read_catalog(options.catalog) if paths["catalog"] is not None else None,
            state=read_states(options.state) if paths["state"] is not None else kept or [],
        )


def read_catalog(path: str) -> ConfiguredAirbyteCatalog:
    """Return the configured catalog in a file, or raise InvalidConfigError; nothing of the file is quoted."""
    content = _json("catalog", path)
    if not isinstance(content, dict) or not isinstance(content.get("streams"), list):
        raise InvalidConfigError((f"--catalog: {path} is no configured catalog: it needs a list named streams",))
    try:
        return ConfiguredAirbyteCatalogSerializer.load(content)
    except (SchemaValidationError, ValueError, TypeError, KeyError):
        problem = (
            "is no configured catalog: each stream needs stream, sync_mode (full_refresh or incremental) and "
            "destination_sync_mode; discover's output is a catalog that is not configured yet"
        )
        raise InvalidConfigError((f"--catalog: {path} {problem}",)) from None


def read_states(path: str) -> list[AirbyteStateMessage]:
    """Return the states in a file: messages in a list or one alone, STATE lines, or stream names with states."""
    return load_states(_json("state", path), path)[1]


def load_states(saved: object, path: str) -> tuple[list[Any], list[AirbyteStateMessage]]:
    """Return the last state message of each stream in a state file's JSON: as JSON, and as the CDK has them."""
    if not saved:
        return [], []
    try:
        messages = last_of_each(state_messages(saved))
        return messages, [AirbyteStateMessageSerializer.load(message) for message in messages]
    except (AttributeError, KeyError, TypeError, ValueError, SchemaValidationError) as error:
        raise InvalidStateError(f"The state file {path} holds no state messages ({error}).") from error


def parse_states(text: str) -> object:
    """Return what a state file's text says: one JSON value, or a list of the values of its lines.

    Lines are what ``grep '"type":"STATE"'`` leaves of a read's output. A ValueError is raised for any other text.
    """
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:  # noqa: PLR2004 - one line that is no JSON is the error above
            raise
        return [json.loads(line) for line in lines]


def problem_with(error: OSError | ValueError | RecursionError) -> str:
    """Return why a file cannot be used, as the end of a sentence that names it; nothing of the file is quoted."""
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or error})"
    if isinstance(error, UnicodeDecodeError):
        return "is no text in UTF-8"
    return "is no JSON (nested too deeply)" if isinstance(error, RecursionError) else f"is no JSON ({error})"


def _json(option: str, path: str) -> object:
    try:
        text = read_text(path)
        return parse_states(text) if option == "state" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidConfigError((f"--{option}: {path} {problem_with(error)}",)) from None


def state_messages(saved: object) -> list[Any]:
    """Return the per-stream state messages in a state file's JSON; raise TypeError if there are none."""
    if isinstance(saved, list):
        return [message for each in saved for message in state_messages(each)]
    if not isinstance(saved, dict):
        raise TypeError(f"{type(saved).__name__} instead of a list of objects")
    if saved.get("type") == "STATE":
        return state_messages(saved["state"])
    if "stateType" in saved:
        return _messages_of_a_connection(saved)
    if "stream" in saved or "global" in saved:
        return [saved]
    if "streamDescriptor" in saved or "stream_descriptor" in saved:  # as Airbyte's own interface shows states
        stream = {"stream_descriptor": saved.get("streamDescriptor") or saved["stream_descriptor"]}
        stream["stream_state"] = saved.get("streamState") or saved.get("stream_state") or {}
        return [{"type": "STREAM", "stream": stream}]
    by_stream = saved["data"] if saved.get("type") == "LEGACY" else saved
    if not all(isinstance(state, dict) for state in by_stream.values()):
        raise TypeError("a stream's state is no object")
    return [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}}
        for name, state in by_stream.items()
    ]


def _messages_of_a_connection(saved: dict[str, Any]) -> list[Any]:
    """Return the state messages in what Airbyte's API answers about a connection's state."""
    of_all = saved.get("globalState") or {}
    states = saved.get("streamState") or of_all.get("streamStates") or saved.get("state") or []
    return state_messages(states)


def last_of_each(messages: Sequence[Any]) -> list[Any]:
    """Return the last message of each stream; a read prints many."""
    last = {
        json.dumps(message["stream"]["stream_descriptor"]) if "stream" in message else "": message
        for message in messages
    }
    return list(last.values())
