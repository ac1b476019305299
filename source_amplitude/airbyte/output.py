"""Where everything that is printed leaves: one writer of whole lines for messages, logs and records."""

from __future__ import annotations

import logging
import os
import re
import select
import stat
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from airbyte_cdk.utils import AirbyteTracedException

from source_amplitude.errors import DiskFullError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import RawIOBase

_WIDE_PIPE_BYTES = 1024 * 1024

_CDK_COUNT = re.compile(r"Read \d+ records from \w+ stream")


class LineWriter:
    """Writes whole lines to a binary stream at once; a stand-in for ``sys.stdout`` in all threads."""

    encoding = "utf-8"

    def __init__(self, out: BinaryIO | RawIOBase) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._is_torn = False
        self._failure: OSError = BrokenPipeError()

    def write_bytes(self, lines: bytes) -> None:
        """Write complete lines and hand them to the operating system.

        Raises:
            OSError: It cannot be written, now or at an earlier write, which may have ended in the middle of a line:
                whatever came after it would be glued to a torn record.
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

    def keep(self) -> None:
        """Let the disk have what was written, where it goes to a file; raise a DiskFullError if it cannot take it."""
        try:
            if self._is_file():
                os.fsync(self._out.fileno())
        except OSError as error:
            raise DiskFullError(f"What was printed cannot be kept on the disk ({error.strerror}).") from error

    def file_name(self) -> str:
        """Return the name of the file that is written to; empty where it is none, or the system does not say."""
        with suppress(OSError):
            if self._is_file():
                name = os.path.relpath(Path(f"/proc/self/fd/{self._out.fileno()}").readlink())
                if os.path.samestat(os.fstat(self._out.fileno()), os.stat(name)):  # noqa: PTH116 - not deleted, nor moved
                    return f"./{name}" if name.startswith("-") else name
        return ""

    def _is_file(self) -> bool:
        try:
            descriptor = self._out.fileno()
        except OSError:  # in memory
            return False
        return stat.S_ISREG(os.fstat(descriptor).st_mode)

    def _write_all(self, rest: memoryview) -> None:
        """Write until nothing is left: with ``python -u`` stdout is raw, and a signal cuts a write short."""
        while rest:
            written = self._out.write(rest)
            if written is None:  # a pipe that does not block is full
                select.select([], [self._out], [])
            else:
                rest = rest[written:]

    def write(self, text: str) -> int:
        """Write text as UTF-8; a lone surrogate becomes a question mark."""
        self.write_bytes(text.encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        """Do nothing: every write is handed on at once."""


def widen_pipe(out: BinaryIO | int) -> None:
    """Let a pipe, if ``out`` is one, hold 1 MB instead of 64 KB where the system can.

    The reader then empties it while the next batches are made; 1 MB is what Linux lets every user have (pipe(7)).
    """
    with suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415 - not on every system

        if fcntl.fcntl(out, fcntl.F_GETPIPE_SZ) < _WIDE_PIPE_BYTES:
            fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, _WIDE_PIPE_BYTES)


class LogWriter:
    """Where log lines go: to a `LineWriter`, in silence once that cannot be written.

    The command itself ends at its next message; logging would print a traceback for each line until then.
    """

    def __init__(self, lines: LineWriter) -> None:
        self._lines = lines

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._lines.write(text)

    def flush(self) -> None:
        """Do nothing, as `LineWriter.flush`."""


@contextmanager
def logs_to(writer: LineWriter) -> Iterator[None]:
    """Make log lines take the same way as messages: the CDK's handler buffers them for a tenth of a second."""
    handlers = [each for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)]
    streams = [handler.setStream(LogWriter(writer)) for handler in handlers]
    for handler in handlers:
        handler.addFilter(_is_worth_a_line)
    try:
        yield
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            handler.removeFilter(_is_worth_a_line)
            if stream is not None:
                handler.setStream(stream)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Leave out what the CDK gets wrong about batches, and the stacks of errors that a TRACE explains."""
    if isinstance(record.exc_info, tuple) and isinstance(record.exc_info[1], AirbyteTracedException):
        record.exc_info = record.exc_text = None
    return not _CDK_COUNT.fullmatch(record.getMessage())
