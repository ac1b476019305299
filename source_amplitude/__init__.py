"""Airbyte source connector for Amplitude; `SourceAmplitude` is what Airbyte's tools import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from source_amplitude.airbyte.source import SourceAmplitude

__all__ = ["SourceAmplitude"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the module protocol's own signature
    """Import the source only when it is asked for: the CDK behind it costs a second, and ``spec`` needs none of it."""
    if name != "SourceAmplitude":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from source_amplitude.airbyte.source import SourceAmplitude  # noqa: PLC0415 - see above

    return SourceAmplitude
