"""Compare a tag's version with the versions in the repository: ``python .ci/check_version.py v1.0.0``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

VERSION_PATTERNS = {
    "pyproject.toml": r'^version = "([^"]+)"$',
    "source_amplitude/distribution.py": r'^VERSION = "([^"]+)"$',
    "metadata.yaml": r"^  dockerImageTag: (\S+)$",
    "CHANGELOG.md": r"^## \[([^\]]+)\] - \d{4}-\d{2}-\d{2}$",
}


def problems(tag: str, folder: Path) -> list[str]:
    """Return a sentence for each file whose first version differs from the tag's."""
    wanted = tag.removeprefix("v")
    if not re.fullmatch(r"v\d+\.\d+\.\d+((a|b|rc)\d+)?", tag):
        return [f"{tag} is not a version such as v1.0.0."]
    found = {name: _version(folder / name, pattern) for name, pattern in VERSION_PATTERNS.items()}
    return [
        f"{name} contains {version}, but the tag is {wanted}." for name, version in found.items() if version != wanted
    ]


def _version(path: Path, pattern: str) -> str:
    match = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "no version"


if __name__ == "__main__":
    found_problems = problems(sys.argv[1], Path(__file__).parents[1])
    sys.stderr.write("".join(f"{each}\n" for each in found_problems))
    sys.exit(bool(found_problems))
