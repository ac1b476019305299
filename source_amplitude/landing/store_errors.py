"""The errors of obstore and of folders as ours, in the store's own words and without anything that opens the store."""

from __future__ import annotations

import errno
import os
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from source_amplitude.api.redaction import forms_of, masked
from source_amplitude.errors import AmplitudeError, DiskFullError, StoreDeniedError, StoreError
from source_amplitude.landing.credentials import LOOKED_FOR

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
_WITHOUT_LOCATION = "redirect without LOCATION"  # how obstore says it of an answer with another region's name
_METADATA_SERVICES = ("169.254.169.254", "169.254.170.2", "metadata.google.internal")


def translated(error: BaseException, destination: Destination, doing: str) -> AmplitudeError:
    """Return what is to be raised where ``error`` came of ``doing`` something in ``destination``."""
    text, status, number = str(error), status_of(error), _os_error(error)
    if number in _FULL:
        return DiskFullError(f"The disk of {destination} is full: {doing} failed.")
    before_the_store = _nothing_asked_error(text, destination, doing)
    if before_the_store is not None:
        return before_the_store
    if _is_denied(error, status, number):
        return StoreDeniedError(f"{destination} denied {doing}{_cause(error)}.")
    if isinstance(error, FileNotFoundError) or status == HTTPStatus.NOT_FOUND:
        return StoreDeniedError(f"{destination} is not there: {doing} failed{_cause(error)}.")
    return StoreError(f"{destination} failed while {doing}{_cause(error)}.")


def _nothing_asked_error(text: str, destination: Destination, doing: str) -> StoreDeniedError | None:
    """Return an error where no request reached the store as it is to be: no credentials, wrong region or address."""
    if any(service in text for service in _METADATA_SERVICES):  # a proxy may answer 403 in its place
        return StoreDeniedError(
            f"No credentials for {destination} were found: {doing} failed. "
            f"Looked for: {LOOKED_FOR.get(destination.scheme, '')}."
        )
    if _WITHOUT_LOCATION in text or _tag(text, "Code") in _OTHER_REGION:
        return _other_region_error(text, destination, doing)
    if "builder error" in text:
        return StoreDeniedError(
            f"The address of {destination} in the environment cannot be used: {doing} failed.",
            next_step="Use an https address, or set AWS_ALLOW_HTTP=true (AZURE_ALLOW_HTTP=true) for a local one.",
        )
    return None


def _is_denied(error: BaseException, status: int | None, number: int | None) -> bool:
    from obstore.exceptions import (  # noqa: PLC0415 - installed only with the extra [land]
        PermissionDeniedError,
        UnauthenticatedError,
    )

    return (
        isinstance(error, (PermissionDeniedError, UnauthenticatedError, PermissionError))
        or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        or number in _FORBIDDEN
        or _tag(str(error), "Code") in _BAD_CREDENTIALS
    )


def _other_region_error(text: str, destination: Destination, doing: str) -> StoreDeniedError:
    """Return an error that names the region that requests were signed for, and the bucket's where the store says it."""
    named = next((each for each in _REGION_VARIABLES if os.environ.get(each, "").strip()), "")
    used = f"{named}={os.environ[named]}" if named else "AWS_REGION and AWS_DEFAULT_REGION are not set"
    right = _tag(text, "Region") or next(iter(re.findall(r"expecting '([a-z0-9-]+)'", text)), "")
    where = f"in the region {right}, not in the one that" if right else "not in the region that"
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
    """Return the status of HTTP that a store answered; None where nothing was answered or obstore does not say."""
    match = _STATUS.search(str(error))
    return int(match[1]) if match else None


def lacks_conditions(error: Exception) -> bool:
    """Return whether a store refused a write only because it knows no conditions; some copies of S3 do not.

    They say so with 501, with 405, or with 400 about the header. A store that refuses with 405 for another reason
    refuses the same write without a condition too.
    """
    if isinstance(error, NotImplementedError):
        return True
    text, status = str(error), status_of(error)
    if status == HTTPStatus.BAD_REQUEST:
        answered = text.partition("status code: 400")[2].partition("Debug source")[0]
        return bool(_ABOUT_A_HEADER.search(answered))
    known = (HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.METHOD_NOT_ALLOWED)
    return status in known or _tag(text, "Code") == "NotImplemented"


def ended_early(error: BaseException) -> bool:
    """Return whether the connection ended within an answer; obstore asks again only where it ends before one."""
    return "response body error" in str(error)


def _os_error(error: BaseException) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    match = _OS_ERROR.search(str(error))
    return int(match[1]) if match else None


def _cause(error: BaseException) -> str:
    words = store_words(error)
    return f" ({words})" if words else ""


def store_words(error: BaseException) -> str:
    """Return the store's own words, or else the first line of obstore's, without secrets."""
    text = str(error)
    match = _STATUS.search(text)
    if match:
        words = ", ".join(filter(None, (_tag(text, "Code"), _tag(text, "Message"))))
        text = f"{match[1]}{match[2] or ''}{': ' if words else ''}{words}"
    text = " ".join(text.split("Debug source", 1)[0].split())
    text = re.sub(r"(https?://[^\s?\"'<>)]+)\?[^\s\"'<>)]*", r"\1", text)
    text = masked(text, (form for form in forms_of(_secrets()) if len(form) >= _SHORTEST_SECRET_CHARS))
    return text[:_MAX_SHOWN_CHARS].strip().rstrip(".")


def _tag(text: str, name: str) -> str:
    """Return what an answer in XML says under ``name``."""
    match = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return match[1].strip() if match else ""


def _secrets() -> Iterator[str]:
    """Yield whatever in the environment may open a store."""
    for name, value in os.environ.items():
        if not _SECRET_VARIABLES.search(name):
            continue
        # A connection string has its keys behind semicolons, a shared access signature behind ampersands.
        parts = (part.partition("=")[2] for part in re.split(r"[;&]", value))
        for text in (value, *parts):
            yield from (text, unquote(text))
