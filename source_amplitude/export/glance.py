"""Whether Amplitude has files for a window, from the beginning of its archive alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from source_amplitude.api import ExportAnswer
from source_amplitude.archive import first_member, has_members
from source_amplitude.errors import CorruptArchiveError, ExportTooLargeError, ExportTooSlowError
from source_amplitude.export.download import empty_archive_error

if TYPE_CHECKING:
    from source_amplitude.api import AmplitudeClient
    from source_amplitude.members import MemberName
    from source_amplitude.windows import HourWindow


@dataclass(frozen=True)
class Glimpse:
    """Amplitude has files for the window.

    Attributes:
        first: Name of the first member; None where the first bytes do not say.
    """

    first: MemberName | None = None


class _SeenEnoughError(Exception):
    """The beginning is there; the connection is given up."""


class _Beginning:
    """Takes one piece of a body."""

    def __init__(self) -> None:
        self.body = b""

    def expect(self, total_bytes: int) -> None:
        """Do nothing: little of it will come."""

    def write(self, data: bytes) -> None:
        """Take the first piece, and no more."""
        self.body = data
        raise _SeenEnoughError


def glance(client: AmplitudeClient, window: HourWindow) -> Glimpse | None:
    """Return what Amplitude has for ``window``, or None if it says that it has no files; an archive too large has some.

    One request. At most 256 KB of the response are read; damage and members beyond that go unnoticed.

    Raises:
        CorruptArchiveError: The body is not an archive.
        EmptyArchiveError: The archive is empty, or begins with a file of an hour outside ``window``.
        ExportTooSlowError: Timed out (504); inconclusive.
        AmplitudeError: As `AmplitudeClient.export`.
    """
    beginning = _Beginning()
    try:
        answer = client.export(window, beginning)
    except _SeenEnoughError:
        if not has_members(beginning.body):
            raise empty_archive_error(window, 0) from None
        first = first_member(beginning.body)
        if first is not None and first.hour not in window:
            raise empty_archive_error(window, 1) from None
        return Glimpse(first)
    except ExportTooSlowError:
        raise
    except ExportTooLargeError:
        return Glimpse()
    if answer is ExportAnswer.ARCHIVE:
        raise CorruptArchiveError("The answer's body is empty.")
    return None
