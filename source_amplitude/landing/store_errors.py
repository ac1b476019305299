"""Translate errors of obstore and of folders into the connector's, with the store's message and without secrets."""

from __future__ import annotations

import errno
import os
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from source_amplitude.api.redaction import forms_of, masked, printable
from source_amplitude.errors import AmplitudeError, DiskFullError, StoreDeniedError, StoreError
from source_amplitude.landing.credentials import LOOKED_FOR, names_in_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.landing.destination import Destination

_MAX_SHOWN_CHARS = 300
_SECRET_VARIABLES = re.compile(r"(KEY|SECRET|TOKEN|SAS|PASSWORD|CONNECTION_STRING)")
_SHORTEST_SECRET_CHARS = 8

_STATUS = re.compile(r"non-2xx status code: (\d{3})( [A-Z][A-Za-z ]+)?")
_ABOUT_A_HEADER = re.compile(
    r"if-(none-)?match|NotImplemented"
    r"|(not supported|unsupported|not implemented|unknown|invalid)\b.{0,60}\b(header|condition)"
    r"|\b(header|condition).{0,60}(not supported|unsupported|not implemented|unknown|not allowed)",
    re.IGNORECASE,
)
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_BAD_CREDENTIALS = ("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId")
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_OTHER_REGION = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
_OTHER_REGION_TEXT = "redirect without LOCATION"  # obstore's text for a response from another region
_METADATA_SERVICES = ("169.254.169.254", "169.254.170.2", "metadata.google.internal")


def translated(error: BaseException, destination: Destination, doing: str) -> AmplitudeError:
    """Return the error to raise for ``error``; ``doing`` names the failed operation, such as ``writing a/b``."""
    status, errno_ = status_of(error), _errno(error)
    if errno_ in _FULL:
        return DiskFullError(f"The disk of {destination} is full: {doing} failed.")
    setup_error = _setup_error(error, destination, doing)
    if setup_error is not None:
        return setup_error
    if _is_denied(error, status, errno_):
        return StoreDeniedError(f"{destination} denied {doing}{_cause(error)}.")
    if isinstance(error, FileNotFoundError) or status == HTTPStatus.NOT_FOUND:
        return StoreDeniedError(f"{destination} does not exist: {doing} failed{_cause(error)}.")
    return StoreError(f"{destination} failed while {doing}{_cause(error)}.")


def _setup_error(error: BaseException, destination: Destination, doing: str) -> StoreDeniedError | None:
    """Return the error for missing credentials, a wrong region or a wrong address; None for other failures."""
    text = str(error)
    if any(service in text for service in _METADATA_SERVICES):  # a proxy may respond with 403 instead
        return StoreDeniedError(
            f"No credentials for {destination} were found: {doing} failed. "
            f"Looked for: {LOOKED_FOR.get(destination.scheme, '')}."
        )
    if _OTHER_REGION_TEXT in text or _tag(text, "Code") in _OTHER_REGION:
        return _other_region_error(text, destination, doing)
    if "builder error" in text:
        return StoreDeniedError(
            f"The address of {destination} in the environment cannot be used: {doing} failed.",
            next_step="Use an https address, or set AWS_ALLOW_HTTP=true (AZURE_ALLOW_HTTP=true) for a local one.",
        )
    if is_panic(error):
        return StoreDeniedError(
            f"A setting of {destination} in the environment cannot be used: {doing} failed{_cause(error)}.",
            next_step=f"Correct these variables: {', '.join(names_in_use(destination.scheme, os.environ)) or 'none'}.",
        )
    return None


def is_panic(error: BaseException) -> bool:
    """Return whether Rust code has panicked: obstore does so if the address of a request is not valid."""
    return type(error).__name__ == "PanicException"


def _is_denied(error: BaseException, status: int | None, errno_: int | None) -> bool:
    from obstore.exceptions import (  # noqa: PLC0415 - installed only with the extra [land]
        PermissionDeniedError,
        UnauthenticatedError,
    )

    return (
        isinstance(error, (PermissionDeniedError, UnauthenticatedError, PermissionError))
        or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        or errno_ in _FORBIDDEN
        or _tag(str(error), "Code") in _BAD_CREDENTIALS
    )


def _other_region_error(text: str, destination: Destination, doing: str) -> StoreDeniedError:
    """Return an error with the region of the requests and, if the store reports it, the region of the bucket."""
    named = next((each for each in _REGION_VARIABLES if os.environ.get(each, "").strip()), "")
    used = f"{named}={os.environ[named]}" if named else "AWS_REGION and AWS_DEFAULT_REGION are not set"
    right = _tag(text, "Region") or next(iter(re.findall(r"expecting '([a-z0-9-]+)'", text)), "")
    where = f"in region {right}, not in the region that" if right else "not in the region that"
    next_step = (
        f"Set AWS_REGION={right}"
        if right
        else (
            "Set AWS_REGION to the bucket's region "
            f"(aws s3api get-bucket-location --bucket {destination.bucket} prints it), or correct AWS_ENDPOINT_URL"
        )
    )
    return StoreDeniedError(
        f"{destination} is {where} requests were signed for ({used}): {doing} failed.",
        next_step=f"{next_step}, and run the command again.",
    )


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of a store's response; None without a response, or if obstore does not report it."""
    match = _STATUS.search(str(error))
    return int(match[1]) if match else None


def lacks_conditions(error: Exception) -> bool:
    """Return whether a store refused a write because it does not support conditional writes.

    Some S3-compatible stores respond with 501, with 405, or with 400 and a message about the header. A store that
    responds with 405 for another reason refuses the unconditional write too.
    """
    if isinstance(error, NotImplementedError):
        return True
    text, status = str(error), status_of(error)
    if status == HTTPStatus.BAD_REQUEST:
        response = text.partition("status code: 400")[2].partition("Debug source")[0]
        return bool(_ABOUT_A_HEADER.search(response))
    unsupported = (HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.METHOD_NOT_ALLOWED)
    return status in unsupported or _tag(text, "Code") == "NotImplemented"


def ended_early(error: BaseException) -> bool:
    """Return whether the connection ended within a response; obstore retries only if it ends before a response."""
    return "response body error" in str(error)


def _errno(error: BaseException) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    match = _OS_ERROR.search(str(error))
    return int(match[1]) if match else None


def _cause(error: BaseException) -> str:
    message = store_message(error)
    return f" ({message})" if message else ""


def store_message(error: BaseException) -> str:
    """Return the store's error code and message, or else obstore's text, without secrets."""
    text = str(error)
    match = _STATUS.search(text)
    if match:
        message = ", ".join(filter(None, (_tag(text, "Code"), _tag(text, "Message"))))
        text = f"{match[1]}{match[2] or ''}{': ' if message else ''}{message}"
    text = " ".join(text.split("Debug source", 1)[0].split())
    text = re.sub(r"(https?://[^\s?\"'<>)]+)\?[^\s\"'<>)]*", r"\1", text)
    text = masked(text, (form for form in forms_of(_secrets()) if len(form) >= _SHORTEST_SECRET_CHARS))
    return printable(text[:_MAX_SHOWN_CHARS].strip().rstrip("."))


def _tag(text: str, name: str) -> str:
    """Return the text of the element ``name`` in an XML response, or an empty text."""
    match = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return match[1].strip() if match else ""


def _secrets() -> Iterator[str]:
    """Yield the values in the environment that may be credentials."""
    for name, value in os.environ.items():
        if not _SECRET_VARIABLES.search(name):
            continue
        # Connection strings are separated by semicolons, shared access signatures by ampersands.
        parts = (part.partition("=")[2] for part in re.split(r"[;&]", value))
        for text in (value, *parts):
            yield from (text, unquote(text))
