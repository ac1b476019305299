"""Spark's options, which are all texts, as a configuration and what only Spark has."""

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
    """What nested values become."""

    JSON = "json"
    VARIANT = "variant"


class LateFiles(Enum):
    """What a streaming query does about files that Amplitude adds to an hour after it was read.

    Attributes:
        IGNORE: They are not looked for.
        DRIVER: The driver alone reads, once, and looks for them at the ages of ``recheck_hours``.
        EXECUTORS: The driver downloads every archive to learn what is new in it, and the executors read that.
    """

    IGNORE = "ignore"
    DRIVER = "driver"
    EXECUTORS = "executors"


_OF_CONFIG = (
    *("api_key", "secret_key", "data_region", "start_date", "end_date", "malformed_lines"),
    *("request_time_range", "export_delay_hours", "num_workers", "recheck_hours", "accepted_gaps"),
)
_SPARK_ALONE: dict[str, dict[str, Any]] = {
    "stream": {"type": "string", "enum": ["events"]},
    "properties": {"type": "string", "enum": [each.value for each in Properties], "default": "json"},
    "late_files": {"type": "string", "enum": [each.value for each in LateFiles], "default": "ignore"},
    "windows_per_batch": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 8},
    "poll_seconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 300},
}

OPTION_NAMES = (*_OF_CONFIG, *_SPARK_ALONE)

_MOST_DIGITS, _MOST_SHOWN_CHARS = 9, 60


@dataclass(frozen=True)
class Options:
    """What a query was given.

    Attributes:
        config: As for ``read``; ``num_workers`` bounds the downloads of the whole cluster.
        windows_per_batch: So many windows of hours that were not asked for before are in one micro-batch at most.
        poll_seconds: How long a streaming query waits before it asks again, when there was nothing new.
    """

    config: Config
    properties: Properties
    late_files: LateFiles
    windows_per_batch: int
    poll_seconds: int


def parse_options(options: Mapping[str, str]) -> Options:
    """Return what ``options`` describe, or raise an InvalidConfigError that lists all that cannot be used.

    Names may have any letter case; lists are JSON, or their values with commas between them.
    """
    given = {name.lower(): value for name, value in options.items()}
    misplaced = [name for name, value in given.items() if name not in KEYS and holds_a_key(value, given)]
    if misplaced:
        raise InvalidConfigError(tuple(f"{name} has one of the keys in it" for name in misplaced))
    own = Fields({name: _json(name, given[name]) for name in _SPARK_ALONE if name in given}, _SPARK_ALONE)
    own.problems += [
        f"{name}: there is no such option; there are {', '.join(OPTION_NAMES)}"
        for name in given
        if name not in OPTION_NAMES
    ]
    if given.get("stream", "events") != "events":
        problem = f"{given['stream'][:_MOST_SHOWN_CHARS]!r} is not 'events', the only stream that is read by Spark"
        own.problems.append(f"stream: {problem}")
    properties, late_files = own.value("properties"), own.value("late_files")
    windows_per_batch, poll_seconds = own.value("windows_per_batch"), own.value("poll_seconds")
    try:
        config = parse_config({name: _json(name, given[name]) for name in _OF_CONFIG if name in given})
    except InvalidConfigError as error:
        raise InvalidConfigError((*error.problems, *own.problems)) from None
    if own.problems:
        raise InvalidConfigError(tuple(own.problems))
    return Options(config, Properties(properties), LateFiles(late_files), windows_per_batch, poll_seconds)


def _json(name: str, text: str) -> object:
    """Return the value that a text is by its declaration; what is none stays a text, which the complaint shows."""
    declared = _SPARK_ALONE.get(name) or schema()["properties"][name]
    if declared["type"] == "array":
        return [_number(each) if declared["items"]["type"] == "integer" else each for each in _values(text)]
    return _number(text) if declared["type"] == "integer" else text


def _number(text: str) -> int | str:
    """Return the number that a text is; 0, which no option may be, stays as it was typed."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) else text


def _values(text: str) -> list[str]:
    try:
        values = json.loads(text)
    except ValueError:
        values = text.split(",")
    return [str(value).strip() for value in (values if isinstance(values, list) else [values])]
