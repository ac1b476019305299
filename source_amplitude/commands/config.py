"""``source-amplitude config``: print a configuration template with a comment for each field."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from source_amplitude.config.fields import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from source_amplitude.commands.session import Session

_WIDTH = 100
_DESCRIPTION = """\
Prints a configuration template with a comment for each field: source-amplitude config > config.yaml. The API keys come
from the environment. With --json it prints the required fields as JSON, the format that Airbyte needs.
"""
_HEADER = (
    "# Configuration of source-amplitude. ${NAME} comes from the environment:",
    "#   export AMPLITUDE_API_KEY=... AMPLITUDE_SECRET_KEY=...",
    "# Commented-out fields are optional and show the default or an example.",
)


def config(arguments: Sequence[str], session: Session) -> int:  # noqa: ARG001 - the signature of all commands
    parser = argparse.ArgumentParser(prog="source-amplitude config", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="print JSON, with the required fields only")
    options = parser.parse_args(arguments)
    if options.json:
        required = {name: _example(name, schema()["properties"][name]) for name in schema()["required"]}
        sys.stdout.write(json.dumps(required, indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(_commented()) + "\n")
    return 0


def _commented() -> Iterator[str]:
    yield from _HEADER
    for name, field in sorted(schema()["properties"].items(), key=lambda item: item[1].get("order", 0)):
        is_required = name in schema()["required"]
        yield ""
        yield from textwrap.wrap(
            _explained(field, is_required=is_required), _WIDTH, initial_indent="# ", subsequent_indent="# "
        )
        yield f"{'' if is_required else '# '}{name}: {json.dumps(_example(name, field))}"


def _explained(field: dict[str, Any], *, is_required: bool) -> str:
    """Return a field's description, allowed values, and whether it is required."""
    text = "Required. " if is_required else ""
    text += str(field["description"])
    if "enum" in field:
        text += f" One of: {', '.join(field['enum'])}."
    if "minimum" in field:
        text += f" From {field['minimum']} to {field['maximum']}."
    return text


def _example(name: str, field: dict[str, Any]) -> object:
    if field.get("airbyte_secret"):
        return f"${{AMPLITUDE_{name.upper()}}}"
    if "default" in field:
        return field["default"]
    examples = field.get("examples")
    empty: dict[str, object] = {"array": [], "integer": field.get("minimum", 0), "string": ""}
    return examples[0] if examples else empty[field["type"]]
