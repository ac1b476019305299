"""Airbyte Cloud's rule for requests. Imports the CDK, which has the rule."""

from __future__ import annotations

from airbyte_cdk.entrypoint import AirbyteEntrypoint

from source_amplitude.airbyte.source import SourceAmplitude


def refuse_private_addresses() -> None:
    """Refuse all requests of this process to private addresses and without TLS."""
    AirbyteEntrypoint(SourceAmplitude())  # its constructor replaces requests' Session.send
