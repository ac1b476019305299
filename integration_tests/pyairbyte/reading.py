"""One read with PyAirbyte, as a program for its environment: ``python reading.py JOB.json ANSWER.json``.

The job is `{"config", "streams", "database"}`, where streams are names or ``"*"``. The answer is `{"records",
"failure"}`: how many records came, and the class of the error, if any.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import airbyte as ab

EXECUTABLE = "env/bin/source-amplitude"


def read(job: dict[str, Any]) -> dict[str, Any]:
    """Read some streams into a DuckDB file, and go on from the state that is in it."""
    source = ab.get_source("source-amplitude", local_executable=EXECUTABLE, config=job["config"])
    if job["streams"] == "*":
        source.select_all_streams()
    else:
        source.select_streams(job["streams"])
    try:
        result = source.read(ab.DuckDBCache(db_path=job["database"]))
    except Exception as error:  # noqa: BLE001 - which it is, is what the test asks
        return {"records": None, "failure": type(error).__name__}
    return {"records": result.processed_records, "failure": None}


if __name__ == "__main__":
    question, answer = map(Path, sys.argv[1:])
    answer.write_text(json.dumps(read(json.loads(question.read_text("utf-8")))), "utf-8")
