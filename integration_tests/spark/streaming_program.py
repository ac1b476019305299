"""A driver for a test to kill: it streams all published events into a table."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from integration_tests.spark.sessions import session


def main(job: str) -> None:
    given = json.loads(Path(job).read_text(encoding="utf-8"))
    folder = Path(given["folder"])
    with session("local[2]", folder / "spark") as spark:
        query = (
            spark.readStream.format("amplitude")
            .options(**given["options"])
            .load()
            .writeStream.format("parquet")
            .option("checkpointLocation", str(folder / "checkpoint"))
            .trigger(availableNow=True)
            .start(str(folder / "table"))
        )
        query.awaitTermination()


if __name__ == "__main__":
    main(sys.argv[1])
