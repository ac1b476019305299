"""``read`` without a catalog file, and the catalog that ``discover --configured`` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from unit_tests.end_to_end.connector import PROJECT, Run

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.end_to_end.connector import Connector

STREAMS = json.loads((PROJECT / "unit_tests/golden/catalog.json").read_text())["catalog"]["streams"]


def streams_of(run: Run) -> set[str]:
    return {message["record"]["stream"] for message in run.of_type("RECORD")}


def test_read_without_a_catalog_reads_events(half_a_day: Emulator, connector: Connector) -> None:
    config = connector.file("config.json", connector.config())

    plain, with_catalog = connector.run("read", "--config", config), connector.read()

    assert (plain.exit_code, streams_of(plain)) == (0, {"events"})
    assert plain.records == with_catalog.records
    assert plain.states == with_catalog.states
    assert len(plain.records) == len(half_a_day.store.lines())


def test_the_chosen_streams_are_read(half_a_day: Emulator, connector: Connector) -> None:
    config = connector.file("config.json", connector.config())

    run = connector.run("read", "--config", config, "--streams", "cohorts, annotations")

    assert half_a_day.requests
    assert (run.exit_code, streams_of(run)) == (0, {"cohorts", "annotations"})


def test_a_second_read_with_the_state_file_reads_nothing(
    half_a_day: Emulator, connector: Connector, tmp_path: Path
) -> None:
    config = connector.file("config.json", connector.config())
    arguments = ("read", "--config", config, "--state-file", str(tmp_path / "kept.json"))

    first, second = connector.run(*arguments), connector.run(*arguments)

    assert (len(first.records), second.exit_code, second.records) == (len(half_a_day.store.lines()), 0, [])


def test_the_printed_catalog_selects_every_stream(emulator: Emulator, connector: Connector) -> None:
    assert not emulator.requests
    config = connector.file("config.json", connector.config())

    run = connector.run("discover", "--config", config, "--configured")

    printed = json.loads(run.stdout)
    modes = ["incremental" if "incremental" in each["supported_sync_modes"] else "full_refresh" for each in STREAMS]
    assert (run.exit_code, run.stderr) == (0, b"")
    assert printed == {
        "streams": [
            {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append"}
            for stream, mode in zip(STREAMS, modes, strict=True)
        ]
    }


def test_the_printed_catalog_can_be_read(half_a_day: Emulator, connector: Connector, tmp_path: Path) -> None:
    config = connector.file("config.json", connector.config())
    printed = connector.run("discover", "--config", config, "--configured", "--streams", "events,cohorts")
    (tmp_path / "chosen.json").write_bytes(printed.stdout)

    run = connector.run("read", "--config", config, "--catalog", str(tmp_path / "chosen.json"))

    assert half_a_day.requests
    assert (run.exit_code, streams_of(run)) == (0, {"events", "cohorts"})


def test_a_wrong_configuration_prints_no_catalog(emulator: Emulator, connector: Connector) -> None:
    config = connector.file("config.json", connector.config(num_workers=9))

    run = connector.run("discover", "--config", config, "--configured")

    assert (emulator.requests, run.exit_code) == ([], 1)
    assert [text.partition(" is not ")[0] for text in run.error_texts] == [
        "The configuration has 1 problem: num_workers: 9"
    ]
