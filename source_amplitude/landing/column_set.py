"""The set of column types of a Parquet destination, named in its marker as ``types``.

Set 1 (destinations without the field): ``session_id`` is a double, nested fields are text. Set 2: ``session_id`` is a
BIGINT, nested fields have Parquet's JSON type if pyarrow has it. All files of a destination have the same set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from source_amplitude.api.redaction import printable
from source_amplitude.errors import OtherFormatError

if TYPE_CHECKING:
    from source_amplitude.landing.place import Place

FIELD = "types"
FIRST, NEWEST = 1, 2


def column_set_of(place: Place | None, *, is_new: bool) -> int:
    """Return the number of a destination's set.

    Args:
        place: The marker; None without one.
        is_new: Whether a destination without marker has no hours either.

    Raises:
        OtherFormatError: The set is of a later version.
    """
    if place is None:
        return NEWEST if is_new else FIRST
    found = place.more.get(FIELD, FIRST)
    if type(found) is not int or not FIRST <= found <= NEWEST:
        raise OtherFormatError(
            f"The marker of the destination names the column types {printable(repr(found))}.",
            tried="No object was written.",
            next_step="Install the version that began this destination, or use another --to.",
        )
    return found
