"""One request as a value, and its decoded answer."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from source_amplitude.api.endpoints import Host
from source_amplitude.api.recognition import quoted
from source_amplitude.errors import GarbledAnswerError
from source_amplitude.records import may_hold_surrogates, replace_surrogates

if TYPE_CHECKING:
    from source_amplitude.api.quotas import Quota
    from source_amplitude.config import Keys

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class Call:
    """A GET request.

    Attributes:
        path: Below the host, percent-encoded.
        what: What is asked for, in messages.
        query: Names and values; names may repeat.
        quota: Whose limits it counts against.
        cost: In the quota's units.
        host: Which host.
        may_redirect: Whether a redirect is a good answer.
    """

    path: str
    what: str
    query: tuple[tuple[str, str], ...] = ()
    quota: Quota | None = None
    cost: int = 1
    host: Host = Host.REST
    may_redirect: bool = False


@dataclass(frozen=True)
class Fetched:
    """A good answer.

    Attributes:
        status: 200, 202 or 302.
        body: All of it, unless it went to a sink.
        location: Where a redirect leads.
        content_type: As the answer says.
        keys: Masked where the body is quoted.
    """

    status: int
    body: bytes = b""
    location: str = ""
    content_type: str = field(default="", compare=False)
    keys: Keys | None = field(default=None, compare=False, repr=False)

    def json(self, what: str) -> object:
        """Return the decoded body, whatever its content type: some JSON is called text/html (observed).

        Lone surrogates become U+FFFD: strict readers of JSON refuse them.

        Raises:
            GarbledAnswerError: It is not JSON.
        """
        try:
            text = self.body.decode("utf-8", "surrogatepass")
            value, lone = replace_surrogates(json.loads(text)) if may_hold_surrogates(text) else (json.loads(text), 0)
        except (ValueError, RecursionError) as error:
            raise GarbledAnswerError(f"The answer to {what} is not JSON ({self._quote()}).") from error
        if lone:
            _logger.warning("%d lone surrogates in what Amplitude answered %s became U+FFFD.", lone, what)
        return value

    def _quote(self) -> str:
        if self.body.lstrip()[:1] in (b"{", b"["):  # Amplitude's own data, cut short: its values are not shown
            return f"HTTP {self.status}, {len(self.body):,} bytes that begin like JSON"
        return quoted(self.status, self.content_type, self.body, self.keys)
