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
        of_hours: All that are asked for; 0 while nobody knows yet.
        events: Events that were handed over.
        content_bytes: Their size as JSON.
    """

    hours: int
    of_hours: int
    events: int
    content_bytes: int


@dataclass(frozen=True)
class Outcome:
    """What became of an export.

    Attributes:
        events: Events that were handed over.
        hours_done: Hours whose every event was.
        hours_empty: Hours without events, for good.
        hours_open: Hours without events that Amplitude may still publish.
        hours_failed: Hours that could not be read.
        archive_bytes: What was downloaded.
        content_bytes: The size of the events as JSON.
        seconds: How long it took.
    """

    events: int
    hours_done: int
    hours_empty: int
    hours_open: int
    hours_failed: int
    archive_bytes: int
    content_bytes: int
    seconds: float


class Audience(Protocol):
    """Hears of an export; asks how far it is whenever it likes, from any thread."""

    def begin(self, what: str, done: Callable[[], Done]) -> None:
        """Hear that hours are about to be read."""
        ...

    def end(self, what: str, outcome: Outcome) -> None:
        """Hear what became of them."""
        ...

    def close(self) -> None:
        """Hear that the command ends, whatever became of it."""
        ...


class Nobody:
    """The usual audience."""

    def begin(self, what: str, done: Callable[[], Done]) -> None:
        """Do nothing."""

    def end(self, what: str, outcome: Outcome) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
