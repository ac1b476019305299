"""Compare docs/architecture.md with the import contract, the imports and the files."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import grimp
import pytest
from importlinter.api import read_configuration

PROJECT = Path(__file__).parents[2]
PACKAGE = "source_amplitude"
PAGE = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
(DIAGRAM,) = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
BOXES = re.findall(r"^  (\w+)\[", DIAGRAM, re.MULTILINE)
ARROWS = [
    (above, below)
    for above, others in re.findall(r"^  (\w+) --> (.+)$", DIAGRAM, re.MULTILINE)
    for below in others.split(" & ")
]


@cache
def layers() -> list[list[str]]:
    """Return the packages of the import contract, highest layer first."""
    contracts = read_configuration(str(PROJECT / "pyproject.toml"))["contracts_options"]
    (contract,) = (each for each in contracts if each["type"] == "layers")
    return [layer.split(" | ") for layer in contract["layers"]]


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, cache_dir=None)


def level(package: str) -> int:
    return next(number for number, layer in enumerate(layers()) if package in layer)


def named_paths(text: str) -> list[str]:
    """Return the paths in backticks: folders, and files with a known suffix."""
    return [each for each in re.findall(r"`([^`\n]+)`", text) if re.fullmatch(r"[\w./-]+(/|\.(py|json|md|toml))", each)]


def test_the_diagram_has_each_package_of_the_contract_once() -> None:
    contract = [package for layer in layers() for package in layer]

    missing, unknown = sorted(set(contract) - set(BOXES)), sorted(set(BOXES) - set(contract))
    assert (missing, unknown) == ([], []), f"not in the diagram: {missing}; not in pyproject.toml: {unknown}"
    assert len(BOXES) == len(set(BOXES))


def test_every_line_of_the_diagram_is_a_package_or_arrows() -> None:
    lines = [line for line in DIAGRAM.splitlines()[1:] if line]

    box_or_arrows = r'  \w+\["<b>\w+</b><br>[^"]+"\]|  \w+ --> \w+(?: & \w+)*'
    assert [line for line in lines if not re.fullmatch(box_or_arrows, line)] == []


def test_every_package_has_an_arrow() -> None:
    assert set(BOXES) - {package for arrow in ARROWS for package in arrow} == set()


@pytest.mark.parametrize(("above", "below"), ARROWS)
def test_an_arrow_points_down_and_is_a_direct_import(above: str, below: str) -> None:
    unknown = {above, below} - {package for layer in layers() for package in layer}
    assert unknown == set(), f"{above} --> {below}: {unknown} is not in pyproject.toml"
    assert level(above) < level(below), f"{above} --> {below} points upwards"
    assert imports().direct_import_exists(
        importer=f"{PACKAGE}.{above}", imported=f"{PACKAGE}.{below}", as_packages=True
    ), f"no module of {above} imports one of {below}"


def test_the_walk_through_an_hour_has_ten_lines() -> None:
    walk = PAGE.split("## An hour, from argv to stdout\n", 1)[1].split("\n## ", 1)[0]

    assert re.findall(r"^(\d+)\. \S.*$", walk, re.MULTILINE) == [str(number) for number in range(1, 11)]


def test_every_named_file_exists() -> None:
    paths = named_paths(PAGE)

    assert len(paths) > 50
    missing = [path for path in paths if not any((root / path).exists() for root in (PROJECT / PACKAGE, PROJECT))]
    assert missing == [], f"do not exist: {', '.join(missing)}"


@pytest.mark.parametrize("change", ["a stream", "a config field", "a landing format", "an error"])
def test_the_files_of_each_kind_of_change_are_named(change: str) -> None:
    (cells,) = re.findall(rf"^\| {change} \|(.+)\|$", PAGE, re.MULTILINE)

    assert [len(named_paths(cell)) > 0 for cell in cells.split("|")] == [True, True]
