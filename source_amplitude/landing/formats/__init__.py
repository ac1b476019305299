"""The formats of landed objects, one module each; `format_named` imports a format's libraries on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from source_amplitude.errors import InvalidConfigError
from source_amplitude.landing.formats.body import Rendered
from source_amplitude.landing.formats.raw import Raw

if TYPE_CHECKING:
    from source_amplitude.archive import Archive, Member

__all__ = ["FORMAT_NAMES", "Format", "Raw", "Rendered", "format_named", "with_columns"]

FORMAT_NAMES = ("raw", "jsonl", "parquet", "json")
"""The values of ``--format``. ``json`` lands raw objects; `landing.json_arrays` makes the arrays from them."""


class Format(Protocol):
    """A format of landed objects; safe to use from several threads.

    Attributes:
        name: The format's name in manifests.
        option: The value of ``--format``.
        suffix: The end of the objects' names.
        hours_at_once: Number of hours to write in parallel; more would only use more memory.
    """

    name: str
    option: str
    suffix: str
    hours_at_once: int

    def render(self, archive: Archive, member: Member) -> Rendered:
        """Return the object made from ``member``, after all of its content was verified.

        Only about one batch of lines is in memory. Deterministic with one version of the libraries.

        Raises:
            CorruptArchiveError: The member's gzip data is damaged; the member must not be landed.
            DiskFullError: The disk has no space for the object.
        """
        ...


def format_named(name: str, *, count_event_types: bool = False) -> Format:
    """Return the format ``name``, one of `FORMAT_NAMES`.

    Args:
        count_event_types: Whether raw objects are parsed to count their event types; the other formats always count.

    Raises:
        InvalidConfigError: ``name`` is not a format.
        MissingExtraError: A library of the format is not installed.
    """
    if name == "jsonl":
        from source_amplitude.landing.formats.jsonl import Jsonl  # noqa: PLC0415 - raw starts faster without it

        return Jsonl()
    if name == "parquet":
        from source_amplitude.landing.formats.parquet import Parquet  # noqa: PLC0415 - pyarrow, on demand

        return Parquet()
    if name not in FORMAT_NAMES:
        raise InvalidConfigError((f"--format: must be one of {', '.join(FORMAT_NAMES)}, not {name!r}",))
    return Raw(count_event_types=count_event_types, option=name)


def with_columns(format_: Format, column_set: int) -> Format:
    """Return a format that writes a destination's set of column types (`landing.column_set`)."""
    if format_.name != "parquet":
        return format_
    from source_amplitude.landing.formats.parquet import Parquet  # noqa: PLC0415 - as above

    return Parquet(column_set)
