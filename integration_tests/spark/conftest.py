from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from amplitude_emulator import Emulator
from amplitude_emulator.sample_data import iter_sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from integration_tests.spark.desk import Desk

FIRST = datetime(2026, 3, 3, tzinfo=timezone.utc)
NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)
EVENTS_PER_HOUR = 30
EMPTY_HOURS = (3, 4, 17)
PUSHDOWN = "spark.sql.python.filterPushdown.enabled"


@pytest.fixture(scope="session")
def amplitude() -> Iterator[Emulator]:
    """One emulator for all tests: Spark's workers get its address when the JVM starts."""
    from integration_tests.spark.sessions import spark_environ  # noqa: PLC0415 - PySpark is in .venv-spark alone

    with Emulator(now=NOON) as emulator:
        os.environ.update(spark_environ(), AMPLITUDE_API_URL=emulator.url)
        yield emulator


@pytest.fixture(scope="module")
def spark(amplitude: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:  # noqa: ARG001
    """A session with two threads."""
    from integration_tests.spark.sessions import session  # noqa: PLC0415 - as above

    with session("local[2]", tmp_path_factory.mktemp("spark")) as made:
        yield made


@pytest.fixture
def desk(spark: SparkSession, amplitude: Emulator, tmp_path: Path) -> Desk:
    """A project with 34 hours of events, except for three empty hours."""
    from integration_tests.spark.desk import Desk  # noqa: PLC0415 - as above

    amplitude.reset()
    fill(amplitude, 0, 34)
    spark.conf.set(PUSHDOWN, "true")
    return Desk(spark, amplitude, tmp_path)


def fill(emulator: Emulator, first: int, end: int) -> None:
    """Store sample events for some hours from the first day on."""
    sample = iter_sample(
        emulator.project.project_id,
        seed=7,
        start=FIRST + timedelta(hours=first),
        end=FIRST + timedelta(hours=end),
        events_per_hour=EVENTS_PER_HOUR,
    )
    for member in sample:
        if (member.hour - FIRST) // timedelta(hours=1) not in EMPTY_HOURS:
            emulator.store.add_member(member.hour, member.lines)
