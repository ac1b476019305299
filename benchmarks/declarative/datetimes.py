"""The only part of the declarative contender that needs code: datetimes in RFC 3339."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.utils.datetime_helpers import ab_datetime_parse

if TYPE_CHECKING:
    from airbyte_cdk.sources.types import Config, StreamSlice, StreamState

DATETIME_FIELDS = (
    "event_time",
    "server_upload_time",
    "processed_time",
    "server_received_time",
    "user_creation_time",
    "client_upload_time",
    "client_event_time",
)


@dataclass
class DatetimesToRfc3339(RecordTransformation):
    """Adds a ``T`` and a zone to an event's datetimes; a ``CustomTransformation`` of the manifest.

    ``2026-11-21 09:00:00.123000`` becomes ``2026-11-21T09:00:00.123000+00:00``. Null and the empty string stay. Other
    values raise ``ValueError``, which the CDK reports as a ``system_error`` of the stream, as for upstream.
    """

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,  # noqa: ARG002 - the CDK passes all four by name
        stream_state: StreamState | None = None,  # noqa: ARG002
        stream_slice: StreamSlice | None = None,  # noqa: ARG002
    ) -> None:
        """Convert the datetime fields of ``record`` in place."""
        for field in DATETIME_FIELDS:
            value = record.get(field)
            if value:
                record[field] = ab_datetime_parse(value).to_datetime().isoformat()
