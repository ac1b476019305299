"""Classifies responses: from Amplitude or from another program, and the error that each failure stands for.

A gateway, a proxy or a login page between this machine and Amplitude can respond with any status. Only this module
decides which responses are from Amplitude (amplitude-api.md 0.3, 1.4). Messages quote the others, and no hour is
recorded as empty because of them.
"""

from __future__ import annotations

import html
import json
import logging
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from source_amplitude.api.redaction import MASK, redact
from source_amplitude.errors import (
    AmplitudeError,
    CredentialsRejectedError,
    ExportTooLargeError,
    ExportTooSlowError,
    ForeignResponseError,
    GarbledResponseError,
    NotFoundError,
    NotInPlanError,
    RateLimitedError,
    RequestRejectedError,
    ServerFailureError,
    UnexpectedResponseError,
    counted,
)
from source_amplitude.records import may_hold_surrogates, replace_surrogates

if TYPE_CHECKING:
    from datetime import datetime

    from source_amplitude.config import Keys
    from source_amplitude.windows import HourWindow

_logger = logging.getLogger("airbyte")

_QUOTED_CHARS = 200
_FIRST_MEMBER = b"PK\x03\x04"
_ARCHIVE = b"PK"
# Recorded: "Raw data files were not found." The text around the phrase may vary.
_NO_FILES_TEXT = re.compile(rb"raw\s+data\s+files?\b", re.IGNORECASE)
# A body in place of an archive may contain events; their values must not reach a log.
_EVENT_KEYS = re.compile(
    r"insert_?id|event_?(type|properties)|user_?(id|properties)|device_?id|amplitude_?id|e-?mail\"", re.IGNORECASE
)
_MOST_UNPRINTABLE = 0.3
_REDIRECTS = range(300, 400)
# Signatures and tokens in an address that a page may repeat.
_SIGNED = re.compile(
    r"((?:X-(?:Amz|Goog|Ms)-[\w-]+|sig|signature|\w*token|password)(?:=|\"?:\s*\"?)|bearer )[^&\s\"'<>\\]+",
    re.IGNORECASE,
)
_MAX_REASON_CHARS = 300
# The text for an export that is too large is not documented. 400 has no other documented meaning, so a 400 without
# text counts as well. A smaller request is harmless if the cause is another one: it fails with the same text.
_SIZE_TEXT = re.compile(r"too (large|big|many|much)|exceed|maximum|\b\d+ ?GB\b|\bsize\b", re.IGNORECASE)
_NO_WORDS = ("", "Unspecified Error", "unspecified", "invalid")
_KEYS_TEXT = re.compile(r"(api|secret)[ _/-]*(key|secret)|credential|unauthori[sz]ed|authenticat", re.IGNORECASE)

NOT_FOUND = 404
_FIRST_ERROR_STATUS = 400
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_BYTE_ORDER_MARK = "\ufeff"
_PLAUSIBLE_YEARS = (1970, 2199)  # hours are added to and subtracted from the time


@dataclass(frozen=True)
class ErrorResponse:
    """The part of an HTTP response that errors are made from.

    Attributes:
        reason: Amplitude's text, keys masked; empty if the body has none.
        retry_after: The Retry-After header, which is not documented and may be missing.
        quote: Status, content type and beginning of a body that is not in Amplitude's format, keys masked; else empty.
    """

    status: int
    reason: str = ""
    retry_after: str | None = None
    date: datetime | None = None
    quote: str = ""

    def __str__(self) -> str:
        return self.quote or f"HTTP {self.status}{f': {self.reason}' if self.reason else ''}"


@dataclass(frozen=True)
class Response:
    """A good response.

    Attributes:
        status: 200, 202 or 302.
        body: The whole body, unless it was written to a sink.
        location: The target of a redirect.
        keys: The keys to mask when the body is quoted.
    """

    status: int
    body: bytes = b""
    location: str = ""
    content_type: str = field(default="", compare=False)
    keys: Keys | None = field(default=None, compare=False, repr=False)

    def json(self, what: str) -> object:
        """Return the decoded body; its content type is ignored, since some JSON is sent as text/html (observed).

        Lone surrogates become U+FFFD, because strict JSON parsers reject them. Raise a GarbledResponseError if the body
        is not valid JSON.
        """
        try:
            text = self.body.decode("utf-8", "surrogatepass").removeprefix(_BYTE_ORDER_MARK)
            value, lone = replace_surrogates(json.loads(text)) if may_hold_surrogates(text) else (json.loads(text), 0)
        except (ValueError, RecursionError) as error:
            raise GarbledResponseError(f"The response to {what} is not valid JSON ({self._quote()}).") from error
        if lone:
            _logger.warning("%s in the response to %s became U+FFFD.", counted(lone, "lone surrogate"), what)
        return value

    def _quote(self) -> str:
        text = self.body.removeprefix(_BYTE_ORDER_MARK.encode()).lstrip()
        if text[:1] in (b"{", b"["):  # Amplitude's data, cut off; its values must not be shown
            return f"HTTP {self.status}, {len(self.body):,} bytes that start like JSON"
        return quoted(self.status, self.content_type, self.body, self.keys)


def reason_from_body(body: bytes) -> str:
    """Return the text of an error body: details and message of the JSON envelope, or the start of plain text.

    An HTML page of a gateway becomes "an HTML page" (amplitude-api.md 0.3, observed).
    """
    text = body.decode("utf-8", "replace").strip()
    with suppress(ValueError, RecursionError):  # not JSON, or nested too deeply
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
    """Return the time of a Date header, aware UTC; None if it is missing, invalid, or before 1970 or after 2199."""
    try:
        moment = parsedate_to_datetime(text) if text else None
        if moment is None or not _PLAUSIBLE_YEARS[0] <= moment.year <= _PLAUSIBLE_YEARS[1]:
            return None
        return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError):  # Python 3.10 raises TypeError for a text that is not a date
        return None


def export_error(response: ErrorResponse, window: HourWindow, region: str) -> AmplitudeError:
    """Return the error for a failed export."""
    if response.status == 400 and (_SIZE_TEXT.search(response.reason) or response.reason in _NO_WORDS):  # noqa: PLR2004 - status
        return ExportTooLargeError(f"The export for {window} is too large ({response}).")
    if response.status == 504:  # noqa: PLR2004 - status; documented for very large data
        return ExportTooSlowError(f"The export for {window} timed out at Amplitude ({response}).")
    if response.status == NOT_FOUND or is_foreign(response):
        return foreign_error(response, f"the export for {window}")
    if response.status in (401, 403) or (response.status == 400 and names_the_keys(response)):  # noqa: PLR2004 - statuses
        return CredentialsRejectedError(f"Amplitude rejected the API keys ({region}, {response}).")
    return common_error(response, f"the export for {window}")


def is_foreign(response: ErrorResponse) -> bool:
    """Return whether the response is from another program; 429 and 5xx of a gateway mean the same as Amplitude's."""
    if response.status < _FIRST_ERROR_STATUS:
        return True
    return response.status < _SERVER_ERRORS and response.status != _TOO_MANY_REQUESTS and bool(response.quote)


def foreign_error(response: ErrorResponse, what: str) -> ForeignResponseError:
    return ForeignResponseError(f"The response to {what} is not from Amplitude ({response}).")


def common_error(response: ErrorResponse, what: str) -> AmplitudeError:
    """Return the error for a status that has the same meaning at every endpoint."""
    if response.status == 429:  # noqa: PLR2004 - status
        return RateLimitedError(f"Rate limit reached for {what} ({response}).", retry_after_seconds=_seconds(response))
    if response.status >= 500:  # noqa: PLR2004 - status
        return ServerFailureError(f"Amplitude server error for {what} ({response}).")
    return UnexpectedResponseError(f"Unexpected response to {what} ({response}).")


def rest_error(response: ErrorResponse, what: str, region: str) -> AmplitudeError:
    """Return the error for a failed request to the REST APIs."""
    if response.status >= _FIRST_ERROR_STATUS and is_foreign(response):
        return foreign_error(response, what)
    names_keys = names_the_keys(response)
    # 401 is documented for rejected keys only.
    if response.status == 401 or (response.status in (400, 403) and names_keys):  # noqa: PLR2004 - statuses
        about = "" if names_keys else f" for {what}"
        return CredentialsRejectedError(f"Amplitude rejected the API keys{about} ({region}, {response}).")
    if response.status == NOT_FOUND:
        return NotFoundError(f"Amplitude did not find {what} ({response}).")
    if response.status == 403:  # noqa: PLR2004 - status
        return NotInPlanError(f"Amplitude denies these API keys access to {what} ({response}).")
    if response.status == 400:  # noqa: PLR2004 - status
        return RequestRejectedError(f"Amplitude rejected the request for {what} ({response}).")
    return common_error(response, what)


def names_the_keys(response: ErrorResponse) -> bool:
    """Return whether the response's text is about the API key or the secret key."""
    return bool(_KEYS_TEXT.search(response.reason))


def _seconds(response: ErrorResponse) -> float | None:
    """Return the seconds of Retry-After: a number, or an HTTP date minus the response's Date."""
    text = (response.retry_after or "").strip()
    if re.fullmatch(r"\d{1,6}", text):
        return float(text)
    moment = date_from_header(text)
    if moment is None or response.date is None:
        return None
    return max(0.0, (moment - response.date).total_seconds())


def says_no_files(body: bytes) -> bool:
    """Return whether the body of an export's 404 states that Amplitude has no files for these hours.

    It does if it is the JSON envelope with ``http_code`` 404, or contains the phrase about raw data files (recorded,
    amplitude-api.md 0.3). A gateway's 404 has neither.
    """
    error = _json_object(body).get("error")
    return (isinstance(error, dict) and error.get("http_code") == NOT_FOUND) or bool(_NO_FILES_TEXT.search(body))


def is_error_envelope(body: bytes) -> bool:
    """Return whether ``body`` is one of Amplitude's error formats (amplitude-api.md 0.3)."""
    parsed = _json_object(body)
    return any(key in parsed for key in ("error", "errors", "errorCode")) or bool(_NO_FILES_TEXT.search(body))


def is_export_envelope(body: bytes) -> bool:
    """Return whether ``body`` is the error format of exports (amplitude-api.md 0.3)."""
    error = _json_object(body).get("error")
    is_envelope = isinstance(error, dict) and ("http_code" in error or "metadata" in error)
    return is_envelope or bool(_NO_FILES_TEXT.search(body))


def begins_like_an_archive(beginning: bytes) -> bool:
    """Return whether the body may be a zip archive; any other body of a 200 is from another program."""
    return beginning.startswith(_ARCHIVE)


def has_a_first_member(beginning: bytes) -> bool:
    """Return whether an archive starts with a file; Amplitude was never observed to send an empty archive."""
    return beginning.startswith(_FIRST_MEMBER)


def quoted(status: int, content_type: str, body: bytes, keys: Keys | None = None) -> str:
    """Return status, content type and the first 200 characters of a body, escaped, with the keys masked."""
    kind = "".join(filter(str.isprintable, content_type.partition(";")[0].strip()))[:_QUOTED_CHARS]
    start = f"HTTP {status}{f', {_masked(kind, keys)}' if kind else ''}"
    if status in _REDIRECTS:  # its page repeats the target address
        return start
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return f"{start}, an empty body"
    if _EVENT_KEYS.search(text):
        return f"{start}, text with event data (not shown)"
    odd_chars = sum(char == "\ufffd" or not (char.isprintable() or char.isspace()) for char in text)
    if odd_chars > _MOST_UNPRINTABLE * len(text):
        return f"{start}, binary data"
    # Masked before the cut, which could split a key, and after the escape, which could hide one.
    shown = _SIGNED.sub(rf"\1{MASK}", _masked(text, keys))
    shown = json.dumps(shown[:_QUOTED_CHARS] + ("..." if len(shown) > _QUOTED_CHARS else ""))
    return f"{start}, {_masked(shown, keys)}"


def _masked(text: str, keys: Keys | None) -> str:
    """Return ``text`` with all forms of the keys masked; HTML escapes are decoded if they hide a key."""
    if keys is None:
        return text
    plain = html.unescape(text)
    masked = redact(plain, keys)
    return redact(text, keys) if masked == plain else masked


def _json_object(body: bytes) -> dict[str, object]:
    with suppress(ValueError, RecursionError):  # not JSON, or nested too deeply
        parsed = json.loads(body)
        if isinstance(parsed, dict):
            return parsed
    return {}
