"""Amplitude as a data source of Spark: `register` makes the format known to a session.

Windows are independent, so Spark's tasks read them; the driver decides which. Needs the extra ``[spark]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from source_amplitude.spark.data_source import AmplitudeDataSource, register

__all__ = ["AmplitudeDataSource", "register"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the module protocol's own signature
    """Import the data source only when it is asked for: the rest of the package does without Spark."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from source_amplitude.spark import data_source  # noqa: PLC0415 - see above

    return getattr(data_source, name)
