"""Lines and values that strict parsers reject are repaired, read once, and reported once per sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from unit_tests.fakes.odd_lines import AT, LINES, RECORDS, REPAIRED, WARNINGS

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector

FIGURES = (
    "4 lines repaired; 1 lone surrogate replaced; 1 unreadable datetime unchanged; 3 values of an undeclared type "
    "unchanged"
)


@pytest.mark.parametrize("processes", [1, 2])
def test_odd_lines_are_read_once_and_reported_once(emulator: Emulator, connector: Connector, processes: int) -> None:
    emulator.store.put_content(AT, 0, b"\n".join(LINES) + b"\n")
    first = connector.read(num_processes=processes)
    second = connector.read(first.states[-1], num_processes=processes)

    assert (first.exit_code, second.exit_code, second.records) == (0, 0, []), first.error_texts
    assert first.records == orjson.loads(orjson.dumps(first.records)) == RECORDS
    assert [text for text in first.warnings if text.startswith("events: ")] == [
        f"events: {text}" for text in (REPAIRED, *WARNINGS)
    ]
    assert FIGURES in first.logs


def test_only_lines_added_after_several_events_are_read(emulator: Emulator, connector: Connector) -> None:
    emulator.store.put_content(AT, 0, b'{"uuid":"1"}{"uuid":"2"}\n{"uuid":"3"}')
    first = connector.read()
    emulator.clock.set(AT.replace(hour=23))
    emulator.store.put_content(AT, 0, b'{"uuid":"1"}{"uuid":"2"}\n{"uuid":"3"}{"uuid":"4"}\n{"cut"\n')
    second = connector.read(first.states[-1])

    uuids = [[record["uuid"] for record in run.records] for run in (first, second)]
    assert uuids == [["1", "2", "3"], ["4"]]
    assert "_6#0.json.gz, line 3" in second.error_texts[0]
