"""Which lines of a member are no JSON objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from source_amplitude.encoding import Encoded

_MOST_NAMED = 5


class MalformedLines:
    """Counts the malformed lines of one member; its batches are added in order.

    Attributes:
        count: How many there are.
        first: Line numbers from 1 of the first few.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: tuple[int, ...] = ()
        self._lines = 0

    def add(self, encoded: Encoded[object]) -> None:
        """Note what was made of the next batch."""
        room = _MOST_NAMED - len(self.first)
        self.first += tuple(self._lines + position + 1 for position in encoded.malformed[:room])
        self.count += len(encoded.malformed)
        self._lines += encoded.lines
