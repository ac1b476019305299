"""Which lines of a member are no JSON objects, and what is odd about the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.records.findings import NO_FINDINGS

if TYPE_CHECKING:
    from source_amplitude.encoding import Encoded

_MOST_NAMED = 5


class OddLines:
    """Counts the malformed and the odd lines of one member; its batches are added in order.

    Attributes:
        malformed: How many lines are no JSON objects.
        malformed_at: Line numbers from 1 of the first few of them.
        findings: What is odd about the others.
    """

    def __init__(self) -> None:
        self.malformed = 0
        self.malformed_at: tuple[int, ...] = ()
        self.findings = NO_FINDINGS
        self._lines = 0

    def add(self, encoded: Encoded[object]) -> None:
        """Note what was made of the next batch."""
        room = _MOST_NAMED - len(self.malformed_at)
        self.malformed_at += tuple(self._lines + position + 1 for position in encoded.malformed[:room])
        self.malformed += len(encoded.malformed)
        self.findings = self.findings.followed_by(encoded.findings, lines_before=self._lines)
        self._lines += encoded.lines
