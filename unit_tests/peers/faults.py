"""Faults of a request on its way to a store and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

FOREVER = 1_000_000_000


@dataclass(frozen=True)
class Answer:
    """The client gets this response; the store does not get the request.

    Attributes:
        status: The HTTP status.
        body: The body; a store's own is XML with ``Code`` and ``Message``.
        headers: Headers such as ``Retry-After``.
    """

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CutRequest:
    """The connection ends after ``after`` bytes of the request body; the store does not get the request."""

    after: int = 0


@dataclass(frozen=True)
class CutAnswer:
    """The store executes the request; the connection ends after ``after`` bytes of the response body."""

    after: int = 0


@dataclass(frozen=True)
class LoseAnswer:
    """The store executes the request; the connection ends before the response."""


@dataclass(frozen=True)
class Wait:
    """The request reaches the store after a delay."""

    seconds: float


@dataclass(frozen=True)
class Do:
    """An action runs just before the request reaches the store, such as another write or the end of a process."""

    action: Callable[[], object]


Fault = Answer | CutRequest | CutAnswer | LoseAnswer | Wait | Do


def xml_error(code: str, message: str) -> str:
    """Return an error body in the form of S3 and Azure."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'


S3_SLOW_DOWN = Answer(503, xml_error("SlowDown", "Please reduce your request rate."))
S3_ACCESS_DENIED = Answer(403, xml_error("AccessDenied", "Access Denied"))
S3_EXPIRED_TOKEN = Answer(400, xml_error("ExpiredToken", "The provided token has expired."))
AZURE_SERVER_BUSY = Answer(
    503, xml_error("ServerBusy", "The server is busy."), {"x-ms-error-code": "ServerBusy", "Retry-After": "1"}
)
AZURE_NOT_AUTHORIZED = Answer(
    403,
    xml_error("AuthorizationPermissionMismatch", "This request is not authorized to perform this operation."),
    {"x-ms-error-code": "AuthorizationPermissionMismatch"},
)


@dataclass
class Rule:
    """The requests to which a fault applies.

    Attributes:
        fault: The fault to apply.
        method: The HTTP method to match; empty: any.
        path: A regular expression to search in the path.
        header: The name of a required header; empty: none.
        skip: How many more matching requests are forwarded unchanged first.
        times: How many more requests get the fault after that.
    """

    fault: Fault
    method: str
    path: re.Pattern[str]
    header: str
    skip: int
    times: int

    def matches(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Return whether the fault applies to a request, and count the request."""
        if not self.times or self.method not in ("", method) or not self.path.search(path):
            return False
        if self.header and self.header not in headers:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True
