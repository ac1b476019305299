"""A file that holds the latest states: read at the start of a sync, replaced as it goes on."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from source_amplitude.airbyte.input_files import load_states, parse_states, problem_with
from source_amplitude.config.file import decoded, is_pipe
from source_amplitude.disk import atomic_write
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airbyte_cdk.models import AirbyteStateMessage


class StateFile:
    """The states of all streams in one file, in the form that ``--state`` takes.

    The file need not be there; a link stays a link.

    Attributes:
        given: The states that are there when it is held: where the sync goes on.
    """

    def __init__(self, path: str) -> None:
        self._name = path
        self._path = Path(os.path.realpath(path))
        self._before: bytes | None = None
        self._states: dict[str, Any] = {}
        self.given: list[AirbyteStateMessage] = []

    @contextmanager
    def held(self) -> Iterator[StateFile]:
        """Keep other runs from the file, and yield this with the states that are there."""
        if is_pipe(self._name):
            raise self._error("is a pipe, and states are written back to a file; use --state for a pipe")
        lock = FileLock(f"{self._path}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            is_held = Path(lock.lock_file).exists()
            problem = "is in use by another run" if is_held else "cannot be locked (its folder takes no files)"
            raise self._error(problem) from None
        except (OSError, NotImplementedError) as error:  # the latter where a file system has no locks
            raise self._error(f"cannot be locked ({_cause(error)})") from error
        try:
            self._load()
            yield self
        finally:
            lock.release()

    def note(self, line: str) -> None:
        """Replace the file by one with the state of a STATE line, which has been printed and kept."""
        self._take_over([json.loads(line)["state"]])
        self._save()

    def forget(self, streams: set[str]) -> None:
        left = {key: state for key, state in self._states.items() if json.loads(key)[0] not in streams}
        if left != self._states:
            self._states = left
            self._save()

    def restore(self) -> None:
        """Make the file what it was: the program that read the records ended, with how many of them is unknown."""
        if self._before is not None:
            self._replace(self._before)
        else:
            self._path.unlink(missing_ok=True)

    def _load(self) -> None:
        try:
            if not self._path.exists():
                return
            self._before = self._path.read_bytes()
            saved = parse_states(decoded(self._before))
        except (OSError, ValueError, RecursionError) as error:
            raise self._error(problem_with(error)) from error
        messages, self.given = load_states(saved, self._name)
        self._take_over(messages)

    def _take_over(self, messages: list[Any]) -> None:
        """Keep the states of other streams, which this run may not read."""
        for message in messages:
            stream = message.get("stream", {}).get("stream_descriptor", {})
            self._states[json.dumps([stream.get("name"), stream.get("namespace")])] = message

    def _save(self) -> None:
        self._replace(json.dumps(list(self._states.values()), indent=1).encode())

    def _replace(self, content: bytes) -> None:
        try:
            with atomic_write(self._path, is_only_writer=True) as file:
                file.write(content)
        except OSError as error:
            raise self._error(f"cannot be written ({_cause(error)})") from error

    def _error(self, problem: str) -> InvalidConfigError:
        return InvalidConfigError((f"--state-file: {self._name} {problem}",))


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
