"""The data source with short waits, in its own module: Spark's Python workers import it by name."""

from __future__ import annotations

from source_amplitude.spark import AmplitudeDataSource
from unit_tests.end_to_end.command import SHORT


class QuickAmplitude(AmplitudeDataSource):
    """The data source with short limits, under the same format name."""

    limits = SHORT
