"""The data source with short waits; a module of its own, since Spark's Python workers import it by name."""

from __future__ import annotations

from source_amplitude.spark import AmplitudeDataSource
from unit_tests.end_to_end.command import SHORT


class QuickAmplitude(AmplitudeDataSource):
    """Named as the real one."""

    limits = SHORT
