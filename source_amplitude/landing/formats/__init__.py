"""The forms in which members are landed, one module each; `format_named` imports what one needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from source_amplitude.errors import InvalidConfigError
from source_amplitude.landing.formats.body import Rendered
from source_amplitude.landing.formats.raw import Raw

if TYPE_CHECKING:
    from source_amplitude.archive import Archive, Member

__all__ = ["FORMAT_NAMES", "Format", "Raw", "Rendered", "format_named"]

FORMAT_NAMES = ("raw", "jsonl", "parquet", "json")
"""What ``--format`` takes. ``json`` lands raw members; `landing.json_arrays` then makes the arrays of them."""


class Format(Protocol):
    """A form in which members are landed; used by several threads at once.

    Attributes:
        name: As in ``--format`` and in manifests.
        suffix: What object names end with.
        hours_at_once: How many threads are worth their memory.
    """

    name: str
    suffix: str
    hours_at_once: int

    def render(self, archive: Archive, member: Member) -> Rendered:
        """Return the object that ``member`` becomes, once all of its content has proved right.

        Memory stays near a batch of lines, whatever the member's size. Equal members become equal bytes with one
        version of the libraries.

        Raises:
            CorruptArchiveError: The member's gzip data is damaged; nothing of it may be landed.
            DiskFullError: The disk has no room for the object.
        """
        ...


def format_named(name: str, *, count_event_types: bool = False) -> Format:
    """Return the format that is called ``name``, or raise a MissingExtraError if a library that it needs is missing.

    Args:
        name: One of `FORMAT_NAMES`.
        count_event_types: Whether raw members are looked into for the types of their events; the others always are.
    """
    if name == "jsonl":
        from source_amplitude.landing.formats.jsonl import Jsonl  # noqa: PLC0415 - raw starts sooner without it

        return Jsonl()
    if name == "parquet":
        from source_amplitude.landing.formats.parquet import Parquet  # noqa: PLC0415 - pyarrow, on demand

        return Parquet()
    if name not in FORMAT_NAMES:
        raise InvalidConfigError((f"--format: must be one of {', '.join(FORMAT_NAMES)}, not {name!r}",))
    return Raw(count_event_types=count_event_types)
