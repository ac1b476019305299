"""Chart annotations: v3 with its categories, and v2 (reference 4)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from amplitude_emulator.errors import RequestRefusedError
from amplitude_emulator.json_responses import json_response
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from aiohttp import web

    from amplitude_emulator.rest.catalog import Item
    from amplitude_emulator.rest.routes import ApiRequest
    from amplitude_emulator.rest.settings import AnnotationVersion

UNCATEGORIZED: dict[str, object] = {"id": 1, "name": "Uncategorized"}  # recorded, reference 4.1


def list_annotations(request: ApiRequest) -> web.Response:
    """Return v3's list, filtered by ``category`` or ``chart_id``, ``start`` and ``end``."""
    _require_version(request, 3)
    after, before = _instant(request, "start"), _instant(request, "end")
    category, chart_id = request.parameter("category"), request.parameter("chart_id")
    if category is not None and chart_id is not None:
        raise RequestRefusedError(400, "category and chart_id do not combine", error_type="invalid")
    found = [
        annotation
        for annotation in request.content.catalog.annotations
        if (after is None or _begin(annotation) > after)
        and (before is None or _end(annotation) < before)
        and category in (None, _category(request, annotation)["name"])
        and chart_id in (None, annotation.get("chart_id"))
    ]
    return json_response({"data": [_annotation(request, annotation) for annotation in found]})


def list_categories(request: ApiRequest) -> web.Response:
    """Return v3's categories; recordings have the name under ``category``, as in annotations."""
    _require_version(request, 3)
    name = request.parameter("category")
    found = [item for item in request.content.catalog.annotation_categories if name in (None, item["name"])]
    return json_response({"data": [_shown(request, item) for item in found]})


def list_annotations_v2(request: ApiRequest) -> web.Response:
    """Return v2's list, or the annotation of ``id``."""
    _require_version(request, 2)
    wanted = request.parameter("id")
    items = [
        {
            "id": annotation["id"],
            "date": str(annotation["start"])[:10],
            "label": annotation["label"],
            "details": annotation.get("details"),
        }
        for annotation in request.content.catalog.annotations
        if wanted in (None, str(annotation["id"]))
    ]
    return json_response({"data": items})


def _require_version(request: ApiRequest, version: AnnotationVersion) -> None:
    if version not in request.content.settings.annotation_versions:
        raise RequestRefusedError(404, "Not Found")


def _annotation(request: ApiRequest, annotation: Item) -> dict[str, object]:
    item = {key: value for key, value in annotation.items() if key != "category_id"}
    return {**item, "category": _shown(request, _category(request, annotation))}


def _category(request: ApiRequest, annotation: Item) -> Item:
    for category in request.content.catalog.annotation_categories:
        if category["id"] == annotation.get("category_id"):
            return category
    return UNCATEGORIZED


def _shown(request: ApiRequest, category: Item) -> dict[str, object]:
    return {"id": category["id"], request.content.settings.annotation_category_key: category["name"]}


def _begin(annotation: Item) -> datetime:
    return datetime.fromisoformat(str(annotation["start"]))


def _end(annotation: Item) -> datetime:
    return datetime.fromisoformat(str(annotation.get("end") or annotation["start"]))


def _instant(request: ApiRequest, name: str) -> datetime | None:
    text = request.parameter(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        # A "+" without percent-encoding arrives as a space; that it is refused is inferred (reference 4.1).
        raise RequestRefusedError(400, f"Invalid {name}: {text}", error_type="invalid") from None
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment


ANNOTATION_ROUTES: tuple[RestRoute, ...] = (
    RestRoute("/api/3/annotations", "annotations", list_annotations),
    RestRoute("/api/3/annotation-categories", "annotations", list_categories),
    RestRoute("/api/2/annotations", "annotations", list_annotations_v2),
)
