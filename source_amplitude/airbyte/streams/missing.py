"""What stands in for a stream that the catalog names and this source does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airbyte_cdk.sources.streams import Stream

from source_amplitude.airbyte.failures import traced
from source_amplitude.errors import UnknownStreamError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class MissingStream(Stream):
    """Fails when it is read, so that the stream ends INCOMPLETE with a message and the others go on."""

    primary_key = None

    def __init__(self, name: str, existing: tuple[str, ...]) -> None:
        self.name = name
        self._existing = existing

    def get_json_schema(self) -> Mapping[str, Any]:  # type: ignore[override] # the CDK wraps its own in a cache
        """Return an empty schema; there is nothing to describe."""
        return {}

    def read_records(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 - the CDK's signature
        """Raise the error that names this stream and the ones that exist."""
        raise traced(
            UnknownStreamError(
                f"The catalog asks for a stream named {self.name!r}; this source has {', '.join(self._existing)}."
            )
        )
