"""Lookup Table API 2, on its own host: here ``/data-us`` and ``/data-eu`` (reference 0.1, 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from amplitude_emulator.errors import RequestRefusedError
from amplitude_emulator.json_responses import json_response
from amplitude_emulator.rest.routes import RestRoute

if TYPE_CHECKING:
    from amplitude_emulator.rest.catalog import Item
    from amplitude_emulator.rest.routes import ApiRequest

NO_SUCH_TABLE = "LOOKUP_TABLE_DOES_NOT_EXIST"  # documented, reference 5.2


def list_tables(request: ApiRequest) -> web.Response:
    """Return all tables as a bare JSON array."""
    return json_response([_without_csv(table) for table in request.content.catalog.lookup_tables])


def get_table(request: ApiRequest) -> web.Response:
    """Return one table's object."""
    return json_response(_without_csv(_table(request)))


def table_csv(request: ApiRequest) -> web.Response:
    """Return one table's rows; the content type is inferred."""
    return web.Response(text=str(_table(request).get("csv", "")), content_type="text/csv")


def _table(request: ApiRequest) -> Item:
    name = request.path_part("name")
    for table in request.content.catalog.lookup_tables:
        if table.get("name") == name:
            return table
    raise RequestRefusedError(404, f"Lookup table {name} does not exist", code=NO_SUCH_TABLE)


def _without_csv(table: Item) -> dict[str, object]:
    return {key: value for key, value in table.items() if key != "csv"}


LOOKUP_TABLE_ROUTES: tuple[RestRoute, ...] = (
    RestRoute("/api/3/lookup_table", "lookup_tables", list_tables),
    RestRoute("/api/3/lookup_table/{name}", "lookup_tables", get_table),
    RestRoute("/api/3/lookup_table/{name}/csv", "lookup_tables", table_csv),
)
