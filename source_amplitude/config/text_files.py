"""The text of a file that an option names, read once: a pipe has nothing for a second look."""

from __future__ import annotations

import json
import os
import stat
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STDIN = 0


def read_text(path: str) -> str:
    """Return a file's text: UTF-8, or UTF-16 and UTF-32 as PowerShell's ``>`` writes them; no byte order mark.

    Raises:
        OSError: It cannot be read.
        UnicodeDecodeError: It is no such text.
    """
    if _is_one_pipe(path, _STDIN):  # by its number: another user's pipe, and a socket, cannot be opened by a path
        with os.fdopen(_STDIN, "rb", closefd=False) as stdin:
            data = stdin.read()
    else:
        data = Path(path).read_bytes()
    return decoded(data)


def decoded(data: bytes) -> str:
    """Return the text that bytes are in one of the encodings of `read_text`.

    Raises:
        UnicodeDecodeError: They are no such text.
    """
    return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")


def require_no_pipe_twice(paths: Mapping[str, str | None]) -> None:
    """Return if no two options name one pipe, socket or terminal: the first to read it leaves nothing for the other.

    Args:
        paths: The file of each option, by the option's name without ``--``; None where it was not given.

    Raises:
        InvalidConfigError: Two do.
    """
    given = [(option, path) for option, path in paths.items() if path is not None]
    for (option, path), (other, other_path) in combinations(given, 2):
        if _is_one_pipe(path, other_path):
            complaint = f"is the same pipe as that of --{option}, and a pipe can be read only once; save one in a file"
            raise InvalidConfigError((f"--{other}: {other_path} {complaint}",))


def is_pipe(path: str) -> bool:
    """Return whether ``path`` is a pipe or the like: what is read from it is used up."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - as below
    except (OSError, ValueError):
        return False
    is_terminal = stat.S_ISCHR(mode) and not Path(path).samefile(os.devnull)
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or is_terminal


def _is_one_pipe(path: str, other: str | int) -> bool:
    try:
        return is_pipe(path) and os.path.samestat(os.stat(path), os.stat(other))  # noqa: PTH116 - takes a number too
    except OSError:
        return False
