"""Lists of objects, each a row already or nearly (amplitude-api.md 2.1, 4 and 5)."""

from __future__ import annotations

from typing import Any

from source_amplitude.rows.shapes import require_dict, require_list, unknown_shape

Row = dict[str, Any]


def items(answer: object, key: str | None) -> list[Row]:
    """Return the objects of the array under ``key``, or of a body that is an array itself.

    Raises:
        UnknownShapeError: There is no such array, or no object in it.
    """
    found = answer if key is None else require_dict(answer, "body").get(key)
    return [require_dict(item, f"an element of {key or 'body'}") for item in require_list(found, key or "body")]


def annotation(item: Row) -> Row:
    """Return an annotation of API v2 or v3 in upstream's shape, with what v3 adds.

    v3's ``start`` has an offset; ``date`` is its day as written (amplitude-api.md 4.1). An id of another type, or
    neither ``start`` nor ``date``, is passed on as it is: what exists is worth more than what lacks.
    """
    row = {"date": str(item["start"])[:10], **item} if item.get("start") else dict(item)
    category = row.get("category")
    return {**row, "category": annotation_category(category)} if isinstance(category, dict) else row


def annotation_category(item: Row) -> Row:
    """Return ``{"id", "name"}``; the name comes as ``name`` (documented) or ``category`` (observed)."""
    if "name" not in item and "category" not in item:
        raise unknown_shape("a category", "an object with name or category", item)
    rest = {key: value for key, value in item.items() if key != "category"}
    return {**rest, "name": item.get("category") if item.get("name") is None else item["name"]}


def deletions(answer: object) -> list[Row]:
    """Return one row for each user of each deletion job (amplitude-api.md 5.5).

    Raises:
        UnknownShapeError: The answer is no array of jobs.
    """
    rows = []
    for job in items(answer, None):
        shared = {key: value for key, value in job.items() if key != "amplitude_ids"}
        users = require_list(job.get("amplitude_ids"), "amplitude_ids")
        rows += [{**shared, **require_dict(user, "an element of amplitude_ids")} for user in users]
    return rows
