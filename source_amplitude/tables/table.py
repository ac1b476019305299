"""What a table of Amplitude's REST APIs is, and what one read of it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from source_amplitude.rows.shapes import Row
    from source_amplitude.tables.rest_session import RestSession

Part = Mapping[str, Any]
State = Mapping[str, Any]

_logger = logging.getLogger("airbyte")


@dataclass(frozen=True)
class Table:
    """A table; subclasses add what their requests need.

    Attributes:
        name: Airbyte's name of the stream.
        primary_key: The columns that identify a row.
        reading: Makes the object that holds one read.
        cursor_field: The column whose newest value the state holds; None if each read begins from nothing.
        needs: The option without which there is nothing to read.
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
        state: Covers the parts whose rows were all taken; a next read continues after it.
    """

    def __init__(self, table: Table, rest: RestSession, state: State) -> None:
        self.table = table
        self.name = table.name
        self.rest = rest
        self.config = rest.amplitude.config
        self.state: dict[str, Any] = dict(state)

    def parts(self, *, again: bool = True) -> Iterator[Part]:
        """Yield what to ask for, one part after the other, as JSON.

        Args:
            again: Whether the newest days that the state covers are read again, because their figures still grow.
        """
        if self.table.needs and not getattr(self.config, self.table.needs):
            _logger.info("%s: %s is empty, so there is nothing to read.", self.name, self.table.needs)
        else:
            yield from self._parts(again=again)

    def rows(self, part: Part) -> Iterator[Row]:
        """Yield the rows of a part, without the columns that are null."""
        for row in self._rows(part):
            yield {name: value for name, value in row.items() if value is not None}
            self.rest.raise_if_stopped()

    def _parts(self, *, again: bool) -> Iterator[Part]:  # noqa: ARG002 - for tables by date
        yield {}

    def _rows(self, part: Part) -> Iterator[Row]:
        raise NotImplementedError
