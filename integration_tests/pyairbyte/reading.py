"""One read with PyAirbyte, as a program for its environment: ``python reading.py JOB.json RESULT.json``.

The job is `{"config", "streams", "database"}`; streams are names or ``"*"``. The result is `{"records", "failure"}`:
the number of records and the class of the error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import airbyte as ab

EXECUTABLE = "env/bin/source-amplitude"


def read(job: dict[str, Any]) -> dict[str, Any]:
    """Read streams into a DuckDB file, starting from the state in it."""
    source = ab.get_source("source-amplitude", local_executable=EXECUTABLE, config=job["config"])
    if job["streams"] == "*":
        source.select_all_streams()
    else:
        source.select_streams(job["streams"])
    try:
        result = source.read(ab.DuckDBCache(db_path=job["database"]))
    except Exception as error:  # noqa: BLE001 - the tests compare its class
        return {"records": None, "failure": type(error).__name__}
    return {"records": result.processed_records, "failure": None}


if __name__ == "__main__":
    job_file, result_file = map(Path, sys.argv[1:])
    result_file.write_text(json.dumps(read(json.loads(job_file.read_text("utf-8")))), "utf-8")
