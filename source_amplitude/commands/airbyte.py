"""Parse the options of Airbyte's commands without importing the CDK, so that help and usage errors are fast."""

from __future__ import annotations

import argparse
from importlib import resources
from typing import TYPE_CHECKING

from source_amplitude.terminal.command_line import PROGRAM, TypedCommand
from source_amplitude.terminal.options import Parser, did_you_mean, file_name

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_STREAMS = ("events",)
"""The streams of ``read`` without ``--catalog`` and ``--streams``."""

_DESCRIPTIONS = {
    "spec": "Prints the JSON Schema of the configuration.",
    "check": "Tests the API keys, and shows which hours read will read. Prints lines on a terminal, otherwise Airbyte "
    "messages.",
    "discover": "Prints the streams and their schemas. With --configured it prints a catalog for read: discover "
    "--config config.yaml --configured > catalog.json.",
    "read": "Prints records and states of events, or of the chosen streams, one JSON object per line. The terminal "
    "shows the progress if stdout is a file or a pipe.",
}
_STATE_FILE = """\
the file that keeps the state: read if it exists, and updated during the sync; the next read prints only new records
"""
_STREAMS = "names separated by commas, such as events,cohorts"


def airbyte_options(arguments: Sequence[str], program: tuple[str, ...] = (PROGRAM,)) -> argparse.Namespace:
    """Return the options of a command for the CDK's entrypoint, plus the command line as typed.

    Raises:
        SystemExit: After ``--help`` (0) and wrong usage (2).
    """
    command = arguments[0]
    made = Parser(command, _DESCRIPTIONS[command])
    if command != "spec":
        made.add_argument(
            "--config", required=True, type=file_name, metavar="FILE", help="the configuration: YAML or JSON"
        )
        for ignored in ("--manifest-path", "--components-path"):  # passed by the CDK for manifest-based connectors
            made.add_argument(ignored, help=argparse.SUPPRESS)
    if command == "discover":
        made.add_argument("--configured", action="store_true", help="print a configured catalog, for read --catalog")
        made.add_argument("--streams", type=_streams, metavar="NAMES", help=f"with --configured: {_STREAMS}")
    if command == "read":
        _add_read_options(made)
    made.add_argument("--debug", action="store_true", help="print detailed log lines")
    options = made.parse_args(arguments[1:])
    if command == "discover" and options.streams and not options.configured:
        made.error("argument --streams: needs --configured, since only a configured catalog selects streams")
    if command == "read" and options.catalog is None:
        options.streams = options.streams or DEFAULT_STREAMS
    options.command, options.typed = command, TypedCommand(program, tuple(arguments))
    return options


def _add_read_options(made: Parser) -> None:
    selections = made.add_mutually_exclusive_group()
    selections.add_argument("--streams", type=_streams, metavar="NAMES", help=f"{_STREAMS} (default: events)")
    selections.add_argument(
        "--catalog",
        type=file_name,
        metavar="FILE",
        help="a configured catalog, which selects streams and their sync modes (see discover --configured)",
    )
    states = made.add_mutually_exclusive_group()
    states.add_argument(
        "--state", type=file_name, metavar="FILE", help="the state of an earlier read; the file is not changed"
    )
    states.add_argument("--state-file", type=file_name, metavar="FILE", help=_STATE_FILE)


def _streams(text: str) -> tuple[str, ...]:
    """Return the stream names in a value of ``--streams``."""
    names = tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))
    schemas = resources.files("source_amplitude").joinpath("schemas").iterdir()
    known = sorted(each.name.removesuffix(".json") for each in schemas if each.name.endswith(".json"))
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"; the streams are {', '.join(known)}"
            raise argparse.ArgumentTypeError(f"{name!r} is not a stream{hint}")
    if not names:
        raise argparse.ArgumentTypeError(f"no stream is given; expected are {_STREAMS}")
    return names
