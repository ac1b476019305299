"""What an answer is and means: Amplitude's own word or another program's, good, or the error that it stands for.

A gateway, a proxy or a login page can stand between us and Amplitude and answer with any status. This module is the
only place that decides which answers are Amplitude's (amplitude-api.md 0.3, 1.4); what is not is quoted, and proves
nothing.
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
# Recorded: "Raw data files were not found." The words around the phrase may vary.
_NO_FILES_TEXT = re.compile(rb"raw\s+data\s+files?\b", re.IGNORECASE)
# A body that should be an archive may hold events; their values must not reach a log.
_EVENT_KEYS = re.compile(
    r"insert_?id|event_?(type|properties)|user_?(id|properties)|device_?id|amplitude_?id|e-?mail\"", re.IGNORECASE
)
_MOST_UNPRINTABLE = 0.3
_REDIRECTS = range(300, 400)
# What opens a file or a session by itself, in an address that a page may repeat.
_SIGNED = re.compile(
    r"((?:X-(?:Amz|Goog|Ms)-[\w-]+|sig|signature|\w*token|password)(?:=|\"?:\s*\"?)|bearer )[^&\s\"'<>\\]+",
    re.IGNORECASE,
)
_MAX_REASON_CHARS = 300
# The words of an export that is too large are not established; 400 is documented for nothing else, so a 400 without
# words counts too. Asking for less is harmless where it was something else: it ends at one hour with the same words.
_SIZE_TEXT = re.compile(r"too (large|big|many|much)|exceed|maximum|\b\d+ ?GB\b|\bsize\b", re.IGNORECASE)
_NO_WORDS = ("", "Unspecified Error", "unspecified", "invalid")
_KEYS_TEXT = re.compile(r"(api|secret)[ _/-]*(key|secret)|credential|unauthori[sz]ed|authenticat", re.IGNORECASE)

NOT_FOUND = 404
_FIRST_ERROR_STATUS = 400
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class ErrorResponse:
    """The part of an HTTP answer that errors are made from.

    Attributes:
        reason: Amplitude's own words, keys masked; empty where the body has none.
        retry_after: The Retry-After header; no documentation mentions one, so it may be missing.
        quote: Status, content type and beginning of a body in no form of Amplitude's, keys masked; else empty.
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
    """A good answer.

    Attributes:
        status: 200, 202 or 302.
        body: All of it, unless it went to a sink.
        location: Where a redirect leads.
        keys: Masked where the body is quoted.
    """

    status: int
    body: bytes = b""
    location: str = ""
    content_type: str = field(default="", compare=False)
    keys: Keys | None = field(default=None, compare=False, repr=False)

    def json(self, what: str) -> object:
        """Return the decoded body, whatever its content type: some JSON is called text/html (observed).

        Lone surrogates become U+FFFD: strict readers of JSON refuse them. Raise a GarbledAnswerError if it is not JSON.
        """
        try:
            text = self.body.decode("utf-8", "surrogatepass").removeprefix(_BYTE_ORDER_MARK)
            value, lone = replace_surrogates(json.loads(text)) if may_hold_surrogates(text) else (json.loads(text), 0)
        except (ValueError, RecursionError) as error:
            raise GarbledResponseError(f"The answer to {what} is not JSON ({self._quote()}).") from error
        if lone:
            _logger.warning("%d lone surrogates in what Amplitude answered %s became U+FFFD.", lone, what)
        return value

    def _quote(self) -> str:
        text = self.body.removeprefix(_BYTE_ORDER_MARK.encode()).lstrip()
        if text[:1] in (b"{", b"["):  # Amplitude's own data, cut short: its values are not shown
            return f"HTTP {self.status}, {len(self.body):,} bytes that begin like JSON"
        return quoted(self.status, self.content_type, self.body, self.keys)


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


def export_error(answer: ErrorResponse, window: HourWindow, region: str) -> AmplitudeError:
    """Return the error for an export's answer; an archive and "no files" are not errors and do not come here."""
    if answer.status == 400 and (_SIZE_TEXT.search(answer.reason) or answer.reason in _NO_WORDS):  # noqa: PLR2004 - status
        return ExportTooLargeError(f"The export for {window} is too large ({answer}).")
    if answer.status == 504:  # noqa: PLR2004 - status; documented for very large data
        return ExportTooSlowError(f"The export for {window} took Amplitude too long ({answer}).")
    if answer.status == NOT_FOUND or is_foreign(answer):
        return foreign_error(answer, f"the export for {window}")
    if answer.status in (401, 403) or (answer.status == 400 and names_the_keys(answer)):  # noqa: PLR2004 - statuses
        return CredentialsRejectedError(f"Amplitude refused the keys at the {region} ({answer}).")
    return common_error(answer, f"the export for {window}")


def is_foreign(answer: ErrorResponse) -> bool:
    """Return whether an answer must be another program's: 429 and 5xx mean the same from a gateway of Amplitude's."""
    if answer.status < _FIRST_ERROR_STATUS:
        return True
    return answer.status < _SERVER_ERRORS and answer.status != _TOO_MANY_REQUESTS and bool(answer.quote)


def foreign_error(answer: ErrorResponse, what: str) -> ForeignResponseError:
    return ForeignResponseError(f"The answer to {what} is not Amplitude's ({answer}).")


def common_error(answer: ErrorResponse, what: str) -> AmplitudeError:
    """Return the error for statuses that mean the same at every endpoint."""
    if answer.status == 429:  # noqa: PLR2004 - status
        return RateLimitedError(
            f"Amplitude's rate limit stopped {what} ({answer}).", retry_after_seconds=_seconds(answer)
        )
    if answer.status >= 500:  # noqa: PLR2004 - status
        return ServerFailureError(f"Amplitude failed at {what} ({answer}).")
    return UnexpectedResponseError(f"Amplitude answered {what} with {answer}.")


def rest_error(answer: ErrorResponse, what: str, region: str) -> AmplitudeError:
    """Return the error that an answer of the REST APIs stands for; the good statuses do not come here."""
    if answer.status >= _FIRST_ERROR_STATUS and is_foreign(answer):
        return foreign_error(answer, what)
    names_keys = names_the_keys(answer)
    # 401 means the keys wherever it is documented.
    if answer.status == 401 or (answer.status in (400, 403) and names_keys):  # noqa: PLR2004 - statuses
        asked = "" if names_keys else f" for {what}"
        return CredentialsRejectedError(f"Amplitude refused the keys{asked} at the {region} ({answer}).")
    if answer.status == NOT_FOUND:
        return NotFoundError(f"Amplitude has no {what} ({answer}).")
    if answer.status == 403:  # noqa: PLR2004 - status
        return NotInPlanError(f"Amplitude refused {what} to these keys ({answer}).")
    if answer.status == 400:  # noqa: PLR2004 - status
        return RequestRejectedError(f"Amplitude rejected the request for {what} ({answer}).")
    return common_error(answer, what)


def names_the_keys(answer: ErrorResponse) -> bool:
    """Return whether an answer's words blame the API key or the secret key."""
    return bool(_KEYS_TEXT.search(answer.reason))


def _seconds(answer: ErrorResponse) -> float | None:
    """Return what Retry-After asks for: seconds, or an HTTP date compared with the answer's own Date."""
    text = (answer.retry_after or "").strip()
    if re.fullmatch(r"\d{1,6}", text):
        return float(text)
    moment = date_from_header(text)
    if moment is None or answer.date is None:
        return None
    return max(0.0, (moment - answer.date).total_seconds())


def says_no_files(body: bytes) -> bool:
    """Return whether the body of an export's 404 is Amplitude's word that it has no files for these hours.

    It is one if it is the JSON envelope with ``http_code`` 404, or has the phrase about raw data files (recorded,
    amplitude-api.md 0.3). A 404 of anything in between is neither.
    """
    error = _json_object(body).get("error")
    return (isinstance(error, dict) and error.get("http_code") == NOT_FOUND) or bool(_NO_FILES_TEXT.search(body))


def is_error_envelope(body: bytes) -> bool:
    """Return whether ``body`` is in one of Amplitude's forms of errors (amplitude-api.md 0.3), or names raw files."""
    parsed = _json_object(body)
    return any(key in parsed for key in ("error", "errors", "errorCode")) or bool(_NO_FILES_TEXT.search(body))


def is_export_envelope(body: bytes) -> bool:
    """Return whether ``body`` is an export's error in its envelope (0.3), or names raw files."""
    error = _json_object(body).get("error")
    is_envelope = isinstance(error, dict) and ("http_code" in error or "metadata" in error)
    return is_envelope or bool(_NO_FILES_TEXT.search(body))


def begins_like_an_archive(beginning: bytes) -> bool:
    """Return whether the body of a 200 to an export may be an archive; anything else is another program's page."""
    return beginning.startswith(_ARCHIVE)


def has_a_first_member(beginning: bytes) -> bool:
    """Return whether an archive begins with a file: an empty zip is an answer that Amplitude was never seen to give."""
    return beginning.startswith(_FIRST_MEMBER)


def quoted(status: int, content_type: str, body: bytes, keys: Keys | None = None) -> str:
    """Return status, content type and the first 200 characters of a body, escaped, without any form of the keys."""
    kind = "".join(filter(str.isprintable, content_type.partition(";")[0].strip()))[:_QUOTED_CHARS]
    head = f"HTTP {status}{f', {_masked(kind, keys)}' if kind else ''}"
    if status in _REDIRECTS:  # its page repeats the address that it leads to
        return head
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return f"{head}, an empty body"
    if _EVENT_KEYS.search(text):
        return f"{head}, text with event data that is not shown here"
    odd_chars = sum(char == "\ufffd" or not (char.isprintable() or char.isspace()) for char in text)
    if odd_chars > _MOST_UNPRINTABLE * len(text):
        return f"{head}, binary data"
    # Masked before it is cut, or half a key could stay; and again afterwards, since escapes can hide one.
    shown = _SIGNED.sub(rf"\1{MASK}", _masked(text, keys))
    shown = json.dumps(shown[:_QUOTED_CHARS] + ("..." if len(shown) > _QUOTED_CHARS else ""))
    return f"{head}, {_masked(shown, keys)}"


def _masked(text: str, keys: Keys | None) -> str:
    """Return ``text`` without any form of the keys; as it reads without HTML's escapes where these hide one."""
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
