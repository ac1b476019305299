"""The HTTP client for Amplitude; each method sends exactly one request."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import HTTPBasicAuth

from source_amplitude.api.endpoints import EXPORT_PATH, PROBE_WINDOW, Host, Request, UnsafeRedirectError, export_hours
from source_amplitude.api.network_errors import network_errors, unusable_certificates_error
from source_amplitude.api.pace import Pace, PaceLimits, paced
from source_amplitude.api.redaction import redact
from source_amplitude.api.responses import (
    NOT_FOUND,
    ErrorResponse,
    Response,
    begins_like_an_archive,
    common_error,
    date_from_header,
    export_error,
    foreign_error,
    has_a_first_member,
    is_error_envelope,
    is_export_envelope,
    is_foreign,
    names_the_keys,
    quoted,
    reason_from_body,
    rest_error,
    says_no_files,
)
from source_amplitude.api.transport import Session
from source_amplitude.distribution import version
from source_amplitude.errors import (
    CredentialsRejectedError,
    NetworkError,
    ServerFailureError,
    UnexpectedResponseError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from source_amplitude.config import Keys, Region
    from source_amplitude.windows import HourWindow

_REDIRECTS = (302, 303, 307)
_COPY_BYTES = 256 * 1024
_FIRST_BYTES = 4096
_MOST_LENGTH_DIGITS = 18
MAX_FILE_BYTES = 16 * 1024**3
"""The largest archive or cohort file; Amplitude exports at most 4 GB (documented)."""

MAX_REST_BYTES = 64 * 1024**2
"""The largest decoded response of a REST API."""

_MAX_ERROR_BODY_BYTES = 64 * 1024

# It logs whole addresses in warnings about headers; a pre-signed address contains a signature that opens a file.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class ByteSink(Protocol):
    """The object that a response body is written to."""

    def expect(self, total_bytes: int, /) -> None:
        """Receive the body's length before its first byte, if the response states it."""

    def write(self, data: bytes, /) -> object: ...


class ExportResponse(Enum):
    """The two good responses to an export."""

    ARCHIVE = "an archive"
    NOTHING = "no files for these hours"


@dataclass(frozen=True)
class Timeouts:
    """Network timeouts.

    Attributes:
        connect_seconds: The longest wait for a connection.
        read_seconds: The longest pause within the response to an export. Amplitude prepares an archive before it sends
            the first byte; 180 seconds were too short (upstream.md A4, PostHog 34583).
        rest_read_seconds: The same for all other requests; throttled ones were observed to hang (amplitude-api.md 3.1).
            Never more than ``read_seconds``.
        rest_total_seconds: The longest wait for the whole response of a REST API.
        pace: The bounds on slow responses.
    """

    connect_seconds: float = 10
    read_seconds: float = 600
    rest_read_seconds: float = 120
    rest_total_seconds: float = 600
    pace: PaceLimits = field(default_factory=PaceLimits)

    def of_exports(self) -> PaceLimits:
        first_seconds = min(self.pace.first_byte_seconds, self.read_seconds)
        return replace(self.pace, receive_seconds=self.read_seconds, first_byte_seconds=first_seconds)

    def of_files(self) -> PaceLimits:
        """Return the bounds of a cohort file, which has a least rate and no deadline."""
        return replace(self.of_exports(), receive_seconds=min(self.rest_read_seconds, self.read_seconds))

    def of_rest(self) -> PaceLimits:
        return replace(self.of_files(), total_seconds=self.rest_total_seconds)


class AmplitudeClient:
    """Amplitude's API for one project; thread-safe.

    Args:
        base_url: The address that paths are appended to, see `endpoints.base_url`.
        region: The region's name for messages.
        data_url: The base address for lookup tables, which are on another host.
    """

    def __init__(
        self, *, base_url: str, region: Region, keys: Keys, timeouts: Timeouts | None = None, data_url: str = ""
    ) -> None:
        self._base_url = base_url
        self._data_url = data_url or base_url
        self._region = region
        self._keys = keys
        self._timeouts = timeouts or Timeouts()
        self._session = Session()
        self._session.auth = HTTPBasicAuth(keys.api_key.encode(), keys.secret_key.encode())
        self._session.headers["User-Agent"] = f"source-amplitude/{version()}"
        self._lock = threading.Lock()
        self._server_date: datetime | None = None

    @property
    def server_date(self) -> datetime | None:
        """The Date header of the latest response, aware; None before the first."""
        with self._lock:
            return self._server_date

    def forget_server_date(self) -> None:
        """Discard the last Date header, so that a stale value is never used as the time if later responses lack one."""
        with self._lock:
            self._server_date = None

    @property
    def region(self) -> Region:
        return self._region

    def close(self) -> None:
        self._session.close()

    def export(self, window: HourWindow, sink: ByteSink) -> ExportResponse:
        """Request the archive of ``window`` and write its body to ``sink`` as it arrives.

        Raises:
            CredentialsRejectedError, ExportTooLargeError, RateLimitedError, ServerFailureError,
            UnexpectedResponseError: By the response's status and text.
            ForeignResponseError: A 404 without Amplitude's text, a 200 that is not an archive, any other 2xx or 3xx.
            NetworkError: No connection, a timeout, or a body shorter than Content-Length.
            UnreachableError: DNS or TLS.
        """
        what = f"the export for {window}"
        limits = self._timeouts.of_exports()
        with self._get(EXPORT_PATH, export_hours(window), what, limits=limits) as (response, pace):
            if response.status_code == requests.codes.ok:
                beginning = response.raw.read(_FIRST_BYTES, decode_content=True)
                if not begins_like_an_archive(beginning):
                    raise foreign_error(self._error_response(response, beginning, is_own=False), what)
                pace.begin_body()
                _announce(response, sink, what)
                sink.write(beginning)
                _copy(response, sink, what)
                return ExportResponse.ARCHIVE
            body = _body_of_error(response, pace)
            is_not_found = response.status_code == NOT_FOUND
            if is_not_found and says_no_files(body):
                return ExportResponse.NOTHING
            error_response = self._error_response(response, body, is_own=not is_not_found and is_export_envelope(body))
            raise export_error(error_response, window, self._region.value)

    def check_keys(self) -> None:
        """Check the keys with a request for one hour of 2014; read at most the beginning of the response.

        The usual good response is Amplitude's 404. Its 400 passes too, unless it names the keys.

        Raises:
            CredentialsRejectedError: A 401, a 403, or a 400 that names the keys, in Amplitude's format.
            ForeignResponseError: A response in another format, with any status.
            RateLimitedError, ServerFailureError, UnexpectedResponseError, NetworkError, UnreachableError: As `export`.
        """
        what = "the API key check"
        with self._get(EXPORT_PATH, export_hours(PROBE_WINDOW), what) as (response, pace):
            status, body = response.status_code, _body_of_error(response, pace)
            has_archive = status == requests.codes.ok and has_a_first_member(body)
            if has_archive or (status == NOT_FOUND and says_no_files(body)):
                return
            error_response = self._error_response(
                response, body, is_own=status != NOT_FOUND and is_export_envelope(body)
            )
        if is_foreign(error_response):
            raise foreign_error(error_response, what)
        if status == requests.codes.bad_request and not names_the_keys(error_response):
            return
        error = export_error(error_response, PROBE_WINDOW, self._region.value)
        raise (error if isinstance(error, CredentialsRejectedError) else common_error(error_response, what))

    def fetch(self, request: Request, sink: ByteSink | None = None) -> Response:
        """Send ``request`` and return the response; the body of a 200 goes to ``sink`` if there is one.

        A redirect is returned, not followed: the storage must not receive our Authorization header.

        Raises:
            AmplitudeError: By status and text (`responses.rest_error`), or as `export` for the network.
        """
        limits = self._timeouts.of_rest() if sink is None else self._timeouts.of_files()
        get = self._get(request.path, request.query, request.what, host=request.host, follow=False, limits=limits)
        with get as (response, pace):
            status = response.status_code
            location = response.headers.get("Location", "")
            if request.may_redirect and status in _REDIRECTS and urlsplit(location).hostname:
                return Response(status, location=location)
            if status not in (requests.codes.ok, requests.codes.accepted):
                body = _body_of_error(response, pace)
                raise rest_error(
                    self._error_response(response, body, is_own=is_error_envelope(body)),
                    request.what,
                    self._region.value,
                )
            if sink is None or status != requests.codes.ok:
                content_type = response.headers.get("Content-Type", "")
                body = _rest_body(response, request.what)
                return Response(status, body, content_type=content_type, keys=self._keys)
            pace.begin_body()
            _copy(response, sink, request.what)
            return Response(status)

    def fetch_storage(self, url: str, what: str, sink: ByteSink) -> None:
        """Write the file at a pre-signed address to ``sink``; the request contains no keys.

        The address is valid for a minute (documented).

        Raises:
            ServerFailureError: Any status but 200; a new address may work.
            NetworkError: No connection, or a body shorter than Content-Length.
        """
        limits = self._timeouts.of_files()
        pace, timeout = Pace(limits, what, "the storage"), (self._timeouts.connect_seconds, limits.receive_seconds)
        try:
            with paced(pace), Session() as session:
                session.auth = _no_auth  # not even one from a netrc file
                with session.get(url, stream=True, timeout=timeout) as response:
                    if response.status_code != requests.codes.ok:
                        raise ServerFailureError(f"Storage error for {what} (HTTP {response.status_code}).")
                    pace.begin_body()
                    _copy(response, sink, what)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            # Their texts contain the address with its signature.
            raise NetworkError(f"Lost the connection to the storage for {what} ({type(error).__name__}).") from None

    @contextmanager
    def _get(
        self,
        path: str,
        query: Mapping[str, str] | tuple[tuple[str, str], ...],
        what: str,
        *,
        host: Host = Host.REST,
        follow: bool = True,
        limits: PaceLimits | None = None,
    ) -> Iterator[tuple[requests.Response, Pace]]:
        url = (self._data_url if host is Host.DATA else self._base_url) + path
        host_name = urlsplit(url).hostname or ""
        limits = limits or self._timeouts.of_rest()
        timeout = (self._timeouts.connect_seconds, limits.receive_seconds)
        with paced(Pace(limits, what, host_name)) as pace, network_errors(what, host_name, timeout, self._keys):
            try:
                response = self._session.get(url, params=query, stream=True, timeout=timeout, allow_redirects=follow)
            except requests.exceptions.RequestException:
                raise
            except ValueError as error:  # requests parses a redirect's address even if it does not follow it
                redirect = error if isinstance(error, UnsafeRedirectError) else "a redirect to an invalid address"
                raise UnexpectedResponseError(f"Unexpected response to {what}: {redirect}.") from None
            except OSError as error:  # requests raises it for a missing certificate file
                raise unusable_certificates_error(error, what) from error
            date = date_from_header(response.headers.get("Date"))
            if date is not None:
                with self._lock:
                    self._server_date = date
            try:
                yield response, pace
            finally:
                response.close()

    def _error_response(self, response: requests.Response, body: bytes, *, is_own: bool) -> ErrorResponse:
        """Return the values that errors are made from; ``is_own``: the body is in Amplitude's format."""
        content_type = response.headers.get("Content-Type", "")
        is_own = is_own and response.status_code >= requests.codes.bad_request
        text = redact(body.decode("utf-8", "replace"), self._keys)
        return ErrorResponse(
            status=response.status_code,
            # Redacted again: a key may be escaped in the JSON text.
            reason=redact(reason_from_body(text.encode()), self._keys),
            retry_after=response.headers.get("Retry-After"),
            date=date_from_header(response.headers.get("Date")),
            quote=quoted(response.status_code, content_type, body, self._keys) if not is_own else "",
        )


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _announce(response: requests.Response, sink: ByteSink, what: str) -> None:
    """Report the body's length to ``sink`` if the response states a credible one."""
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdecimal() and len(length) <= _MOST_LENGTH_DIGITS:
        if int(length) > MAX_FILE_BYTES:
            raise _too_large_error(what, MAX_FILE_BYTES)
        sink.expect(int(length))


def _copy(response: requests.Response, sink: ByteSink, what: str) -> None:
    """Write the body to ``sink``; urllib3 raises an exception if it is shorter than Content-Length."""
    left_bytes = MAX_FILE_BYTES
    while chunk := response.raw.read(_COPY_BYTES, decode_content=True):
        left_bytes -= len(chunk)
        if left_bytes < 0:
            raise _too_large_error(what, MAX_FILE_BYTES)
        sink.write(chunk)


def _rest_body(response: requests.Response, what: str) -> bytes:
    """Return the decoded body; the cap counts decoded bytes, since a small gzip body may decode to gigabytes."""
    body = bytearray()
    while chunk := response.raw.read(_COPY_BYTES, decode_content=True):
        body += chunk
        if len(body) > MAX_REST_BYTES:
            raise _too_large_error(what, MAX_REST_BYTES)
    return bytes(body)


def _too_large_error(what: str, limit_bytes: int) -> UnexpectedResponseError:
    return UnexpectedResponseError(f"The response to {what} is larger than {limit_bytes // 1024**2:,} MB.")


def _body_of_error(response: requests.Response, pace: Pace) -> bytes:
    pace.begin_error_body()
    return bytes(response.raw.read(_MAX_ERROR_BODY_BYTES, decode_content=True))
