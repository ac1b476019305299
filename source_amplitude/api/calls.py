"""One request as a value, and its decoded answer."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.api.endpoints import Host
from source_amplitude.errors import GarbledAnswerError
from source_amplitude.records import may_hold_surrogates, replace_surrogates

if TYPE_CHECKING:
    from source_amplitude.api.quotas import Quota

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
    """

    status: int
    body: bytes = b""
    location: str = ""

    def json(self, what: str) -> object:
        """Return the decoded body, whatever its content type: some JSON is called text/html (observed).

        Lone surrogates become U+FFFD: strict readers of JSON refuse them.

        Raises:
            GarbledAnswerError: It is no JSON.
        """
        try:
            text = self.body.decode("utf-8", "surrogatepass")
            value, lone = replace_surrogates(json.loads(text)) if may_hold_surrogates(text) else (json.loads(text), 0)
        except (ValueError, RecursionError) as error:
            raise GarbledAnswerError(
                f"Amplitude answered {what} with {_described(self.body)} instead of JSON."
            ) from error
        if lone:
            _logger.warning("%d lone surrogates in what Amplitude answered %s became U+FFFD.", lone, what)
        return value


def _described(body: bytes) -> str:
    if not body.strip():
        return "an empty body"
    return "an HTML page" if body.lstrip()[:1] == b"<" else f"{len(body):,} bytes of another form"
