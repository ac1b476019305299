"""What may befall a request on its way to a store and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

FOREVER = 1_000_000_000


@dataclass(frozen=True)
class Answer:
    """The store never sees the request; this is answered instead.

    Attributes:
        status: Of HTTP.
        body: A store's own is XML with ``Code`` and ``Message``.
        headers: Such as ``Retry-After``.
    """

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CutRequest:
    """The connection ends after so many bytes of the request's body; the store never sees the request."""

    after: int = 0


@dataclass(frozen=True)
class CutAnswer:
    """The store has done what was asked, and the connection ends after so many bytes of the answer's body."""

    after: int = 0


@dataclass(frozen=True)
class LoseAnswer:
    """The store has done what was asked, and the connection ends before any of its answer."""


@dataclass(frozen=True)
class Wait:
    """The request reaches the store later."""

    seconds: float


@dataclass(frozen=True)
class Do:
    """Something else happens just before the request reaches the store: another writer, or the end of a process."""

    action: Callable[[], object]


Fault = Answer | CutRequest | CutAnswer | LoseAnswer | Wait | Do


def xml_error(code: str, message: str) -> str:
    """Return a body as S3 and Azure write it."""
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
    """Which requests a fault befalls.

    Attributes:
        fault: What befalls them.
        method: Theirs; empty: any.
        path: A regular expression that is found in theirs.
        header: The name of one that they have; empty: any.
        skip: How many of them are spared first.
        times: How many are befallen after those.
    """

    fault: Fault
    method: str
    path: re.Pattern[str]
    header: str
    skip: int
    times: int

    def takes(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Say whether the fault befalls a request, and count it."""
        if not self.times or self.method not in ("", method) or not self.path.search(path):
            return False
        if self.header and self.header not in headers:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True
