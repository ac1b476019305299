"""Tables as Airbyte streams, and a placeholder for unknown streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airbyte_cdk.models import AirbyteStateBlob, SyncMode
from airbyte_cdk.sources.streams import CheckpointMixin, Stream

from source_amplitude.airbyte.traced import to_traced, tracing
from source_amplitude.errors import UnknownStreamError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

    from source_amplitude.tables import Table
    from source_amplitude.tables.rest_session import RestSession


def table_stream(table: Table, rest: RestSession) -> Stream:
    return TableStream(table, rest) if table.cursor_field is None else IncrementalTableStream(table, rest)


class TableStream(Stream):
    """A table that every sync reads completely."""

    def __init__(self, table: Table, rest: RestSession) -> None:
        self.name = table.name
        self._table = table
        self._rest = rest
        self._reading = table.read(rest)

    @property
    def primary_key(self) -> list[str]:
        return list(self._table.primary_key)

    def stream_slices(self, *, sync_mode: SyncMode, **_: object) -> Iterable[Mapping[str, Any]]:
        self._reading = self._table.read(self._rest, self._reading.state)
        with tracing(self._rest.amplitude.config.keys):
            yield from self._reading.parts(again=sync_mode is not SyncMode.full_refresh)

    def read_records(
        self, *_: object, stream_slice: Mapping[str, Any] | None = None, **__: object
    ) -> Iterable[Mapping[str, Any]]:
        with tracing(self._rest.amplitude.config.keys):
            yield from self._reading.rows(stream_slice or {})


class IncrementalTableStream(CheckpointMixin, TableStream):
    """A table whose next read continues after its state."""

    source_defined_cursor = True

    @property
    def cursor_field(self) -> str:
        return self._table.cursor_field or ""

    @property
    def state(self) -> MutableMapping[str, Any]:
        """The table's own state, as JSON."""
        return self._reading.state

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._reading.state = {name: _plain(each) for name, each in value.items()}


def _plain(value: object) -> object:
    """Return plain JSON for a state whose nested values may be AirbyteStateBlobs."""
    if isinstance(value, AirbyteStateBlob):
        value = vars(value)
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value


class MissingStream(Stream):
    """A stream that fails when read: it ends INCOMPLETE with an error, and the other streams continue."""

    primary_key = None

    def __init__(self, name: str, existing: tuple[str, ...]) -> None:
        self.name = name
        self._existing = existing

    def get_json_schema(self) -> Mapping[str, Any]:  # type: ignore[override] # the CDK caches its own method
        return {}

    def read_records(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 - the CDK's signature
        raise to_traced(
            UnknownStreamError(
                f"The catalog contains the unknown stream {self.name!r}. Known streams: {', '.join(self._existing)}."
            )
        )
