"""Golden records of each stream; update with `python -m unit_tests.airbyte.streams.golden_records`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amplitude_emulator import Emulator
from unit_tests.airbyte.streams.rest_host import Project, RestSync
from unit_tests.conftest import NOON

if TYPE_CHECKING:
    from unit_tests.airbyte.streams.rest_host import Row

FOLDER = Path(__file__).parents[2] / "golden" / "records"


def stream_names(project: Project) -> list[str]:
    """Return all stream names except events."""
    return [stream.name for stream in project.source.streams(project.config())][1:]


def everything(project: Project) -> dict[str, Any]:
    """Return options with which every stream has records."""
    return {
        "cohort_ids": [cohort.cohort_id for cohort in project.content.cohorts.all()],
        "cohort_properties": ["plan", "city", "interests"],
        "chart_ids": [chart["id"] for chart in project.content.catalog.charts],
        "composition_properties": ["country", "gp:plan"],
    }


def read_everything(project: Project) -> RestSync:
    return project.sync(*stream_names(project), **everything(project))


def golden(name: str) -> list[Row]:
    return [json.loads(line) for line in (FOLDER / f"{name}.json").read_text("utf-8").splitlines()]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Emulator(now=NOON) as emulator:
        for name, records in read_everything(Project(emulator)).records.items():
            text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
            (FOLDER / f"{name}.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
