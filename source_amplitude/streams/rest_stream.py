"""What all streams but events have in common: one request after the other, ordinary records, our errors."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airbyte_cdk.sources.streams import Stream

from source_amplitude.api import Rest, prove_keys
from source_amplitude.errors import AmplitudeError
from source_amplitude.export import present
from source_amplitude.failures import traced

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from source_amplitude.api import AmplitudeClient, Quotas
    from source_amplitude.clock import Clock
    from source_amplitude.config import Config
    from source_amplitude.export import ExportSettings


@dataclass(frozen=True)
class RestContext:
    """What these streams work with.

    Attributes:
        client: Amplitude, where the configuration says the project is.
        other_region: The same keys at the other region, asked only when they are refused.
        quotas: What all streams of this sync have spent.
        config: The user's configuration.
        settings: Bounds of waiting and retrying.
        clock: Our own time.
        stop: Set when the sync is to end soon.
    """

    client: AmplitudeClient
    other_region: AmplitudeClient
    quotas: Quotas
    config: Config
    settings: ExportSettings
    clock: Clock
    stop: threading.Event


class RestStream(Stream):
    """A stream of rows; subclasses name it and say where its rows come from."""

    def __init__(self, context: RestContext) -> None:
        self._context = context
        self._config = context.config

    def rows(self, rest: Rest, part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of one part of the stream.

        Args:
            rest: Sends requests.
            part: One of `parts`.

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
            rest = self._rest()
            for row in self.rows(rest, stream_slice or {}):
                yield {name: value for name, value in row.items() if value is not None}
                rest.raise_if_stopped()

    def present(self) -> datetime:
        """Return the earlier of our clock and Amplitude's, which is asked for it if it has not said anything yet.

        Raises:
            AirbyteTracedException: It refuses the keys, or does not answer.
        """
        with self._traced():
            self._rest()
        return present(self._context.clock, self._context.client)

    def _rest(self) -> Rest:
        """Return what sends this stream's requests; the first of a sync proves the keys.

        From then on a refusal is about what was asked for.
        """
        context = self._context
        rest = Rest(
            context.client,
            context.quotas,
            policy=context.settings.retry,
            budget_seconds=context.settings.retry_budget_seconds,
            clock=context.clock,
            stop=context.stop,
        )
        if context.client.server_date is None:
            rest.retrying(lambda: prove_keys(context.client, context.other_region))
        return rest

    @contextmanager
    def _traced(self) -> Iterator[None]:
        try:
            yield
        except AmplitudeError as error:
            raise traced(error, self._config.keys) from error
