"""Our errors as Spark shows them: advice that fits a query, and no form of the keys."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from source_amplitude.api import redact
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
    HoursMissingError: "Run the query again. An hour that will never heal can be named in the option accepted_gaps.",
    MalformedLinesError: "Report the hour to Amplitude's support. With the option malformed_lines set to 'skip' "
    "the query leaves these lines out.",
    InvalidConfigError: "Correct these options and start the query again.",
    InvalidStateError: "Give the query the checkpoint that it wrote, or a new one: it then begins at start_date.",
    RateLimitedError: "Wait an hour and start the query again, or lower num_workers; other programs with the same keys "
    "share the limit.",
    OtherProjectError: "Use a checkpoint and a table of its own for each project.",
}
_RUN_AGAIN = "Start the query again."
_NOTHING_COUNTS = "No row of the task or the micro-batch that met this counts."


class UnexpectedFailureError(Exception):
    """An error of another kind, whose text had a key in it."""


@contextmanager
def friendly_errors(keys: Keys) -> Iterator[None]:
    """Raise every error with a text that holds no secret, and ours with advice for those who use Spark."""
    try:
        yield
    except AmplitudeError as error:
        usual = _RUN_AGAIN if error.advice == RetryableError.next_step else error.advice
        error.advice = _ADVICE.get(type(error), usual)
        if isinstance(error, HoursMissingError | MalformedLinesError):
            error.tried = _NOTHING_COUNTS
        error.what, error.tried, error.advice = (redact(text, keys) for text in (error.what, error.tried, error.advice))
        raise error.with_traceback(None) from None
    except Exception as error:
        text = redact(str(error), keys)
        if text == str(error):
            raise
        raise UnexpectedFailureError(f"{type(error).__name__}: {text}") from None
