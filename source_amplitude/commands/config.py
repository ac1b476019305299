"""``source-amplitude config``: print a configuration template with a comment for each field."""

from __future__ import annotations

import json
import sys
import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from source_amplitude.config.environment import REGIONS
from source_amplitude.config.fields import schema
from source_amplitude.terminal.options import Parser, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from source_amplitude.commands.session import Session

_WIDTH = 100
_DAYS = 7
_DESCRIPTION = """\
Prints a configuration template with a comment for each field: source-amplitude config > config.yaml. The API keys come
from the environment, and start_date is seven days ago. With --json it prints the required fields as JSON, the format
that Airbyte needs.
"""
_HEADER = (
    "# Configuration of source-amplitude. ${NAME} comes from the environment:",
    "#   export AMPLITUDE_API_KEY=... AMPLITUDE_SECRET_KEY=...",
    "# Commented-out fields are optional and show the default or an example.",
)


def config(arguments: Sequence[str], session: Session) -> int:
    parser = Parser("config", _DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="print JSON, with the required fields only")
    parser.add_argument(
        "--region", type=one_of(REGIONS), metavar="REGION", help="where Amplitude stores the project: us or eu"
    )
    options = parser.parse_args(arguments)
    now = session.clock.now()
    chosen: dict[str, object] = {"start_date": _midnight(now - timedelta(days=_DAYS))}
    if options.region:
        chosen["data_region"] = options.region.upper()
    if options.json:
        required = {name: _example(name, schema()["properties"][name]) for name in schema()["required"]}
        sys.stdout.write(json.dumps(required | chosen, indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(_commented(chosen, {"end_date": _midnight(now)})) + "\n")
    return 0


def _midnight(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}T00:00:00Z"


def _commented(chosen: Mapping[str, object], examples: Mapping[str, object]) -> Iterator[str]:
    """Yield the template's lines: ``chosen`` fields are set, others commented out, if possible with an example."""
    yield from _HEADER
    values = {**examples, **chosen}
    for name, field in sorted(schema()["properties"].items(), key=lambda item: item[1].get("order", 0)):
        is_required = name in schema()["required"]
        yield ""
        yield from textwrap.wrap(
            _explained(name, field, is_required=is_required), _WIDTH, initial_indent="# ", subsequent_indent="# "
        )
        prefix = "" if is_required or name in chosen else "# "
        yield f"{prefix}{name}: {json.dumps(values.get(name, _example(name, field)))}"


def _explained(name: str, field: dict[str, Any], *, is_required: bool) -> str:
    """Return a field's description, allowed values, and whether it is required."""
    text = "Required. " if is_required else ""
    text += str(field["description"])
    if "enum" in field:
        short = "; US and EU work too" if name == "data_region" else ""
        text += f" One of: {', '.join(field['enum'])}{short}."
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
