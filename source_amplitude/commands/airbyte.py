"""Parse the options of Airbyte's commands without importing the CDK, so that help and usage errors are fast."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from source_amplitude.terminal.command_line import PROGRAM, TypedCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTIONS = {
    "spec": "Prints the JSON Schema of the configuration.",
    "check": "Tests the API keys. Prints one line on a terminal, otherwise an Airbyte message.",
    "discover": "Prints the streams and their schemas, from which a catalog is made.",
    "read": "Prints the records and states of the catalog's streams, one JSON object per line. The terminal shows the "
    "progress if stdout is a file or a pipe.",
}
_STATE_FILE = """\
the file that keeps the state: read if it exists, and updated during the sync; the next read prints only new records
"""


def airbyte_options(arguments: Sequence[str], program: tuple[str, ...] = (PROGRAM,)) -> argparse.Namespace:
    """Return the options of a command for the CDK's entrypoint, plus the command line as typed.

    Raises:
        SystemExit: After ``--help`` (0) and wrong usage (2).
    """
    command = arguments[0]
    made = argparse.ArgumentParser(
        prog=f"source-amplitude {command}", description=_DESCRIPTIONS[command], allow_abbrev=False
    )
    if command != "spec":
        made.add_argument("--config", required=True, type=_path, metavar="FILE", help="the configuration: JSON or YAML")
        for ignored in ("--manifest-path", "--components-path"):  # passed by the CDK for manifest-based connectors
            made.add_argument(ignored, help=argparse.SUPPRESS)
    if command == "read":
        made.add_argument(
            "--catalog",
            required=True,
            type=_path,
            metavar="FILE",
            help="the configured catalog: streams and sync modes",
        )
        states = made.add_mutually_exclusive_group()
        states.add_argument(
            "--state", type=_path, metavar="FILE", help="the state of an earlier read; the file is not changed"
        )
        states.add_argument("--state-file", type=_path, metavar="FILE", help=_STATE_FILE)
    made.add_argument("--debug", action="store_true", help="print detailed log lines")
    options = made.parse_args(arguments[1:])
    options.command, options.typed = command, TypedCommand(program, tuple(arguments))
    return options


def _path(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the file name is empty; check that the shell variable is set")
    return text
