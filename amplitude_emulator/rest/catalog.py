"""The content of a project's lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

Item = Mapping[str, object]


@dataclass(frozen=True)
class Catalog:
    """The items of a project's lists, in the order of the responses; assign a changed copy to change them.

    Items are JSON objects as in Amplitude's responses, so that tests can add unknown keys and omit known
    ones. The items of charts, annotations and lookup tables serve more than one route.

    Attributes:
        events: Items of ``events/list``.
        charts: ``id``, ``name``, ``description``, ``metric``, ``event``, ``segments`` and ``days``.
        annotations: v3's keys with ``category_id`` instead of ``category``.
        annotation_categories: ``id`` and ``name``.
        event_categories: Taxonomy's categories.
        event_types: Taxonomy's event types.
        event_properties: Taxonomy's event properties; ``event_type`` is null for shared ones.
        user_properties: Taxonomy's user properties.
        group_properties: Taxonomy's group properties.
        lookup_tables: Table objects, with the CSV text in the additional key ``csv``.
        deletions: Jobs of the User Privacy API.
    """

    events: tuple[Item, ...] = ()
    charts: tuple[Item, ...] = ()
    annotations: tuple[Item, ...] = ()
    annotation_categories: tuple[Item, ...] = ()
    event_categories: tuple[Item, ...] = ()
    event_types: tuple[Item, ...] = ()
    event_properties: tuple[Item, ...] = ()
    user_properties: tuple[Item, ...] = ()
    group_properties: tuple[Item, ...] = ()
    lookup_tables: tuple[Item, ...] = ()
    deletions: tuple[Item, ...] = ()


def catalog_with(catalog: Catalog, changes: Mapping[str, object]) -> Catalog:
    """Return a catalog with some lists replaced.

    Raises:
        ValueError: A list is unknown, or a value is not a list of objects.
    """
    names = {known.name for known in fields(catalog)}
    unknown = sorted(changes.keys() - names)
    if unknown:
        raise ValueError(f"Unknown list {', '.join(unknown)}. Known lists: {', '.join(sorted(names))}.")
    return replace(catalog, **{name: _items(name, value) for name, value in changes.items()})


def _items(name: str, value: object) -> tuple[Item, ...]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{name} must be a list of JSON objects")
    return tuple(value)
