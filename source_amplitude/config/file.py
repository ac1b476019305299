"""Read a configuration file: JSON as Airbyte writes it, or YAML as ``source-amplitude config`` does.

A file is read only once, because it may be a pipe.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from source_amplitude.config import parse_config
from source_amplitude.config.fields import KEYS
from source_amplitude.config.json_text import parse_json
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from source_amplitude.config import Config

_COMMENT = re.compile(r"^\s*(//|/\*)", re.MULTILINE)
_STDIN = 0
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_config(path: str) -> Config:
    """Return the configuration in a file, for commands that take hours as options; ``start_date`` is optional.

    Raises:
        InvalidConfigError: The file is unreadable, or values are invalid; only invalid values are quoted.
    """
    return parse_config(read_raw_config(path), needs_start=False)


def read_raw_config(path: str, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the fields and values in a file; a key written as ``${NAME}`` is taken from the environment.

    Raises:
        InvalidConfigError: The file is unreadable or has no fields, YAML would change a value, or a variable is not
            set.
    """
    try:
        raw = _parse(read_text(path))
    except UnicodeDecodeError:
        raise InvalidConfigError((f"--config: {path} is not UTF-8 text",)) from None
    except OSError as error:
        raise InvalidConfigError((f"--config: {path} cannot be read ({error.strerror})",)) from None
    except ValueError as error:
        raise InvalidConfigError((f"--config: {path} is not valid JSON{error}",)) from None
    if not isinstance(raw, dict):
        raise InvalidConfigError((f"--config: {path} does not contain a JSON object of fields and values",))
    return raw | _from_environment(raw, environ)


def _parse(text: str) -> object:
    """Parse a JSON or YAML text.

    Raises:
        ValueError: It is neither; the message has the position and no part of the text.
        InvalidConfigError: YAML would change a value.
    """
    try:
        return parse_json(text)
    except ValueError as error:
        if not isinstance(error, json.JSONDecodeError) or text.lstrip().startswith(("{", "[")) or _COMMENT.match(text):
            hint = "; JSON has no comments" if _COMMENT.search(text) else ""
            raise ValueError(f" ({error}){hint}") from None
    from source_amplitude.config.yaml_values import parse_yaml  # noqa: PLC0415 - most files are JSON

    return parse_yaml(text)


def _from_environment(raw: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    found, problems = {}, []
    for name in KEYS:
        value = raw.get(name)
        match = _VARIABLE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            continue
        found[name] = environ.get(match[1], "")
        if not found[name].strip():
            is_set = "is empty" if match[1] in environ else "is not set"
            problems.append(f"{name}: the environment variable {match[1]} {is_set}")
    if problems:
        raise InvalidConfigError(tuple(problems))
    return found


def read_text(path: str) -> str:
    """Return a file's text without byte order mark: UTF-8, or UTF-16 or UTF-32 as PowerShell's ``>`` writes it.

    Raises:
        OSError: The file cannot be read, or no file can have this name.
        UnicodeDecodeError: The file is not text in one of these encodings.
    """
    try:
        return decoded(_read(path))
    except UnicodeDecodeError:
        raise
    except ValueError as error:  # NUL or a lone surrogate in the name
        raise OSError(errno.EINVAL, "not a file name") from error


def _read(path: str) -> bytes:
    if _is_one_pipe(path, _STDIN):  # by its number: a socket, or another user's pipe, cannot be opened by path
        with os.fdopen(_STDIN, "rb", closefd=False) as stdin:
            return stdin.read()
    return Path(path).read_bytes()


def decoded(data: bytes) -> str:
    """Decode bytes in one of the encodings of `read_text`; raise a UnicodeDecodeError for any other."""
    return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")


def require_no_pipe_twice(paths: Mapping[str, str | None]) -> None:
    """Raise an InvalidConfigError if two options name the same pipe, socket or terminal: it can be read only once.

    Args:
        paths: The file of each option, by the option's name without ``--``; None if it is not given.
    """
    given = [(option, path) for option, path in paths.items() if path is not None]
    for (option, path), (other, other_path) in combinations(given, 2):
        if _is_one_pipe(path, other_path):
            problem = f"is the same pipe as that of --{option}, and a pipe can be read only once; save one in a file"
            raise InvalidConfigError((f"--{other}: {other_path} {problem}",))


def is_pipe(path: str) -> bool:
    """Return whether ``path`` can be read only once: a pipe, a socket or a terminal."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - as below
    except (OSError, ValueError):
        return False
    is_terminal = stat.S_ISCHR(mode) and not Path(path).samefile(os.devnull)
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or is_terminal


def _is_one_pipe(path: str, other: str | int) -> bool:
    try:
        return is_pipe(path) and os.path.samestat(os.stat(path), os.stat(other))  # noqa: PTH116 - takes a file descriptor too
    except OSError:
        return False
