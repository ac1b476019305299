"""The CDK's own entrypoint with our source: what ``check`` and ``discover`` print without our code around them.

The CDK validates a configuration with the JSON Schema of ``spec`` and stops at the first problem. This program lets our
source validate it, which reports all problems at once. It serves requests like `ready_program`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch

from source_amplitude.airbyte.source import SourceAmplitude
from unit_tests.end_to_end.command import SHORT
from unit_tests.end_to_end.ready_program import main

if TYPE_CHECKING:
    from collections.abc import Mapping

    from source_amplitude.clock import Clock


def stock(arguments: list[str], clock: Clock | None) -> int:
    """Run the CDK's command line."""
    source = SourceAmplitude(limits=SHORT, clock=clock)

    def validate(_: object, config: Mapping[str, Any]) -> None:
        source.validate(config)

    AirbyteEntrypoint.validate_connection = staticmethod(validate)  # type: ignore[assignment]
    launch(source, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), stock))
