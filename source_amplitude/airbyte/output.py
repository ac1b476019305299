"""Write messages, log lines and records to stdout through one thread-safe line writer."""

from __future__ import annotations

import logging
import os
import select
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from source_amplitude.api import printable_lines, without_addresses
from source_amplitude.errors import DiskFullError

if TYPE_CHECKING:
    from io import RawIOBase

_WIDE_PIPE_BYTES = 1024 * 1024


class LineWriter:
    """A thread-safe replacement for ``sys.stdout`` that writes whole lines to a binary stream."""

    encoding = "utf-8"

    def __init__(self, out: BinaryIO | RawIOBase) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._is_torn = False
        self._failure: OSError = BrokenPipeError()

    def write_bytes(self, lines: bytes) -> None:
        """Write complete lines and flush them.

        Raises:
            OSError: This write or an earlier one failed. A failed write may have torn a line, so no later write
                is accepted.
        """
        with self._lock:
            if self._is_torn:
                raise self._failure.with_traceback(None)
            self._is_torn = True
            try:
                self._write_all(memoryview(lines))
                self._out.flush()
            except OSError as error:
                self._failure = error
                raise
            self._is_torn = False

    def fsync(self) -> None:
        """Call fsync if the output is a regular file; raise DiskFullError if that fails."""
        try:
            if self._is_file():
                os.fsync(self._out.fileno())
        except OSError as error:
            raise DiskFullError(f"The output cannot be written to disk ({error.strerror}).") from error

    def file_name(self) -> str:
        """Return the path of the output file; empty if the output is not a file or its name is unknown."""
        with suppress(OSError):
            if self._is_file():
                name = os.path.relpath(Path(f"/proc/self/fd/{self._out.fileno()}").readlink())
                if os.path.samestat(os.fstat(self._out.fileno()), os.stat(name)):  # noqa: PTH116 - detects a moved file
                    return f"./{name}" if name.startswith("-") else name
        return ""

    def _is_file(self) -> bool:
        try:
            descriptor = self._out.fileno()
        except OSError:  # an in-memory stream
            return False
        return stat.S_ISREG(os.fstat(descriptor).st_mode)

    def _write_all(self, rest: memoryview) -> None:
        """Repeat partial writes: with ``python -u`` stdout is raw, and a signal interrupts a write."""
        while rest:
            written = self._out.write(rest)
            if written is None:  # a non-blocking pipe is full
                select.select([], [self._out], [])
            else:
                rest = rest[written:]

    def write(self, text: str) -> int:
        """Write text as UTF-8; a lone surrogate becomes a question mark."""
        self.write_bytes(text.encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        """Do nothing: every write is flushed."""


def widen_pipe(out: BinaryIO | int) -> None:
    """Increase a pipe's capacity from 64 KB to 1 MB, if ``out`` is a pipe and the system supports it.

    The reader can then work while the next batches are encoded. 1 MB is Linux's limit for ordinary users (pipe(7)).
    """
    with suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415 - not on every system

        if fcntl.fcntl(out, fcntl.F_GETPIPE_SZ) < _WIDE_PIPE_BYTES:
            fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, _WIDE_PIPE_BYTES)


class LogWriter:
    """A stream for log lines that ignores write errors.

    The next message ends the command; until then, logging would print a traceback for each line.
    """

    def __init__(self, lines: LineWriter) -> None:
        self._lines = lines

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._lines.write(text)

    def flush(self) -> None:
        """Do nothing: every write is flushed."""


def escape_log(record: logging.LogRecord) -> bool:
    """Escape control characters in a log line and its traceback."""
    record.msg, record.args = printable_lines(record.getMessage()), ()
    if isinstance(record.exc_info, tuple) and not record.exc_text:
        record.exc_text = printable_lines(without_addresses(logging.Formatter().formatException(record.exc_info)))
    return True
