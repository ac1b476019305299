"""Log lines as Airbyte's messages, in the format of the CDK. Does not import the CDK."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from source_amplitude.airbyte.messages import line_of, log_message
from source_amplitude.airbyte.output import LogWriter, escape_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from source_amplitude.airbyte.output import LineWriter

_LEVELS = {logging.CRITICAL: "FATAL", logging.ERROR: "ERROR", logging.WARNING: "WARN", logging.DEBUG: "DEBUG"}
_DEFAULT_LEVEL = "INFO"
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({})))


class LogLines(logging.Formatter):
    """Formats log records as LOG messages; debug lines have a form of the CDK's own.

    Args:
        mask: Masks secrets in a text.
        is_platform_debug: Whether the platform asked for debug lines; they are then LOG messages too.
    """

    def __init__(self, mask: Callable[[str], str], *, is_platform_debug: bool) -> None:
        super().__init__()
        self._mask = mask
        self._is_platform_debug = is_platform_debug

    def format(self, record: logging.LogRecord) -> str:
        level = _LEVELS.get(record.levelno, _DEFAULT_LEVEL)
        if level != "DEBUG":
            return line_of(log_message(level, self._mask(super().format(record)))).rstrip("\n")
        extras = {name: str(value) for name, value in vars(record).items() if name not in _STANDARD_FIELDS}
        if self._is_platform_debug:
            text = f"{self._mask(record.getMessage())} ///\nExtra logs: {self._mask(json.dumps(extras))}"
            return line_of(log_message(level, text)).rstrip("\n")
        return self._mask(json.dumps({"type": "DEBUG", "message": record.getMessage(), "data": extras}))


@contextmanager
def logs_as_messages(writer: LineWriter, formatter: logging.Formatter) -> Iterator[None]:
    """Send all log lines to ``writer`` and to no other handler."""
    handler = logging.StreamHandler(LogWriter(writer))
    handler.setFormatter(formatter)
    handler.addFilter(escape_log)
    root = logging.getLogger()
    before, root.handlers = root.handlers, [handler]
    try:
        yield
    finally:
        root.handlers = before
