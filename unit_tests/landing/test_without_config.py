"""The commands without a configuration file: keys from the environment, and ``--from``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.landing.program import DAY, HOURS, objects_of, oracle, stored

if TYPE_CHECKING:
    from pathlib import Path

    from amplitude_emulator import Emulator
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import Peer


@pytest.fixture
def keys(program: Program, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - it deletes others
    monkeypatch.setenv("AMPLITUDE_API_KEY", emulator.project.api_key)
    monkeypatch.setenv("AMPLITUDE_SECRET_KEY", emulator.project.secret_key)


@pytest.mark.usefixtures("keys")
def test_land_needs_no_configuration_file(half_a_day: Emulator, program: Program, folder: Peer) -> None:
    landed = program.run("land", folder, *HOURS)

    assert (landed.exit_code, landed.problem) == (0, "")
    assert objects_of(stored(folder)) == oracle(half_a_day.store)


@pytest.mark.usefixtures("half_a_day", "keys")
def test_suggested_command_needs_no_configuration_file(program: Program, folder: Peer) -> None:
    program.run("land", folder, *HOURS, "--end", "2026-03-04T05")

    missing = program.missing(folder)

    command = f"source-amplitude land --to {folder.url} --start 2026-03-04T05 --end 2026-03-04T10 --only-missing"
    assert missing.stderr.splitlines()[-1] == f"  {command}"


@pytest.mark.usefixtures("half_a_day")
def test_land_names_the_missing_variables(
    program: Program, folder: Peer, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMPLITUDE_API_KEY", emulator.project.api_key)
    monkeypatch.delenv("AMPLITUDE_SECRET_KEY", raising=False)

    landed = program.run("land", folder, *HOURS)

    problem = "--config is not given, and AMPLITUDE_SECRET_KEY must be set in the environment instead"
    assert (landed.exit_code, landed.stdout) == (2, "")
    assert landed.problem.startswith(f"The configuration has 1 problem: {problem}. ")


@pytest.mark.usefixtures("half_a_day", "keys")
def test_rejected_variables_are_named(program: Program, folder: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_SECRET_KEY", "another-secret")

    landed = program.run("land", folder, *HOURS)

    assert landed.exit_code == 1
    assert landed.problem.endswith("--region or AMPLITUDE_REGION names the region where the project is stored.")
    assert "another-secret" not in landed.stderr


@pytest.mark.usefixtures("keys")
def test_region_is_refused_beside_a_configuration(program: Program, folder: Peer) -> None:
    landed = program.land(folder, *HOURS, "--region", "eu")

    problem = "--region: with --config, data_region in the configuration names the region"
    assert landed.exit_code == 2
    assert landed.problem.startswith(f"The configuration has 1 problem: {problem}. ")


@pytest.mark.usefixtures("half_a_day")
@pytest.mark.parametrize("command", ["missing", "report"])
def test_from_and_to_name_the_same_store(program: Program, folder: Peer, command: str) -> None:
    program.land(folder)

    by_from, by_to = (program.type(command, option, folder.url, "--start", DAY) for option in ("--from", "--to"))

    assert by_from.exit_code == 0
    assert by_from == by_to


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_refused_store_is_reported_by_the_typed_option(program: Program, option: str, tmp_path: Path) -> None:
    ended = program.type("missing", option, "s3:/bucket")

    assert ended.exit_code == 2
    assert f"{option}: 's3:/bucket' is not a known destination; use s3://bucket" in ended.problem
    assert list(tmp_path.iterdir()) == []
