"""Spark's options, which are all texts, as a configuration and what only Spark has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from source_amplitude.config import Config, parse_config
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS = ("api_key", "secret_key", "data_region", "start_date", "end_date", "malformed_lines")
_NUMBERS = ("request_time_range", "export_delay_hours", "num_workers")
_LISTS = {"recheck_hours": int, "accepted_gaps": str}
_SPARK_ALONE = ("stream", "properties", "late_files", "windows_per_batch", "poll_seconds")

OPTION_NAMES = (*_TEXTS, *_NUMBERS, *_LISTS, *_SPARK_ALONE)

_MOST_DIGITS, _MOST_SHOWN_CHARS = 9, 60
_DEFAULT_WINDOWS = 8
_DEFAULT_POLL_SECONDS = 300

E = TypeVar("E", bound=Enum)


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


@dataclass(frozen=True)
class Options:
    """What a query was given.

    Attributes:
        config: As for ``read``; ``num_workers`` bounds the downloads of the whole cluster.
        properties: What nested values become.
        late_files: For streaming queries.
        windows_per_batch: So many windows of hours that were not asked for before are in one micro-batch at most.
        poll_seconds: How long a streaming query waits before it asks again, when there was nothing new.
    """

    config: Config
    properties: Properties
    late_files: LateFiles
    windows_per_batch: int
    poll_seconds: int


def parse_options(options: Mapping[str, str]) -> Options:
    """Return what ``options`` describe.

    Args:
        options: Names in any letter case; lists are JSON, or their values with commas between them.

    Raises:
        InvalidConfigError: One or more cannot be used; it lists all of them.
    """
    given = {name.lower(): value for name, value in options.items()}
    if misplaced := _misplaced_keys(given):
        raise InvalidConfigError(misplaced)
    problems = [
        f"{name}: there is no such option; there are {', '.join(OPTION_NAMES)}"
        for name in given
        if name not in OPTION_NAMES
    ]
    if given.get("stream", "events") != "events":
        problems.append(
            f"stream: {given['stream'][:_MOST_SHOWN_CHARS]!r} is not 'events', the only stream that is read by Spark"
        )
    properties = _choice(given, "properties", Properties.JSON, problems)
    late_files = _choice(given, "late_files", LateFiles.IGNORE, problems)
    windows_per_batch = _whole_number(given, "windows_per_batch", _DEFAULT_WINDOWS, (1, 10_000), problems)
    poll_seconds = _whole_number(given, "poll_seconds", _DEFAULT_POLL_SECONDS, (1, 3600), problems)
    try:
        config = parse_config(_raw_config(given))
    except InvalidConfigError as error:
        raise InvalidConfigError((*error.problems, *problems)) from None
    if problems:
        raise InvalidConfigError(tuple(problems))
    return Options(config, properties, late_files, windows_per_batch, poll_seconds)


def _misplaced_keys(given: Mapping[str, str]) -> tuple[str, ...]:
    """Return a complaint for each other option that has a key in it, which no message may show."""
    keys = [key for key in (given.get("api_key", "").strip(), given.get("secret_key", "").strip()) if key]
    others = {name: value for name, value in given.items() if name not in ("api_key", "secret_key")}
    return tuple(
        f"{name} has one of the keys in it" for name, value in others.items() if any(map(value.__contains__, keys))
    )


def _raw_config(given: Mapping[str, str]) -> dict[str, Any]:
    raw: dict[str, Any] = {name: given[name] for name in _TEXTS if name in given}
    raw |= {name: _number(given[name]) for name in _NUMBERS if name in given}
    for name, kind in _LISTS.items():
        if name in given:
            values = _values(given[name])
            raw[name] = [_number(value) for value in values] if kind is int else values
    return raw


def _number(text: str) -> int | str:
    """Return the number that a text is, or the text for whoever complains about it."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else text


def _values(text: str) -> list[str]:
    try:
        values = json.loads(text)
    except ValueError:
        values = text.split(",")
    return [str(value).strip() for value in (values if isinstance(values, list) else [values])]


def _choice(given: Mapping[str, str], name: str, default: E, problems: list[str]) -> E:
    value = given.get(name, default.value)
    allowed = [str(member.value) for member in type(default)]
    if value in allowed:
        return type(default)(value)
    problems.append(f"{name}: {value[:_MOST_SHOWN_CHARS]!r} is none of {', '.join(map(repr, allowed))}")
    return default


def _whole_number(
    given: Mapping[str, str], name: str, default: int, bounds: tuple[int, int], problems: list[str]
) -> int:
    value = _number(given.get(name, str(default)))
    least, most = bounds
    if isinstance(value, int) and least <= value <= most:
        return value
    problems.append(f"{name}: {str(value)[:_MOST_SHOWN_CHARS]!r} is not a whole number from {least} to {most}")
    return default
