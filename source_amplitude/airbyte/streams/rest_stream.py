"""What all streams but events have in common: one request after the other, ordinary records, our errors."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airbyte_cdk.sources.streams import Stream

from source_amplitude.airbyte.failures import traced
from source_amplitude.api.rest import Rest
from source_amplitude.errors import AmplitudeError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from source_amplitude.api import KeysProof
    from source_amplitude.api.quotas import Quotas
    from source_amplitude.export import Amplitude


@dataclass(frozen=True)
class RestContext:
    """What these streams work with.

    Attributes:
        amplitude: Whom to ask.
        proof: Whether the keys are accepted.
        quotas: What all streams of this sync have spent.
        stop: Set when the sync is to end soon.
    """

    amplitude: Amplitude
    proof: KeysProof
    quotas: Quotas
    stop: threading.Event


class RestStream(Stream):
    """A stream of rows; subclasses name it and say where its rows come from."""

    def __init__(self, context: RestContext) -> None:
        self._context = context
        self._config = context.amplitude.config

    def rows(self, rest: Rest, part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of one part of the stream.

        Args:
            rest: Sends requests.
            part: One of the stream's slices; empty where it has none.

        Raises:
            AmplitudeError: Why not.
        """
        raise NotImplementedError

    def read_records(
        self, *_: object, stream_slice: Mapping[str, Any] | None = None, **__: object
    ) -> Iterable[Mapping[str, Any]]:
        """Yield the rows of a slice.

        Raises:
            AirbyteTracedException: What went wrong, in words for Airbyte's users.
        """
        with self._traced():
            for row in self.rows(self._rest, stream_slice or {}):
                yield {name: value for name, value in row.items() if value is not None}
                self._rest.raise_if_stopped()

    def present(self) -> datetime:
        """Return the earlier of our clock and Amplitude's.

        Raises:
            AirbyteTracedException: It refuses the keys.
        """
        with self._traced():
            return self._rest.present()

    def require_current_date(self, newest_read: datetime | None) -> None:
        """Return unless Amplitude's clock is before ``start_date`` or ``newest_read``; asked after `present`.

        Raises:
            AirbyteTracedException: It is, and nothing would be read.
        """
        with self._traced():
            self._context.amplitude.require_current_date(self._config.start, newest_read)

    @cached_property
    def _rest(self) -> Rest:
        context, limits = self._context, self._context.amplitude.limits
        return Rest(
            context.amplitude.client,
            context.proof,
            context.quotas,
            policy=limits.retry,
            budget_seconds=limits.retry_budget_seconds,
            clock=context.amplitude.clock,
            stop=context.stop,
        )

    @contextmanager
    def _traced(self) -> Iterator[None]:
        try:
            yield
        except AmplitudeError as error:
            raise traced(error, self._config.keys) from error
