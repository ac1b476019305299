"""The 55 keys of an exported line, with their values when absent."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Reference section 7: every key is present on every recent line, absent values are explicit nulls.
NULL_LINE: Mapping[str, object] = {
    "$insert_id": None,
    "$insert_key": None,
    "$schema": None,
    "adid": None,
    "amplitude_attribution_ids": None,
    "amplitude_event_type": None,
    "amplitude_id": None,
    "app": None,
    "city": None,
    "client_event_time": None,
    "client_upload_time": None,
    "country": None,
    "data": {},
    "data_type": "event",
    "device_brand": None,
    "device_carrier": None,
    "device_family": None,
    "device_id": None,
    "device_manufacturer": None,
    "device_model": None,
    "device_type": None,
    "dma": None,
    "event_id": None,
    "event_properties": {},
    "event_time": None,
    "event_type": None,
    "global_user_properties": None,
    "group_properties": {},
    "groups": {},
    "idfa": None,
    "ip_address": None,
    "is_attribution_event": None,
    "language": None,
    "library": None,
    "location_lat": None,
    "location_lng": None,
    "os_name": None,
    "os_version": None,
    "partner_id": None,
    "paying": None,
    "plan": {},
    "platform": None,
    "processed_time": None,
    "region": None,
    "sample_rate": None,
    "server_received_time": None,
    "server_upload_time": None,
    "session_id": -1,
    "source_id": None,
    "start_version": None,
    "user_creation_time": None,
    "user_id": None,
    "user_properties": {},
    "uuid": None,
    "version_name": None,
}


def new_line(values: Mapping[str, object]) -> dict[str, object]:
    """Return a complete line in the dialect since mid 2023 (reference 6.8), keys in alphabetical order.

    Raises:
        KeyError: A key is not one of the 55.
    """
    line = {key: copy.copy(value) for key, value in NULL_LINE.items()}
    for key, value in values.items():
        if key not in line:
            raise KeyError(key)
        line[key] = value
    return line


def old_line(values: Mapping[str, object]) -> dict[str, object]:
    """Return a complete line in the dialect until early 2023, where some of today's nulls had values."""
    older: dict[str, object] = {
        "$insert_key": "00a1b2c3d4e5f6#117",
        "$schema": 13,
        "global_user_properties": {},
        "is_attribution_event": False,
        "user_creation_time": "2021-06-01 08:30:00.000000",
    }
    return new_line({**older, **values})
