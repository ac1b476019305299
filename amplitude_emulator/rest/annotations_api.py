"""Chart annotations: v3 with its categories, and v2 (reference 4)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from amplitude_emulator.errors import RequestRefusedError
from amplitude_emulator.json_answers import json_response
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from aiohttp import web

    from amplitude_emulator.rest.catalog import Item
    from amplitude_emulator.rest.routes import Asked
    from amplitude_emulator.rest.settings import AnnotationVersion

UNCATEGORIZED: dict[str, object] = {"id": 1, "name": "Uncategorized"}  # recorded, reference 4.1


def list_annotations(asked: Asked) -> web.Response:
    """Answer v3's list, filtered by ``category`` or ``chart_id``, ``start`` and ``end``."""
    _require_version(asked, 3)
    after, before = _instant(asked, "start"), _instant(asked, "end")
    category, chart_id = asked.parameter("category"), asked.parameter("chart_id")
    if category is not None and chart_id is not None:
        raise RequestRefusedError(400, "category and chart_id do not combine", error_type="invalid")
    found = [
        annotation
        for annotation in asked.content.catalog.annotations
        if (after is None or _begin(annotation) > after)
        and (before is None or _end(annotation) < before)
        and category in (None, _category(asked, annotation)["name"])
        and chart_id in (None, annotation.get("chart_id"))
    ]
    return json_response({"data": [_annotation(asked, annotation) for annotation in found]})


def list_categories(asked: Asked) -> web.Response:
    """Answer v3's categories, with ``category`` for the name in recordings as in annotations."""
    _require_version(asked, 3)
    name = asked.parameter("category")
    found = [item for item in asked.content.catalog.annotation_categories if name in (None, item["name"])]
    return json_response({"data": [_shown(asked, item) for item in found]})


def list_annotations_v2(asked: Asked) -> web.Response:
    """Answer v2's list, or the one of ``id``."""
    _require_version(asked, 2)
    wanted = asked.parameter("id")
    items = [
        {
            "id": annotation["id"],
            "date": str(annotation["start"])[:10],
            "label": annotation["label"],
            "details": annotation.get("details"),
        }
        for annotation in asked.content.catalog.annotations
        if wanted in (None, str(annotation["id"]))
    ]
    return json_response({"data": items})


def _require_version(asked: Asked, version: AnnotationVersion) -> None:
    if version not in asked.content.settings.annotation_versions:
        raise RequestRefusedError(404, "Not Found")


def _annotation(asked: Asked, annotation: Item) -> dict[str, object]:
    item = {key: value for key, value in annotation.items() if key != "category_id"}
    return {**item, "category": _shown(asked, _category(asked, annotation))}


def _category(asked: Asked, annotation: Item) -> Item:
    for category in asked.content.catalog.annotation_categories:
        if category["id"] == annotation.get("category_id"):
            return category
    return UNCATEGORIZED


def _shown(asked: Asked, category: Item) -> dict[str, object]:
    return {"id": category["id"], asked.content.settings.annotation_category_key: category["name"]}


def _begin(annotation: Item) -> datetime:
    return datetime.fromisoformat(str(annotation["start"]))


def _end(annotation: Item) -> datetime:
    return datetime.fromisoformat(str(annotation.get("end") or annotation["start"]))


def _instant(asked: Asked, name: str) -> datetime | None:
    text = asked.parameter(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        # A "+" that was not percent-encoded arrives as a space, and is refused, inferred (reference 4.1).
        raise RequestRefusedError(400, f"Invalid {name}: {text}", error_type="invalid") from None
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment


ANNOTATION_ROUTES: tuple[RestRoute, ...] = (
    RestRoute("/api/3/annotations", "annotations", list_annotations),
    RestRoute("/api/3/annotation-categories", "annotations", list_categories),
    RestRoute("/api/2/annotations", "annotations", list_annotations_v2),
)
