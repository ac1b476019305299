"""Airbyte source connector for Amplitude. Airbyte's tools import `SourceAmplitude`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from source_amplitude.airbyte.source import SourceAmplitude

__all__ = ["SourceAmplitude"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - signature of the module protocol
    """Import the source on first access: the CDK takes a second to import, and ``spec`` does not need it."""
    if name != "SourceAmplitude":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from source_amplitude.airbyte.source import SourceAmplitude  # noqa: PLC0415 - the import is slow

    return SourceAmplitude
