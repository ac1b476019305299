from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.emulator.amplitude_client import AmplitudeClient


def data(client: AmplitudeClient, path: str) -> list[dict[str, Any]]:
    body = client.get(f"/us/api/2/taxonomy/{path}").tree
    found: list[dict[str, Any]] = body["data"]
    assert body == {"success": True, "data": found}
    return found


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("category", "event_categories"),
        ("event?showDeleted=true", "event_types"),
        ("event-property", "event_properties"),
        ("user-property?showDeleted=true", "user_properties"),
        ("group-property", "group_properties"),
    ],
)
def test_lists_equal_the_catalog(emulator: Emulator, client: AmplitudeClient, path: str, name: str) -> None:
    found = data(client, path)

    assert found == list(getattr(emulator.content.catalog, name))
    assert found


def test_event_types_have_the_recorded_keys(client: AmplitudeClient) -> None:
    by_name = {item["event_type"]: item for item in data(client, "event")}

    assert by_name["Order Completed"] == {
        "event_type": "Order Completed",
        "description": "Sent by the sample: Order Completed",
        "display_name": None,
        "category": {"name": "Shopping"},
        "deleted": None,
        "tags": ["checkout"],
        "is_active": True,
        "owner": None,
        "is_hidden_from_dropdowns": False,
        "is_hidden_from_persona_results": False,
        "is_hidden_from_pathfinder": False,
        "is_hidden_from_timeline": False,
    }
    assert by_name["session_start"]["category"] is None


def test_deleted_items_are_shown_only_on_request(client: AmplitudeClient) -> None:
    assert "Old Checkout" not in [item["event_type"] for item in data(client, "event")]
    assert [item["user_property"] for item in data(client, "user-property")] == ["gp:plan", "country"]
    assert len(data(client, "user-property?showDeleted=false")) == 2


def test_event_properties_of_one_event_type(client: AmplitudeClient) -> None:
    found = data(client, "event-property?event_type=Order%20Completed")

    assert {item["event_type"] for item in found} == {"Order Completed"}
    assert found[0] == {
        "event_property": "$price",
        "description": "",
        "type": "any",
        "enum_values": None,
        "regex": None,
        "is_array_type": False,
        "is_hidden": False,
        "classifications": [],
        "event_type": "Order Completed",
        "is_required": False,
    }
    assert data(client, "event-property?event_type=nothing") == []


def test_group_properties_of_one_group_type(client: AmplitudeClient) -> None:
    assert [item["group_property"] for item in data(client, "group-property?group_type=team")] == ["grp:region"]
