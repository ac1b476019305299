"""The errors of obstore and of folders as ours, in the store's own words and without anything that opens the store."""

from __future__ import annotations

import errno
import os
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from source_amplitude.errors import AmplitudeError, DiskFullError, StoreDeniedError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.landing.place import Place

_MAX_SHOWN_CHARS = 300
_MASK = "****"
_SECRET_VARIABLES = re.compile(r"(KEY|SECRET|TOKEN|SAS|PASSWORD|CONNECTION_STRING)")
_SHORTEST_SECRET_CHARS = 8

_STATUS = re.compile(r"non-2xx status code: (\d{3})( [A-Z][A-Za-z ]+)?")
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_BAD_CREDENTIALS = ("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId")
_METADATA_SERVICES = ("169.254.169.254", "169.254.170.2", "metadata.google.internal")


def translated(error: BaseException, place: Place, doing: str) -> AmplitudeError:
    """Return what is to be raised where ``error`` came of ``doing`` something in ``place``."""
    from obstore.exceptions import (  # noqa: PLC0415 - installed only with the extra [land]
        PermissionDeniedError,
        UnauthenticatedError,
    )

    text, status, number = str(error), status_of(error), _os_error(error)
    if number in _FULL:
        return DiskFullError(f"The disk of {place} is full: {doing} failed.")
    if any(service in text for service in _METADATA_SERVICES):  # a proxy may answer 403 in its place
        return StoreDeniedError(f"No credentials for {place} were found in the environment: {doing} failed.")
    is_denied = isinstance(error, (PermissionDeniedError, UnauthenticatedError, PermissionError))
    if (
        is_denied
        or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        or number in _FORBIDDEN
        or _tag(text, "Code") in _BAD_CREDENTIALS
    ):
        return StoreDeniedError(f"{place} denied {doing}{_cause(error)}.")
    if isinstance(error, FileNotFoundError) or status == HTTPStatus.NOT_FOUND:
        return StoreDeniedError(f"{place} is not there: {doing} failed{_cause(error)}.")
    if "builder error" in text:
        return StoreDeniedError(
            f"The address of {place} in the environment cannot be used: {doing} failed.",
            next_step="Use an https address, or set AWS_ALLOW_HTTP=true (AZURE_ALLOW_HTTP=true) for a local one.",
        )
    return StoreError(f"{place} failed while {doing}{_cause(error)}.")


def status_of(error: BaseException) -> int | None:
    """Return the status of HTTP that a store answered; None where nothing was answered or obstore does not say."""
    match = _STATUS.search(str(error))
    return int(match[1]) if match else None


def lacks_conditions(error: Exception) -> bool:
    """Return whether a store refused a write only because it knows no conditions; some copies of S3 do not."""
    if isinstance(error, NotImplementedError):
        return True
    return status_of(error) == HTTPStatus.NOT_IMPLEMENTED or _tag(str(error), "Code") == "NotImplemented"


def ended_early(error: BaseException) -> bool:
    """Return whether the connection ended within an answer; obstore asks again only where it ends before one."""
    return "response body error" in str(error)


def _os_error(error: BaseException) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    match = _OS_ERROR.search(str(error))
    return int(match[1]) if match else None


def _cause(error: BaseException) -> str:
    """Return the store's own words, or else the first line of obstore's, without secrets."""
    text = str(error)
    match = _STATUS.search(text)
    if match:
        words = ", ".join(filter(None, (_tag(text, "Code"), _tag(text, "Message"))))
        text = f"{match[1]}{match[2] or ''}{': ' if words else ''}{words}"
    text = " ".join(text.split("Debug source", 1)[0].split())
    text = re.sub(r"(https?://[^\s?\"'<>)]+)\?[^\s\"'<>)]*", r"\1", text)
    for secret in _secrets():
        text = text.replace(secret, _MASK)
    return f" ({text[:_MAX_SHOWN_CHARS].strip().rstrip('.')})" if text else ""


def _tag(text: str, name: str) -> str:
    """Return what an answer in XML says under ``name``."""
    match = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return match[1].strip() if match else ""


def _secrets() -> list[str]:
    """Return whatever in the environment may open a store, in every form that it may have in a text; longest first."""
    return sorted(set(_secret_forms()), key=len, reverse=True)


def _secret_forms() -> Iterator[str]:
    for name, value in os.environ.items():
        if not _SECRET_VARIABLES.search(name):
            continue
        # A connection string has its keys behind semicolons, a shared access signature behind ampersands.
        parts = (part.partition("=")[2] for part in re.split(r"[;&]", value))
        for text in (value, *parts):
            for form in (text, unquote(text), quote(text, safe=""), quote(unquote(text), safe="")):
                if len(form) >= _SHORTEST_SECRET_CHARS:
                    yield form
