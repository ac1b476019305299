"""Control characters and bidirectional marks from outside never reach a terminal, a log line or a message unescaped."""

from __future__ import annotations

import argparse
import io
import json
import logging
import re
import threading
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, Any

import pytest
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import AirbyteLogFormatter
from airbyte_cdk.models import AirbyteMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.airbyte.failures import to_traced
from source_amplitude.airbyte.output import LineWriter, escape_message, logs_to
from source_amplitude.api import printable, printable_lines
from source_amplitude.commands.session import logs_on_stderr, print_error
from source_amplitude.config import Keys
from source_amplitude.errors import AmplitudeError, NetworkError
from source_amplitude.spark.failures import UnexpectedFailureError, friendly_errors
from source_amplitude.terminal.console import ConsoleReporter, Terminal
from unit_tests.terminal.screen import Screen, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEYS = Keys("an-api-key", "a-secret-key")
OPTIONS = argparse.Namespace(debug=True)

CONTROLS = [chr(code) for code in (*range(32), *range(127, 160))]
MARKS = list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff\ud800\udfff")
TEXTS = st.text(st.sampled_from([*CONTROLS, *MARKS, "a", "[", "\\", "%", "é"]), max_size=30)

_COLOURS = re.compile(r"\x1b\[(31|0)m")  # what rich adds to errors


def library_error(text: str) -> AmplitudeError:
    """Return an error that was raised from the error of a library."""
    error = NetworkError(text)
    error.__cause__ = OSError(text)
    return error


def trace_texts(text: str) -> list[str]:
    traced = to_traced(library_error(text), KEYS)
    line = AirbyteEntrypoint.airbyte_message_to_string(escape_message(traced.as_sanitized_airbyte_message()))
    error = json.loads(line)["trace"]["error"]
    return [*error["message"].split("\n", 0), error["internal_message"], *error["stack_trace"].splitlines()]


def status_texts(text: str) -> list[str]:
    status: dict[str, Any] = {"status": "FAILED", "message": text}
    message = AirbyteMessage(type="CONNECTION_STATUS", connectionStatus=argparse.Namespace(**status))
    escape_message(message)
    return str(message.connectionStatus.message).split("\n")  # type: ignore[union-attr]


def airbyte_log_texts(text: str) -> list[str]:
    out, handler = io.BytesIO(), logging.StreamHandler(io.StringIO())
    handler.setFormatter(AirbyteLogFormatter())
    root, logger = logging.getLogger(), logging.getLogger("airbyte.doors")
    root.addHandler(handler)
    try:
        with logs_to(LineWriter(out)):
            logger.warning("Found %s.", text)
            try:
                raise library_error(text)
            except NetworkError:
                logger.exception(text)
    finally:
        root.removeHandler(handler)
    lines = [line for line in out.getvalue().decode().split("\n") if line.startswith('{"type":"LOG"')]
    messages = [json.loads(line)["log"]["message"] for line in lines]
    assert len(messages) >= 2
    return [line for message in messages for line in message.split("\n")]


@contextmanager
def stderr_lines(lines: list[str]) -> Iterator[None]:
    out = io.StringIO(newline="")
    with redirect_stderr(out):
        yield
    lines += out.getvalue().split("\n")


def stderr_log_texts(text: str) -> list[str]:
    lines: list[str] = []
    with stderr_lines(lines), logs_on_stderr(OPTIONS) as keys:
        keys.append(KEYS)
        logging.getLogger("airbyte").warning("Found %s.", text)
    assert len(lines) == 3  # the version, the warning, and the empty text after the last line feed
    return lines


def stderr_traceback_texts(text: str) -> list[str]:
    lines: list[str] = []
    with stderr_lines(lines), logs_on_stderr(OPTIONS):
        try:
            raise library_error(text)
        except NetworkError:
            logging.getLogger("airbyte").exception("Failed.")
    return lines


def printed_error_texts(text: str) -> list[str]:
    lines: list[str] = []
    with stderr_lines(lines):
        print_error(NetworkError(text, tried=text), KEYS)
    assert len(lines) == 2
    return lines


def on_terminal(show: Callable[[ConsoleReporter, Terminal], None]) -> list[str]:
    screen = terminal()
    show(ConsoleReporter(screen, threading.Event()), screen)
    assert isinstance(screen.stderr, Screen)
    return _COLOURS.sub("", screen.stderr.getvalue()).split("\n")


def spark_texts(text: str) -> list[str]:
    shown = []
    for error in (NetworkError(text), ValueError(text)):
        with pytest.raises((NetworkError, ValueError, UnexpectedFailureError)) as caught, friendly_errors(KEYS):
            raise error
        shown += str(caught.value).split("\n")
    return shown


DOORS: dict[str, Callable[[str], list[str]]] = {
    "a TRACE message": trace_texts,
    "a CONNECTION_STATUS message": status_texts,
    "an Airbyte LOG message": airbyte_log_texts,
    "a log line of land": stderr_log_texts,
    "a traceback in the log of land": stderr_traceback_texts,
    "an error of land": printed_error_texts,
    "Terminal.print": lambda text: on_terminal(lambda _, screen: screen.print(text)),
    "an error on a terminal": lambda text: on_terminal(lambda reporter, _: reporter.print_error(text, text)),
    "the result of check": lambda text: on_terminal(lambda reporter, _: reporter.end_check(text)),
    "the result of a stream": lambda text: on_terminal(lambda reporter, _: reporter.end_stream(text, is_complete=True)),
    "an error of Spark": spark_texts,
}


@pytest.mark.parametrize("name", DOORS)
@given(text=TEXTS)
@settings(max_examples=40)
def test_no_control_character_passes_a_door(name: str, text: str) -> None:
    lines = DOORS[name](text)

    assert [line for line in lines if not line.isprintable()] == []


@given(TEXTS)
def test_an_escaped_text_is_one_printable_line(text: str) -> None:
    escaped = printable(text)

    assert escaped.isprintable()
    assert printable_lines(text) == "\n".join(map(printable, text.split("\n")))
    assert escaped == text or not text.isprintable()


def test_the_connectors_own_line_breaks_are_kept() -> None:
    lines = on_terminal(lambda _, screen: screen.print("Next run:\n  source-amplitude read"))

    assert lines == ["Next run:", "  source-amplitude read", ""]
