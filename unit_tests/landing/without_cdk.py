"""The real command line without the CDK: only the libraries of requirements-land.txt can be imported.

Usage: ``python without_cdk.py COMMAND...``. All other installed distributions are hidden, also those that the CDK
requires.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
OURS = "source-amplitude-ledger"


def light() -> set[str]:
    """Return the distributions of requirements-land.txt, and all that they require."""
    lines = (ROOT / "requirements-land.txt").read_text(encoding="utf-8").splitlines()
    wanted, found = [Requirement(line) for line in lines if not line.startswith("#")], set[str]()
    while wanted:
        each = wanted.pop()
        name = canonicalize_name(each.name)
        if name in found or (each.marker is not None and not each.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        wanted += map(Requirement, metadata.requires(name) or [])
    return found


def hidden_modules() -> set[str]:
    """Return the top-level modules of all other distributions."""
    allowed = {*light(), OURS}
    return {
        module
        for module, owners in metadata.packages_distributions().items()
        if re.fullmatch(r"\w+", module) and not {canonicalize_name(owner) for owner in owners} & allowed
    }


class Hider:
    """A finder that refuses to import the hidden modules."""

    def __init__(self, hidden: set[str]) -> None:
        self._hidden = hidden

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> None:  # noqa: ARG002
        if name.partition(".")[0] in self._hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


if __name__ == "__main__":
    modules = hidden_modules()
    assert {"airbyte_cdk", "pydantic", "pandas"} <= modules, modules
    for loaded in [name for name in sys.modules if name.partition(".")[0] in modules]:
        del sys.modules[loaded]
    sys.meta_path.insert(0, Hider(modules))
    sys.path.insert(0, str(ROOT))
    from source_amplitude.run import run

    sys.exit(run())
