"""Requests to Amplitude: one method per endpoint, each sends exactly one request."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import HTTPBasicAuth

from source_amplitude.api.endpoints import EXPORT_PATH, PROBE_WINDOW, Host, Request, export_hours
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
from source_amplitude.distribution import version
from source_amplitude.errors import (
    CredentialsRejectedError,
    NetworkError,
    ServerFailureError,
    UnexpectedResponseError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from source_amplitude.config import Keys, Region
    from source_amplitude.windows import HourWindow

_REDIRECTS = (302, 303, 307)
_COPY_BYTES = 256 * 1024
_MAX_ERROR_BODY_BYTES = 64 * 1024
_TEMPORARY_TEXT = "Temporary failure"
_DNS_TEXTS = (
    "NameResolutionError",
    "Name or service not known",
    "nodename nor servname",
    "getaddrinfo failed",
)


# It warns of odd headers with the whole address, and the signature in a pre-signed one opens a file.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class ByteSink(Protocol):
    """Where a body is written to."""

    def expect(self, total_bytes: int, /) -> None:
        """Take note of the body's length, before its first byte, when the answer says so."""

    def write(self, data: bytes, /) -> object: ...


class ExportResponse(Enum):
    """How an export that was not refused was answered."""

    ARCHIVE = "a body that should be an archive"
    NOTHING = "no files for these hours"


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for the network.

    Attributes:
        connect_seconds: For a connection.
        read_seconds: Between two pieces of an answer. Amplitude prepares an archive before its first byte; 180
            seconds proved too short for exports (upstream.md A4, PostHog 34583).
        rest_read_seconds: The same for everything but exports, where nothing is prepared for hours; throttled requests
            were seen to hang (amplitude-api.md 3.1). Never more than ``read_seconds``.
    """

    connect_seconds: float = 10
    read_seconds: float = 600
    rest_read_seconds: float = 120


class AmplitudeClient:
    """Amplitude's API for one project; safe to use from several threads.

    Args:
        base_url: What paths are appended to, see `endpoints.base_url`.
        region: Only named in messages.
        data_url: The same as ``base_url`` for lookup tables, which are on another host.
    """

    def __init__(
        self, *, base_url: str, region: Region, keys: Keys, timeouts: Timeouts | None = None, data_url: str = ""
    ) -> None:
        self._base_url = base_url
        self._data_url = data_url or base_url
        self._region = region
        self._keys = keys
        timeouts = timeouts or Timeouts()
        self._export_timeout = (timeouts.connect_seconds, timeouts.read_seconds)
        self._timeout = (timeouts.connect_seconds, min(timeouts.rest_read_seconds, timeouts.read_seconds))
        self._session = requests.Session()
        self._session.auth = HTTPBasicAuth(keys.api_key.encode(), keys.secret_key.encode())
        self._session.headers["User-Agent"] = f"source-amplitude/{version()}"
        # An archive is compressed already; a length that counts what arrives needs an untouched body.
        self._session.headers["Accept-Encoding"] = "identity"
        self._lock = threading.Lock()
        self._server_date: datetime | None = None

    @property
    def server_date(self) -> datetime | None:
        """The Date header of the latest answer, aware; None before the first."""
        with self._lock:
            return self._server_date

    def forget_server_date(self) -> None:
        """Let only later answers say what time it is: of two that are hours apart, the second may have no Date."""
        with self._lock:
            self._server_date = None

    @property
    def region(self) -> Region:
        return self._region

    def close(self) -> None:
        self._session.close()

    def export(self, window: HourWindow, sink: ByteSink) -> ExportResponse:
        """Ask for the archive of ``window`` and write its body to ``sink`` as it arrives.

        Raises:
            CredentialsRejectedError, ExportTooLargeError, RateLimitedError, ServerFailureError,
            UnexpectedAnswerError: By the answer's status and words.
            ForeignAnswerError: A 404 that is not Amplitude's word, a 200 that is not an archive, any other good status.
            NetworkError: No connection, a timeout, or a body shorter than announced.
            UnreachableError: DNS or TLS.
        """
        what = f"the export for {window}"
        with self._get(EXPORT_PATH, export_hours(window), what, timeout=self._export_timeout) as response:
            if response.status_code == requests.codes.ok:
                beginning = response.raw.read(_COPY_BYTES, decode_content=True)
                if not begins_like_an_archive(beginning):
                    raise foreign_error(self._error_response(response, beginning, is_own=False), what)
                length = response.headers.get("Content-Length", "")
                if length.isdecimal():
                    sink.expect(int(length))
                sink.write(beginning)
                self._copy(response, sink)
                return ExportResponse.ARCHIVE
            body = self._body_of_error(response)
            is_not_found = response.status_code == NOT_FOUND
            if is_not_found and says_no_files(body):
                return ExportResponse.NOTHING
            answer = self._error_response(response, body, is_own=not is_not_found and is_export_envelope(body))
            raise export_error(answer, window, self._region.value)

    def check_keys(self) -> None:
        """Ask for one hour of 2014 and return if Amplitude accepted the keys; at most an answer's beginning arrives.

        A 404 in Amplitude's words is the usual good answer; its 400 that does not name the keys passes too, since the
        keys were read first.

        Raises:
            CredentialsRejectedError: A 401, a 403, or a 400 that names the keys, in Amplitude's form.
            ForeignAnswerError: An answer that is not in any form of Amplitude's, whatever its status.
            RateLimitedError, ServerFailureError, UnexpectedAnswerError, NetworkError, UnreachableError: As in `export`.
        """
        what = "a test of the keys"
        with self._get(EXPORT_PATH, export_hours(PROBE_WINDOW), what) as response:
            status, body = response.status_code, self._body_of_error(response)
            has_archive = status == requests.codes.ok and has_a_first_member(body)
            if has_archive or (status == NOT_FOUND and says_no_files(body)):
                return
            answer = self._error_response(response, body, is_own=status != NOT_FOUND and is_export_envelope(body))
        if is_foreign(answer):
            raise foreign_error(answer, what)
        if status == requests.codes.bad_request and not names_the_keys(answer):
            return
        error = export_error(answer, PROBE_WINDOW, self._region.value)
        raise (error if isinstance(error, CredentialsRejectedError) else common_error(answer, what))

    def fetch(self, request: Request, sink: ByteSink | None = None) -> Response:
        """Send ``request`` and return its good answer; the body of a 200 goes to ``sink`` if there is one.

        A redirect is returned, not followed: our Authorization header must not reach the storage it leads to.

        Raises:
            AmplitudeError: By status and words (`answers.rest_error`), or the network as in `export`.
        """
        with self._get(request.path, request.query, request.what, host=request.host, follow=False) as response:
            status = response.status_code
            location = response.headers.get("Location", "")
            if request.may_redirect and status in _REDIRECTS and urlsplit(location).hostname:
                return Response(status, location=location)
            if status not in (requests.codes.ok, requests.codes.accepted):
                body = self._body_of_error(response)
                raise rest_error(
                    self._error_response(response, body, is_own=is_error_envelope(body)),
                    request.what,
                    self._region.value,
                )
            if sink is None or status != requests.codes.ok:
                content_type = response.headers.get("Content-Type", "")
                body = response.raw.read(decode_content=True)
                return Response(status, body, content_type=content_type, keys=self._keys)
            self._copy(response, sink)
            return Response(status)

    def fetch_storage(self, url: str, what: str, sink: ByteSink) -> None:
        """Write what a pre-signed address holds to ``sink``; it lives for a minute (documented) and gets no keys.

        Raises:
            ServerFailureError: Any status but 200: a new address may work.
            NetworkError: No connection, or a body shorter than announced.
        """
        try:
            with requests.Session() as session:
                session.auth = _no_auth  # not even one from a netrc file
                session.headers["Accept-Encoding"] = "identity"
                with session.get(url, stream=True, timeout=self._timeout) as response:
                    if response.status_code != requests.codes.ok:
                        raise ServerFailureError(f"The storage answered {what} with HTTP {response.status_code}.")
                    self._copy(response, sink)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            # Their texts hold the address, and with it the signature that opens it.
            raise NetworkError(f"The connection to the storage for {what} broke ({type(error).__name__}).") from None

    @contextmanager
    def _get(
        self,
        path: str,
        query: Mapping[str, str] | tuple[tuple[str, str], ...],
        what: str,
        *,
        host: Host = Host.REST,
        follow: bool = True,
        timeout: tuple[float, float] | None = None,
    ) -> Iterator[requests.Response]:
        timeout = timeout or self._timeout
        url = (self._data_url if host is Host.DATA else self._base_url) + path
        with self._network_errors(what, timeout):
            try:
                response = self._session.get(url, params=query, stream=True, timeout=timeout, allow_redirects=follow)
            except requests.exceptions.RequestException:
                raise
            except ValueError:  # requests reads a redirect's address even where it does not follow it
                raise UnexpectedResponseError(f"Amplitude answered {what} with a redirect to no address.") from None
        date = date_from_header(response.headers.get("Date"))
        if date is not None:
            with self._lock:
                self._server_date = date
        try:
            with self._network_errors(what, timeout):
                yield response
        finally:
            response.close()

    def _copy(self, response: requests.Response, sink: ByteSink) -> None:
        """Write the body to ``sink``; urllib3 raises when fewer bytes come than Content-Length announced."""
        while chunk := response.raw.read(_COPY_BYTES, decode_content=True):
            sink.write(chunk)

    def _body_of_error(self, response: requests.Response) -> bytes:
        return bytes(response.raw.read(_MAX_ERROR_BODY_BYTES, decode_content=True))

    def _error_response(self, response: requests.Response, body: bytes, *, is_own: bool) -> ErrorResponse:
        """Return what errors are made from; ``is_own`` says that the body is in a form of Amplitude's."""
        content_type = response.headers.get("Content-Type", "")
        is_own = is_own and response.status_code >= requests.codes.bad_request
        text = redact(body.decode("utf-8", "replace"), self._keys)
        return ErrorResponse(
            status=response.status_code,
            # Once more afterwards: an escaped key is one only once the JSON is read.
            reason=redact(reason_from_body(text.encode()), self._keys),
            retry_after=response.headers.get("Retry-After"),
            date=date_from_header(response.headers.get("Date")),
            quote=quoted(response.status_code, content_type, body, self._keys) if not is_own else "",
        )

    @contextmanager
    def _network_errors(self, what: str, timeout: tuple[float, float]) -> Iterator[None]:
        """Turn what requests and urllib3 raise into our errors; the one place that knows theirs."""
        try:
            yield
        except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
            kind = UnreachableError if _is_about_a_certificate(error) else NetworkError
            raise kind(f"The TLS connection for {what} failed{self._cause(error)}.") from error
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
            seconds = timeout[isinstance(error, requests.exceptions.ReadTimeout | urllib3.exceptions.ReadTimeoutError)]
            raise NetworkError(f"Nothing came for {what} within {seconds:g} seconds.") from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            if _is_an_unknown_host(error):
                raise UnreachableError(f"The host name for {what} has no address{self._cause(error)}.") from error
            raise NetworkError(f"The connection for {what} broke{self._cause(error)}.") from error

    def _cause(self, error: BaseException) -> str:
        text = " ".join(str(error).split())
        return f" ({redact(f'{type(error).__name__}: {text}', self._keys)})" if text else f" ({type(error).__name__})"


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _is_about_a_certificate(error: BaseException) -> bool:
    """Return whether a TLS error will come again; a handshake that was cut off may succeed next time."""
    return "certificate" in str(error).lower()


def _is_an_unknown_host(error: BaseException) -> bool:
    text = str(error)
    return any(each in text for each in _DNS_TEXTS) and _TEMPORARY_TEXT not in text
