"""Report waits for rate limits as status messages of the current stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStreamStatus,
    AirbyteStreamStatusReason,
    AirbyteStreamStatusReasonType,
    StreamDescriptor,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message
from airbyte_protocol_dataclasses.models import AirbyteStreamStatusRateLimitedReason

from source_amplitude.api.rate_limits import RateLimitWaits, ignore_change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

_ENDS = (AirbyteStreamStatus.COMPLETE, AirbyteStreamStatus.INCOMPLETE)


class RateLimitStatuses:
    """Status messages for the waits of the stream that is being read.

    Attributes:
        write: Writes a message at once, from any thread; set by the launcher. None: `take` returns the messages.
        waits: The waits of the current read.
    """

    def __init__(self) -> None:
        self.write: Callable[[AirbyteMessage], None] | None = None
        self.waits = RateLimitWaits()
        self._stream: StreamDescriptor | None = None
        self._pending: list[AirbyteMessage] = []

    def watch(self, waits: RateLimitWaits) -> None:
        self.waits.on_change = ignore_change
        self.waits = waits
        waits.on_change = self._report

    def follow(self, messages: Iterable[AirbyteMessage]) -> Iterator[AirbyteMessage]:
        """Yield ``messages``, and note which stream they begin and end."""
        for message in messages:
            found = message.trace.stream_status if message.trace else None
            if found is not None and found.status in _ENDS:
                self._stream = None
                self.waits.forget()
            yield message
            if found is not None and found.status is AirbyteStreamStatus.STARTED:
                self._stream = found.stream_descriptor

    def take(self) -> list[AirbyteMessage]:
        """Return the messages that were not returned before."""
        self.waits.has_news.clear()
        taken, self._pending = self._pending, []
        return taken

    def _report(self) -> None:
        stream = self._stream
        if stream is None:
            return
        is_waiting = self.waits.is_waiting
        reasons = [_reason(self.waits.ends_at)] if is_waiting else None
        message = as_airbyte_message(stream, AirbyteStreamStatus.RUNNING, reasons)
        if self.write is not None:
            self.write(message)
        elif self._pending and not is_waiting:
            self._pending.clear()  # the wait is over, and its beginning was not reported
        else:
            self._pending.append(message)
            self.waits.has_news.set()


def _reason(ends_at: datetime | None) -> AirbyteStreamStatusReason:
    limited = None
    if ends_at is not None:
        limited = AirbyteStreamStatusRateLimitedReason(quota_reset=int(ends_at.timestamp() * 1000))
    return AirbyteStreamStatusReason(type=AirbyteStreamStatusReasonType.RATE_LIMITED, rate_limited=limited)
