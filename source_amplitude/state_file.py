"""A file that holds the latest states: read at the start of a sync, replaced as it goes on."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from source_amplitude.errors import InvalidConfigError
from source_amplitude.input_files import last_of_each, read_state_file, state_messages

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATE_LINE = '{"type":"STATE"'


class StateFile:
    """The states of all streams in one file, in the form that ``--state`` takes.

    Args:
        path: The file; it need not be there.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._states: dict[str, Any] = {}

    @contextmanager
    def held(self) -> Iterator[str]:
        """Keep other runs from the file and yield the ``--state`` to read: the file, or nothing where it is not there.

        Raises:
            InvalidConfigError: Another run has it, or its folder cannot be written.
        """
        lock = FileLock(f"{self._path}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise InvalidConfigError((f"--state-file: {self._path} is in use by another run",)) from None
        except OSError as error:
            raise InvalidConfigError((f"--state-file: {self._path} cannot be locked ({error.strerror})",)) from error
        try:
            yield str(self._path) if self._path.exists() else ""
        finally:
            lock.release()

    def load(self) -> None:
        """Take over the states that are there, so that those of streams which this run does not read stay.

        Raises:
            OSError, ValueError, TypeError: They cannot be read; the command has said so before.
        """
        if self._path.exists():
            self._note(last_of_each(state_messages(read_state_file(str(self._path)))))

    def note(self, line: str) -> None:
        """Replace the file if ``line``, which has been printed, is a state.

        Raises:
            InvalidConfigError: It cannot be written.
        """
        if not line.startswith(_STATE_LINE):
            return
        self._note([json.loads(line)["state"]])
        partial = self._path.with_name(f".{self._path.name}.partial")
        try:
            with partial.open("w", encoding="utf-8") as file:
                json.dump(list(self._states.values()), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
        except OSError as error:
            raise InvalidConfigError((f"--state-file: {self._path} cannot be written ({error.strerror})",)) from error

    def _note(self, messages: list[Any]) -> None:
        for message in messages:
            self._states[json.dumps(message.get("stream", {}).get("stream_descriptor"))] = message
