"""Who watches an export: somebody at a terminal, or nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Done:
    """How far an export is.

    Attributes:
        hours: Hours that were dealt with, with or without success.
        events: Events that were handed over.
        content_bytes: Their size as JSON.
    """

    hours: int
    events: int
    content_bytes: int


class Audience(Protocol):
    """Hears of an export; asks how far it is whenever it likes, from any thread."""

    def begin(self, what: str, total_hours: int, done: Callable[[], Done]) -> None:
        """Hear that so many hours are about to be read."""
        ...

    def end(self, summary: str) -> None:
        """Hear what became of them, in one line."""
        ...

    def close(self) -> None:
        """Hear that the command ends, whatever became of it."""
        ...


class Nobody:
    """The usual audience."""

    def begin(self, what: str, total_hours: int, done: Callable[[], Done]) -> None:
        """Do nothing."""

    def end(self, summary: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
