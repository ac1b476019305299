"""What an answer means: status and body to an error, per endpoint."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    ExportTooLargeError,
    ExportTooSlowError,
    ForeignAnswerError,
    NotFoundError,
    NotInPlanError,
    RateLimitedError,
    RequestRejectedError,
    ServerFailureError,
    UnexpectedAnswerError,
)

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.windows import HourWindow

_MAX_REASON_CHARS = 300
# The words of an export that is too large are not established; 400 is documented for nothing else, so a 400 without
# words counts too. Asking for less is harmless where it was something else: it ends at one hour with the same words.
_SIZE_TEXT = re.compile(r"too (large|big|many|much)|exceed|maximum|\b\d+ ?GB\b|\bsize\b", re.IGNORECASE)
_NO_WORDS = ("", "an HTML page", "Unspecified Error", "unspecified", "invalid")
_KEYS_TEXT = re.compile(r"(api|secret)[ _/-]*(key|secret)|credential|unauthori[sz]ed|authenticat", re.IGNORECASE)

NOT_FOUND = 404
_FIRST_ERROR_STATUS = 400


@dataclass(frozen=True)
class Answer:
    """The part of an HTTP answer that errors are made from.

    Attributes:
        status: The HTTP status.
        reason: Amplitude's own words, keys masked; empty where the body has none.
        retry_after: The Retry-After header; no documentation mentions one, so it may be missing.
        date: The Date header as an aware datetime.
        quote: Status, content type and beginning of a body in no form of Amplitude's, keys masked; else empty.
    """

    status: int
    reason: str = ""
    retry_after: str | None = None
    date: datetime | None = None
    quote: str = ""

    def __str__(self) -> str:
        return self.quote or f"HTTP {self.status}{f': {self.reason}' if self.reason else ''}"


def reason_from_body(body: bytes) -> str:
    """Return the words of an error body: an envelope's details and message, or the start of a plain text.

    HTML pages of gateways are only named as such (amplitude-api.md 0.3, observed).
    """
    text = body.decode("utf-8", "replace").strip()
    with suppress(ValueError, RecursionError):  # no JSON, or nested too deeply
        parsed = json.loads(text)
        text = _envelope_reason(parsed) if isinstance(parsed, dict) else text
    if text.lower().startswith(("<!doctype", "<html")):
        text = "an HTML page"
    text = " ".join(text.split())
    return text if len(text) <= _MAX_REASON_CHARS else text[:_MAX_REASON_CHARS] + "..."


def _envelope_reason(parsed: dict[str, Any]) -> str:
    errors = parsed.get("errors")  # the taxonomy's envelope
    if isinstance(errors, list) and errors:
        return " - ".join(_envelope_reason(each) if isinstance(each, dict) else str(each) for each in errors)
    error = parsed.get("error") or parsed
    if not isinstance(error, dict):
        return str(error)
    metadata = error.get("metadata")
    details = metadata.get("details") if isinstance(metadata, dict) else None
    message = error.get("message")
    if message == "Unspecified Error" and details:
        message = None
    words = [str(word) for word in (message, details) if word]
    return " - ".join(words) if words else str(error.get("type", ""))


def date_from_header(text: str | None) -> datetime | None:
    """Return the moment of a Date header, or None where it is missing or broken."""
    try:
        moment = parsedate_to_datetime(text) if text else None
        if moment is None:
            return None
        return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError):  # Python 3.10 raises the first for a text that is no date
        return None


def export_error(answer: Answer, window: HourWindow, region: str) -> AmplitudeError:
    """Return the error for an export's answer; an archive and "no files" are not errors and do not come here."""
    if answer.status in (401, 403) or (answer.status == 400 and names_the_keys(answer)):  # noqa: PLR2004 - statuses
        return CredentialsRejectedError(f"Amplitude refused the keys at the {region} ({answer}).")
    if answer.status == 400 and (_SIZE_TEXT.search(answer.reason) or answer.reason in _NO_WORDS):  # noqa: PLR2004 - status
        return ExportTooLargeError(f"The export for {window} is too large ({answer}).")
    if answer.status == 504:  # noqa: PLR2004 - status; documented for very large data
        return ExportTooSlowError(f"The export for {window} took Amplitude too long ({answer}).")
    if answer.status < _FIRST_ERROR_STATUS or answer.status == NOT_FOUND:
        return foreign_error(answer, f"the export for {window}")
    return common_error(answer, f"the export for {window}")


def foreign_error(answer: Answer, what: str) -> ForeignAnswerError:
    """Return the error for an answer that is not Amplitude's own."""
    return ForeignAnswerError(f"The answer to {what} is not Amplitude's ({answer}).")


def common_error(answer: Answer, what: str) -> AmplitudeError:
    """Return the error for statuses that mean the same at every endpoint."""
    if answer.status == 429:  # noqa: PLR2004 - status
        return RateLimitedError(
            f"Amplitude's rate limit stopped {what} ({answer}).", retry_after_seconds=_seconds(answer)
        )
    if answer.status >= 500:  # noqa: PLR2004 - status
        return ServerFailureError(f"Amplitude failed at {what} ({answer}).")
    return UnexpectedAnswerError(f"Amplitude answered {what} with {answer}.")


def rest_error(answer: Answer, what: str, region: str) -> AmplitudeError:
    """Return the error that an answer of the REST APIs stands for; the good statuses do not come here."""
    if answer.status in (400, 401, 403) and names_the_keys(answer):
        return CredentialsRejectedError(f"Amplitude refused the keys at the {region} ({answer}).")
    if answer.status == NOT_FOUND:
        return foreign_error(answer, what) if answer.quote else NotFoundError(f"Amplitude has no {what} ({answer}).")
    if answer.status == 401:  # noqa: PLR2004 - status; means the keys wherever it is documented
        return CredentialsRejectedError(f"Amplitude refused the keys for {what} at the {region} ({answer}).")
    if answer.status == 403:  # noqa: PLR2004 - status
        return NotInPlanError(f"Amplitude refused {what} to these keys ({answer}).")
    if answer.status == 400:  # noqa: PLR2004 - status
        return RequestRejectedError(f"Amplitude rejected the request for {what} ({answer}).")
    return common_error(answer, what)


def names_the_keys(answer: Answer) -> bool:
    """Return whether an answer's words blame the API key or the secret key."""
    return bool(_KEYS_TEXT.search(answer.reason))


def _seconds(answer: Answer) -> float | None:
    """Return what Retry-After asks for: seconds, or an HTTP date compared with the answer's own Date."""
    text = (answer.retry_after or "").strip()
    if re.fullmatch(r"\d{1,6}", text):
        return float(text)
    moment = date_from_header(text)
    if moment is None or answer.date is None:
        return None
    return max(0.0, (moment - answer.date).total_seconds())
