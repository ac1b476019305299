"""The base classes of a table of Amplitude's REST APIs and of a read of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

from source_amplitude.errors import InvalidStateError

if TYPE_CHECKING:
    from source_amplitude.rows.shapes import Row
    from source_amplitude.tables.rest_session import RestSession

Part = Mapping[str, Any]
State = Mapping[str, Any]

_logger = logging.getLogger("airbyte")

_CURSORS = ("server_upload_time", "event_time", "ledger", "date", "computed_at", "cohorts")
"""The keys in the states of all streams."""


@dataclass(frozen=True)
class Table:
    """A table; subclasses add the fields that their requests need.

    Attributes:
        name: The name of the Airbyte stream.
        primary_key: The columns that identify a row.
        reading: Creates the object of one read.
        cursor_field: The column whose newest value is in the state; None if there is no state.
        needs: The option that must not be empty; without it there is nothing to read.
    """

    name: str
    primary_key: tuple[str, ...]
    _: KW_ONLY
    reading: Callable[[Any, RestSession, State], Reading]
    cursor_field: str | None = None
    needs: str = ""

    def read(self, rest: RestSession, state: State | None = None) -> Reading:
        return self.reading(self, rest, state or {})


class Reading:
    """One read of a table: its parts, the rows of each, and the state after each.

    Attributes:
        state: The state after the parts whose rows were all consumed; the next read continues after it.
    """

    def __init__(self, table: Table, rest: RestSession, state: State) -> None:
        self.table = table
        self.name = table.name
        self.rest = rest
        self.config = rest.amplitude.config
        self.state: dict[str, Any] = dict(state)

    def parts(self, *, again: bool = True) -> Iterator[Part]:
        """Yield the parts to read, in order, as JSON objects.

        Args:
            again: Whether to read the newest days of the state again, because their figures still change.
        """
        self._require_own_state()
        if self.table.needs and not getattr(self.config, self.table.needs):
            _logger.info("%s: %s is empty, so there is nothing to read.", self.name, self.table.needs)
        else:
            yield from self._parts(again=again)

    def _require_own_state(self) -> None:
        """Raise an InvalidStateError for the state of another stream: reading from the start would hide the mistake."""
        if not self.state or self.table.cursor_field in self.state:
            return
        foreign = [key for key in _CURSORS if key in self.state]
        if foreign:
            raise InvalidStateError(
                f"The saved state of {self.name} belongs to another stream: it has {foreign[0]} instead of "
                f"{self.table.cursor_field}.",
                tried="Nothing was read.",
            )

    def rows(self, part: Part) -> Iterator[Row]:
        """Yield the rows of a part, without null columns."""
        for row in self._rows(part):
            yield {name: value for name, value in row.items() if value is not None}
            self.rest.raise_if_stopped()

    def _parts(self, *, again: bool) -> Iterator[Part]:  # noqa: ARG002 - for tables by date
        yield {}

    def _rows(self, part: Part) -> Iterator[Row]:
        raise NotImplementedError
