"""Say in which places a tag's version is not the one that is written: ``python .ci/check_version.py v1.0.0``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

SLOTS = {
    "pyproject.toml": r'^version = "([^"]+)"$',
    "source_amplitude/distribution.py": r'^VERSION = "([^"]+)"$',
    "metadata.yaml": r"^  dockerImageTag: (\S+)$",
    "CHANGELOG.md": r"^## \[([^\]]+)\] - \d{4}-\d{2}-\d{2}$",
}


def problems(tag: str, folder: Path) -> list[str]:
    """Return a sentence for each place whose first version is another one than the tag's."""
    wanted = tag.removeprefix("v")
    if not re.fullmatch(r"v\d+\.\d+\.\d+((a|b|rc)\d+)?", tag):
        return [f"{tag} is no version such as v1.0.0."]
    found = {name: _version(folder / name, pattern) for name, pattern in SLOTS.items()}
    return [f"{name} has {version}, the tag {wanted}." for name, version in found.items() if version != wanted]


def _version(path: Path, pattern: str) -> str:
    match = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "none"


if __name__ == "__main__":
    complaints = problems(sys.argv[1], Path(__file__).parents[1])
    sys.stderr.write("".join(f"{each}\n" for each in complaints))
    sys.exit(bool(complaints))
