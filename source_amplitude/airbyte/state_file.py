"""The file of ``--state-file``: read at the start of a sync, updated after each state."""

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
    """The states of all streams in one file, which may not exist yet; the format is that of ``--state``.

    Attributes:
        initial: The states in the file when it is locked; the sync continues from them.
    """

    def __init__(self, path: str) -> None:
        self._name = path
        try:
            self._path = Path(os.path.realpath(path))  # a symbolic link stays a link
        except ValueError:  # NUL or a lone surrogate
            raise self._error("is not a file name") from None
        self._original: bytes | None = None
        self._states: dict[str, Any] = {}
        self.initial: list[AirbyteStateMessage] = []

    @contextmanager
    def locked(self) -> Iterator[StateFile]:
        """Lock the file against other runs, load its states, and yield this object."""
        if is_pipe(self._name):
            raise self._error("is a pipe and cannot be updated; use --state for a pipe")
        lock = FileLock(f"{self._path}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            is_in_use = Path(lock.lock_file).exists()
            problem = "is in use by another run" if is_in_use else "cannot be locked (its folder is not writable)"
            raise self._error(problem) from None
        except (OSError, NotImplementedError) as error:  # NotImplementedError: a file system without locks
            raise self._error(f"cannot be locked ({_cause(error)})") from error
        try:
            self._load()
            yield self
        finally:
            lock.release()

    def update(self, line: str) -> None:
        """Save the state of a STATE line that has already been printed and flushed to disk."""
        self._merge([json.loads(line)["state"]])
        self._save()

    def discard(self, streams: set[str]) -> None:
        remaining = {key: state for key, state in self._states.items() if json.loads(key)[0] not in streams}
        if remaining != self._states:
            self._states = remaining
            self._save()

    def restore(self) -> None:
        """Restore the previous states: the reader of stdout exited, and how much it consumed is unknown."""
        if self._original is not None:
            self._replace(self._original)
        else:
            self._path.unlink(missing_ok=True)

    def _load(self) -> None:
        try:
            if not self._path.exists():
                return
            self._original = self._path.read_bytes()
            saved = parse_states(decoded(self._original))
        except (OSError, ValueError) as error:
            raise self._error(problem_with(error)) from error
        messages, self.initial = load_states(saved, self._name)
        self._merge(messages)

    def _merge(self, messages: list[Any]) -> None:
        """Replace the states of these streams; keep those of streams that this run does not read."""
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
