"""Write messages, log lines and records to stdout through one thread-safe line writer."""

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

from source_amplitude.api import printable_lines, without_addresses
from source_amplitude.errors import DiskFullError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import RawIOBase

    from airbyte_cdk.models import AirbyteMessage

_WIDE_PIPE_BYTES = 1024 * 1024

_CDK_RECORD_COUNT = re.compile(r"Read \d+ records from \w+ stream")


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


def escape_message(message: AirbyteMessage) -> AirbyteMessage:
    """Escape control characters in the texts of a LOG, TRACE or CONNECTION_STATUS message, and return the message.

    A traceback has the texts of libraries, so its addresses are cut as well.
    """
    error = message.trace.error if message.trace is not None else None
    for part, names in (
        (error, ("message", "internal_message", "stack_trace")),
        (message.log, ("message", "stack_trace")),
        (message.connectionStatus, ("message",)),
    ):
        for name in names if part is not None else ():
            text = getattr(part, name)
            if text is not None:
                setattr(part, name, printable_lines(without_addresses(text) if name == "stack_trace" else text))
    return message


@contextmanager
def logs_to(writer: LineWriter) -> Iterator[None]:
    """Send log lines to ``writer``, in order with messages; the CDK's handler buffers them for 0.1 s."""
    handlers = [each for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)]
    streams = [handler.setStream(LogWriter(writer)) for handler in handlers]
    for handler in handlers:
        handler.addFilter(_is_useful)
        handler.addFilter(_escape)
    try:
        yield
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            handler.removeFilter(_escape)
            handler.removeFilter(_is_useful)
            if stream is not None:
                handler.setStream(stream)


def _is_useful(record: logging.LogRecord) -> bool:
    """Drop the CDK's record counts, which are wrong for batches, and the tracebacks of errors that have a TRACE."""
    if isinstance(record.exc_info, tuple) and isinstance(record.exc_info[1], AirbyteTracedException):
        record.exc_info = record.exc_text = None
    return not _CDK_RECORD_COUNT.fullmatch(record.getMessage())


def _escape(record: logging.LogRecord) -> bool:
    """Escape control characters in a log line and its traceback."""
    record.msg, record.args = printable_lines(record.getMessage()), ()
    if isinstance(record.exc_info, tuple) and not record.exc_text:
        record.exc_text = printable_lines(without_addresses(logging.Formatter().formatException(record.exc_info)))
    return True
