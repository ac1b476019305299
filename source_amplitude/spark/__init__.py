"""Amplitude as a Spark data source; `register` adds the format to a Spark session.

The driver plans the windows and Spark's tasks read them. Needs the extra ``[spark]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from source_amplitude.spark.data_source import AmplitudeDataSource, register

__all__ = ["AmplitudeDataSource", "register"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the module protocol's own signature
    """Import the data source on first access: the rest of the package does not need Spark."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from source_amplitude.spark import data_source  # noqa: PLC0415 - see above

    return getattr(data_source, name)
