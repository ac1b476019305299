"""Amplitude as a data source of Spark; `AmplitudeDataSource` is what a session registers.

Windows are independent, so Spark's tasks read them; the driver decides which. Needs the extra ``[spark]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from source_amplitude.spark.data_source import AmplitudeDataSource

__all__ = ["AmplitudeDataSource"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the module protocol's own signature
    """Import the data source only when it is asked for: the rest of the package does without Spark."""
    if name != "AmplitudeDataSource":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from source_amplitude.spark.data_source import AmplitudeDataSource  # noqa: PLC0415 - see above

    return AmplitudeDataSource
