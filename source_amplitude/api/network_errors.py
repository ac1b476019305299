"""Exceptions of requests and urllib3 as errors of the connector, with a short reason in the message."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
import urllib3

from source_amplitude.api.redaction import redact
from source_amplitude.errors import AmplitudeError, NetworkError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from source_amplitude.config import Keys

_logger = logging.getLogger("airbyte")

_TEMPORARY_TEXT = "Temporary failure"
_DNS_TEXTS = (
    "NameResolutionError",
    "Name or service not known",
    "nodename nor servname",
    "getaddrinfo failed",
)
_CONNECT_TEXTS = ("NewConnectionError", "ProxyError", "Connection refused", "unreachable", "No route", _TEMPORARY_TEXT)
_REASONS = {
    "connection refused": "connection refused",
    "reset by peer": "connection reset",
    "remote end closed": "connection closed by the server",
    "incompleteread": "connection closed before the end of the response",
    "proxyerror": "proxy error",
    "network is unreachable": "network unreachable",
    "no route to host": "no route to the host",
    "certificate": "certificate not accepted",
    "unexpected_eof": "connection closed during the handshake",
    "temporary failure": "temporary DNS failure",
}
"""Part of an exception's text, lower case, to the reason in the message."""


@contextmanager
def network_errors(what: str, host: str, timeout: tuple[float, float], keys: Keys) -> Iterator[None]:
    """Raise exceptions of requests and urllib3 as errors of the connector; log their texts at debug level.

    Args:
        what: The request, such as ``the export for ...``.
        host: The host that the request went to.
        timeout: Seconds for the connection and for each read.
        keys: Masked in every text.

    Raises:
        NetworkError: No connection, a timeout, or a response that is cut off; a retry may succeed.
        UnreachableError: The host name has no address, or its certificate is not accepted.
    """
    try:
        yield
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        text = redact(f"{type(error).__name__}: {' '.join(str(error).split())}", keys)
        raise _error(error, text, what=what, host=host, timeout=timeout) from error


def unusable_certificates_error(error: OSError, what: str) -> UnreachableError:
    """Return the error for certificates that requests cannot read; its text contains their path."""
    names = [name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)]
    where = f"{names[0]} is {os.environ[names[0]]!r}, which" if names else "The certificate file"
    _logger.debug("The request for %s was not sent: %s", what, error)
    return UnreachableError(f"Cannot send the request for {what}: {where} does not exist or cannot be read.")


def _error(error: Exception, text: str, *, what: str, host: str, timeout: tuple[float, float]) -> AmplitudeError:
    _logger.debug("The request for %s to %s failed: %s", what, host, text)
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        is_permanent = "certificate" in text.lower()
        return (UnreachableError if is_permanent else NetworkError)(
            f"The TLS connection to {host} for {what} failed ({_reason(text)})."
        )
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        is_read = isinstance(error, requests.exceptions.ReadTimeout | urllib3.exceptions.ReadTimeoutError)
        return NetworkError(f"{host} sent nothing for {what} within {timeout[is_read]:g} seconds.")
    if any(each in text for each in _DNS_TEXTS) and _TEMPORARY_TEXT not in text:
        return UnreachableError(f"Cannot resolve the host name {host} for {what}.")
    verb = "Cannot connect to" if any(each in text for each in _CONNECT_TEXTS) else "Lost the connection to"
    return NetworkError(f"{verb} {host} for {what} ({_reason(text)}).")


def _reason(text: str) -> str:
    """Return a short reason for people; the exception's name where its text has no known reason."""
    lower = text.lower()
    return next((reason for part, reason in _REASONS.items() if part in lower), text.partition(":")[0])
