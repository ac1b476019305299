from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.emulator.amplitude_client import AmplitudeClient

PATH = "/data-us/api/3/lookup_table"
TABLE = {
    "appId": 100200,
    "name": "products",
    "columnHeaders": ["sku", "name", "color"],
    "createdAt": 1768208400,
    "lastModifiedAt": 1768294800,
    "createdBy": "ana@example.com",
    "lastModifiedBy": "ana@example.com",
    "isDeleted": False,
    "isConfigured": True,
    "keyColumnHeader": "sku",
    "keyProperty": {"type": "event", "value": "sku", "groupType": None},
    "fileName": "products.csv",
    "rowCount": 2,
    "sizeBytes": 66,
}


def test_tables_are_a_bare_array_on_their_own_host(emulator: Emulator, client: AmplitudeClient) -> None:
    assert client.get(PATH).json == [TABLE]
    assert client.get(f"{PATH}/products").json == TABLE
    assert client.get("/us/api/3/lookup_table").status == 404
    assert client.get("/data-eu/api/3/lookup_table", emulator.projects[1]).status == 200


def test_rows_of_a_table_are_csv(client: AmplitudeClient) -> None:
    response = client.get(f"{PATH}/products/csv")

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(response.body) == TABLE["sizeBytes"]
    assert list(csv.reader(response.body.decode().splitlines())) == [
        ["sku", "name", "color"],
        ["A-1", "Trekking, 28 inches", "red"],
        ["B-2", 'Bell "Ping"', ""],
    ]


def test_unknown_table_has_an_error_code(client: AmplitudeClient) -> None:
    response = client.get(f"{PATH}/nothing/csv")

    assert (response.status, response.json) == (
        404,
        {
            "statusCode": 404,
            "message": "Lookup table nothing does not exist",
            "errorCode": "LOOKUP_TABLE_DOES_NOT_EXIST",
            "extraParams": {},
        },
    )
