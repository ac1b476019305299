"""The files that a command is given: there, JSON, and of the right shape, or one readable error.

The CDK would answer with a traceback, and quote what the file holds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from serpyco_rs import SchemaValidationError

from source_amplitude.config_file import read_raw_config
from source_amplitude.errors import InvalidConfigError
from source_amplitude.failures import traced


def require_readable(option: str, path: str | None) -> None:
    """Return if the file given with ``--config``, ``--catalog`` or ``--state`` can be used, or was not given.

    Raises:
        AirbyteTracedException: It cannot; the text names the option and the file, and quotes nothing of it.
    """
    if path is not None and option == "config":
        try:
            read_raw_config(path)
        except InvalidConfigError as error:
            raise traced(error) from error
    elif path is not None and (complaint := _complaint(option, path)):
        raise traced(InvalidConfigError((f"--{option}: {path} {complaint}",)))


def read_state_file(path: str) -> object:
    """Return what a state file holds: one JSON value, or a list of the values of its lines.

    Lines are what ``grep '"type":"STATE"'`` leaves of a read's output.

    Raises:
        OSError, ValueError: It cannot be read, or holds neither.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:  # noqa: PLR2004 - one line that is no JSON is the error above
            raise
        return [json.loads(line) for line in lines]


def _complaint(option: str, path: str) -> str:
    try:
        content = read_state_file(path) if option == "state" else json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except ValueError as error:
        return f"is no JSON ({error})"
    if option == "catalog":
        return _complaint_about_catalog(content)
    return ""


def _complaint_about_catalog(content: object) -> str:
    if not isinstance(content, dict) or not isinstance(content.get("streams"), list):
        return "is no configured catalog: it needs a list named streams"
    try:
        ConfiguredAirbyteCatalogSerializer.load(content)
    except (SchemaValidationError, ValueError, TypeError, KeyError):
        return (
            "is no configured catalog: each stream needs stream, sync_mode (full_refresh or incremental) and "
            "destination_sync_mode; discover's output is a catalog that is not configured yet"
        )
    return ""


def state_messages(saved: object) -> list[Any]:
    """Return the per-stream state messages in a state file's JSON.

    Raises:
        TypeError: There are none in it.
    """
    if isinstance(saved, list):
        return [message for each in saved for message in state_messages(each)]
    if not isinstance(saved, dict):
        raise TypeError(f"{type(saved).__name__} instead of a list of objects")
    if saved.get("type") == "STATE":
        return state_messages(saved["state"])
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


def last_of_each(messages: list[Any]) -> list[Any]:
    """Return the last message of each stream; a read prints many."""
    last = {
        json.dumps(message["stream"]["stream_descriptor"]) if "stream" in message else "": message
        for message in messages
    }
    return list(last.values())
