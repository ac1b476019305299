"""The CDK's messages and log lines on the connector's line writer."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airbyte_cdk.utils import AirbyteTracedException

from source_amplitude.airbyte.output import LogWriter, escape_log
from source_amplitude.api import printable_lines, without_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airbyte_cdk.models import AirbyteMessage

    from source_amplitude.airbyte.output import LineWriter

_CDK_RECORD_COUNT = re.compile(r"Read \d+ records from \w+ stream")


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
        handler.addFilter(escape_log)
    try:
        yield
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            handler.removeFilter(escape_log)
            handler.removeFilter(_is_useful)
            if stream is not None:
                handler.setStream(stream)


def _is_useful(record: logging.LogRecord) -> bool:
    """Drop the CDK's record counts, which are wrong for batches, and the tracebacks of errors that have a TRACE."""
    if isinstance(record.exc_info, tuple) and isinstance(record.exc_info[1], AirbyteTracedException):
        record.exc_info = record.exc_text = None
    return not _CDK_RECORD_COUNT.fullmatch(record.getMessage())
