"""The connector's errors in Spark: with advice that fits a query, and without the keys."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from source_amplitude.api import printable, printable_lines, redact
from source_amplitude.errors import (
    AmplitudeError,
    HoursMissingError,
    InvalidConfigError,
    InvalidStateError,
    MalformedLinesError,
    OtherProjectError,
    RateLimitedError,
    RetryableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.config import Keys

_ADVICE: dict[type[AmplitudeError], str] = {
    HoursMissingError: "Run the query again. List an hour that stays unreadable in the option accepted_gaps.",
    MalformedLinesError: "Report the hour to Amplitude's support. To skip such lines, set the option malformed_lines "
    "to 'skip'.",
    InvalidConfigError: "Correct these options and start the query again.",
    InvalidStateError: "Use the checkpoint that this query wrote, or a new one to start again at start_date.",
    RateLimitedError: "Wait an hour and start the query again, or lower num_workers; the limit is for all programs "
    "with the same keys.",
    OtherProjectError: "Use one checkpoint and one table per project.",
}
_RUN_AGAIN = "Start the query again."
_NOTHING_COUNTS = "Spark discards the rows of the failed task or micro-batch."


class UnexpectedFailureError(Exception):
    """An unexpected error; its text was changed, because it had a key or control characters."""


@contextmanager
def friendly_errors(keys: Keys) -> Iterator[None]:
    """Remove secrets from every error's text, and give the connector's errors advice for Spark users."""
    try:
        yield
    except AmplitudeError as error:
        usual = _RUN_AGAIN if error.advice == RetryableError.next_step else error.advice
        error.advice = _ADVICE.get(type(error), usual)
        if isinstance(error, HoursMissingError | MalformedLinesError):
            error.tried = _NOTHING_COUNTS
        error.what, error.tried, error.advice = (
            printable(redact(text, keys)) for text in (error.what, error.tried, error.advice)
        )
        raise error.with_traceback(None) from None
    except Exception as error:
        text = printable_lines(redact(str(error), keys))
        if text == str(error):
            raise
        raise UnexpectedFailureError(f"{type(error).__name__}: {text}") from None
