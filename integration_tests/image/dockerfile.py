"""Parse the Dockerfile, and list the files of the build context by ``.dockerignore``."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
_BUILD_STEPS = ("COPY", "RUN")
_ONCE = ("FROM", "WORKDIR", "USER", "ENTRYPOINT")


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile with one stage; only the instructions of ours are supported.

    Attributes:
        steps: The COPY and RUN instructions in order, with their arguments.
    """

    base: str
    workdir: str
    user: str
    environ: dict[str, str]
    entrypoint: list[str]
    steps: list[tuple[str, str]]


def read_dockerfile(path: Path) -> Dockerfile:
    """Parse a Dockerfile.

    Raises:
        ValueError: It has an unsupported instruction.
    """
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line.strip().partition(" ") for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    strange = {word for word, _, _ in lines} - {*_BUILD_STEPS, *_ONCE, "ARG", "ENV"}
    if strange:
        raise ValueError(f"{path.name} has {', '.join(sorted(strange))}, which is not supported")
    arguments = dict(rest.split("=", 1) for word, _, rest in lines if word == "ARG")
    once = {word: rest for word, _, rest in lines if word in _ONCE}
    variables = [rest.split("=", 1) for word, _, rest in lines if word == "ENV"]
    return Dockerfile(
        base=arguments[once["FROM"].strip("${}")],
        workdir=once["WORKDIR"],
        user=once["USER"],
        environ={name: shlex.split(value)[0] for name, value in variables},
        entrypoint=json.loads(once["ENTRYPOINT"]),
        steps=[(word, rest) for word, _, rest in lines if word in _BUILD_STEPS],
    )


def context_files(folder: Path) -> list[Path]:
    """Return the files of the build context, relative to it, without those that ``.dockerignore`` excludes."""
    lines = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    roots = [folder / line.removeprefix("!") for line in patterns if line.startswith("!")]
    found = [path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*")))]
    files = [path.relative_to(folder) for path in found if path.is_file()]
    return [path for path in files if not _is_left_out(path, patterns)]


def _is_left_out(path: Path, patterns: list[str]) -> bool:
    """Return whether the last pattern that matches the path, or a parent folder, excludes it."""
    names = [path.as_posix(), *(parent.as_posix() for parent in path.parents if parent.name)]
    left_out = False
    for pattern in patterns:
        expression = _expression(pattern.removeprefix("!"))
        if any(expression.fullmatch(name) for name in names):
            left_out = not pattern.startswith("!")
    return left_out


def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*"))
