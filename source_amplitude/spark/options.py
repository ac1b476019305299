"""Spark's options, all of them strings, parsed into a configuration and settings that only Spark has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from source_amplitude.config import Config, parse_config
from source_amplitude.config.fields import KEYS, Fields, holds_a_key, schema
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Properties(Enum):
    """The column type of nested values."""

    JSON = "json"
    VARIANT = "variant"


class LateFiles(Enum):
    """How a streaming query handles files that Amplitude adds to an hour after it was read.

    Attributes:
        IGNORE: Late files are ignored.
        DRIVER: The driver reads all events and rechecks hours at the ages of ``recheck_hours``.
        EXECUTORS: The driver downloads every archive to find new lines, and the executors read these.
    """

    IGNORE = "ignore"
    DRIVER = "driver"
    EXECUTORS = "executors"


_SHARED = (
    *("api_key", "secret_key", "data_region", "start_date", "end_date", "malformed_lines"),
    *("request_time_range", "export_delay_hours", "num_workers", "recheck_hours", "accepted_gaps"),
)
_SPARK_ONLY: dict[str, dict[str, Any]] = {
    "stream": {"type": "string", "enum": ["events"]},
    "properties": {"type": "string", "enum": [each.value for each in Properties], "default": "json"},
    "late_files": {"type": "string", "enum": [each.value for each in LateFiles], "default": "ignore"},
    "windows_per_batch": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 8},
    "poll_seconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 300},
}

OPTION_NAMES = (*_SHARED, *_SPARK_ONLY)

_MOST_DIGITS, _MOST_SHOWN_CHARS = 9, 60


@dataclass(frozen=True)
class Options:
    """The parsed options of a query.

    Attributes:
        config: As for ``read``; ``num_workers`` limits the downloads of the whole cluster.
        windows_per_batch: The maximum number of new windows in a micro-batch.
        poll_seconds: How long a streaming query waits after it found nothing new.
    """

    config: Config
    properties: Properties
    late_files: LateFiles
    windows_per_batch: int
    poll_seconds: int


def parse_options(options: Mapping[str, str]) -> Options:
    """Parse ``options``; raise an InvalidConfigError that lists every problem.

    Names are case-insensitive. A list is JSON or comma-separated values.
    """
    given = {name.lower(): value for name, value in options.items()}
    misplaced = [name for name, value in given.items() if name not in KEYS and holds_a_key(value, given)]
    if misplaced:
        raise InvalidConfigError(tuple(f"{name} contains one of the keys" for name in misplaced))
    own = Fields({name: _json(name, given[name]) for name in _SPARK_ONLY if name in given}, _SPARK_ONLY)
    own.problems += [
        f"{name}: unknown option; the options are {', '.join(OPTION_NAMES)}"
        for name in given
        if name not in OPTION_NAMES
    ]
    if given.get("stream", "events") != "events":
        problem = f"{given['stream'][:_MOST_SHOWN_CHARS]!r} is not 'events', the only stream that Spark can read"
        own.problems.append(f"stream: {problem}")
    properties, late_files = own.value("properties"), own.value("late_files")
    windows_per_batch, poll_seconds = own.value("windows_per_batch"), own.value("poll_seconds")
    try:
        config = parse_config({name: _json(name, given[name]) for name in _SHARED if name in given})
    except InvalidConfigError as error:
        raise InvalidConfigError((*error.problems, *own.problems)) from None
    if own.problems:
        raise InvalidConfigError(tuple(own.problems))
    return Options(config, Properties(properties), LateFiles(late_files), windows_per_batch, poll_seconds)


def _json(name: str, text: str) -> object:
    """Return a text as the declared type; if it does not fit, return the text, for the error message."""
    declared = _SPARK_ONLY.get(name) or schema()["properties"][name]
    if declared["type"] == "array":
        return [_number(each) if declared["items"]["type"] == "integer" else each for each in _values(text)]
    return _number(text) if declared["type"] == "integer" else text


def _number(text: str) -> int | str:
    """Return a text as a number if it is a positive one; else return the text, for the error message."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) else text


def _values(text: str) -> list[str]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = text.split(",")
    return [str(value).strip() for value in (values if isinstance(values, list) else [values])]
