"""A minimal connector for airbyte-cdk 7: one stream, with the entry point of the CDK's guide."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConnectorSpecification
from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.streams import Stream

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Mapping


class Numbers(Stream):
    """One record."""

    primary_key = None

    def get_json_schema(self) -> Mapping[str, Any]:  # type: ignore[override]  # the CDK's is cached
        """Return the schema."""
        return {"type": "object", "properties": {"number": {"type": "integer"}}}

    def read_records(self, *_: Any, **__: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401 - the CDK's form
        """Yield the record."""
        yield {"number": 1}


class PlainSource(AbstractSource):
    """A source without network access."""

    def spec(self, _: logging.Logger) -> ConnectorSpecification:
        """Return a specification without fields."""
        return ConnectorSpecification(connectionSpecification={"type": "object", "properties": {}})

    def check_connection(self, _: logging.Logger, __: Mapping[str, Any]) -> tuple[bool, None]:
        """Return success."""
        return True, None

    def streams(self, _: Mapping[str, Any]) -> list[Stream]:
        """Return the stream."""
        return [Numbers()]


if __name__ == "__main__":
    launch(PlainSource(), sys.argv[1:])
