"""Whether an answer is Amplitude's own word; what is not is quoted, and proves nothing.

A gateway, a proxy or a login page can stand between us and Amplitude and answer with any status. This module is the
only place that decides which answers are Amplitude's (amplitude-api.md 0.3, 1.4).
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from source_amplitude.api.redaction import MASK, redact

if TYPE_CHECKING:
    from source_amplitude.config import Keys

_NOT_FOUND = 404
_QUOTED_CHARS = 200
_FIRST_MEMBER = b"PK\x03\x04"
_ARCHIVE = b"PK"
# Recorded: "Raw data files were not found." The words around the phrase may vary.
_NO_FILES_TEXT = re.compile(rb"raw\s+data\s+files?\b", re.IGNORECASE)
# A body that should be an archive may hold events; their values must not reach a log.
_EVENT_KEYS = re.compile(r"insert_id|event_type|event_properties|user_properties|device_id|amplitude_id")
_MOST_UNPRINTABLE = 0.3
_REDIRECTS = range(300, 400)
# What opens a file or a session by itself, in an address that a page may repeat.
_SIGNED = re.compile(r"((?:X-(?:Amz|Goog|Ms)-[\w-]+|sig|signature|\w*token|password)=)[^&\s\"'<>\\]+", re.IGNORECASE)


def says_no_files(body: bytes) -> bool:
    """Return whether the body of an export's 404 is Amplitude's word that it has no files for these hours.

    It is one if it is the JSON envelope with ``http_code`` 404, or has the phrase about raw data files (recorded,
    amplitude-api.md 0.3). A 404 of anything in between is neither.
    """
    error = _json_object(body).get("error")
    return (isinstance(error, dict) and error.get("http_code") == _NOT_FOUND) or bool(_NO_FILES_TEXT.search(body))


def is_error_envelope(body: bytes) -> bool:
    """Return whether ``body`` is in one of Amplitude's forms of errors (amplitude-api.md 0.3), or names raw files."""
    parsed = _json_object(body)
    return any(key in parsed for key in ("error", "errors", "errorCode")) or bool(_NO_FILES_TEXT.search(body))


def begins_like_an_archive(beginning: bytes) -> bool:
    """Return whether the body of a 200 to an export may be an archive; anything else is another program's page."""
    return beginning.startswith(_ARCHIVE)


def has_a_first_member(beginning: bytes) -> bool:
    """Return whether an archive begins with a file: an empty zip is an answer that Amplitude was never seen to give."""
    return beginning.startswith(_FIRST_MEMBER)


def quoted(status: int, content_type: str, body: bytes, keys: Keys | None = None) -> str:
    """Return status, content type and the first 200 characters of a body, escaped, without any form of the keys."""
    kind = "".join(filter(str.isprintable, content_type.partition(";")[0].strip()))[:_QUOTED_CHARS]
    head = f"HTTP {status}{f', {kind}' if kind else ''}"
    if status in _REDIRECTS:  # its page repeats the address that it leads to
        return head
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return f"{head}, an empty body"
    if _EVENT_KEYS.search(text):
        return f"{head}, text with event data that is not shown here"
    if sum(char == "\ufffd" or not (char.isprintable() or char.isspace()) for char in text) > _MOST_UNPRINTABLE * len(
        text
    ):
        return f"{head}, binary data"
    # Masked before it is cut, or half a key could stay; and again afterwards, since escapes can hide one.
    shown = _SIGNED.sub(rf"\1{MASK}", redact(text, keys) if keys else text)
    shown = json.dumps(shown[:_QUOTED_CHARS] + ("..." if len(shown) > _QUOTED_CHARS else ""))
    return f"{head}, {redact(shown, keys) if keys else shown}"


def _json_object(body: bytes) -> dict[str, object]:
    with suppress(ValueError, RecursionError):  # not JSON, or nested too deeply
        parsed = json.loads(body)
        if isinstance(parsed, dict):
            return parsed
    return {}
