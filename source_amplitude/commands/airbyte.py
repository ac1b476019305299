"""The options of Airbyte's commands, so that their help and wrong usage are told without the CDK."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from source_amplitude.terminal.command_line import PROGRAM, TypedCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTIONS = {
    "spec": "Prints the JSON Schema of the configuration.",
    "check": "Says whether Amplitude accepts the keys: in a line on a terminal, elsewhere as Airbyte's message.",
    "discover": "Prints the streams and their schemas: what a catalog is made from.",
    "read": "Prints the records and states of the catalog's streams, one JSON object a line. Where they go to a file "
    "or a program, the terminal shows how far the sync is.",
}
_STATE_FILE = """\
where the states are kept: read if the file is there, and replaced as the sync goes on, so that the next read prints
only what is new
"""


def airbyte_options(arguments: Sequence[str], program: tuple[str, ...] = (PROGRAM,)) -> argparse.Namespace:
    """Return the command and the values of its options, as the CDK's entrypoint takes them, and it as it was typed.

    The process ends after ``--help`` (0) and wrong usage (2).
    """
    command = arguments[0]
    made = argparse.ArgumentParser(
        prog=f"source-amplitude {command}", description=_DESCRIPTIONS[command], allow_abbrev=False
    )
    if command != "spec":
        made.add_argument(
            "--config", required=True, type=_path, metavar="FILE", help="the configuration: JSON, or YAML as of config"
        )
        for ignored in ("--manifest-path", "--components-path"):  # the CDK's, for connectors made of manifests
            made.add_argument(ignored, help=argparse.SUPPRESS)
    if command == "read":
        made.add_argument(
            "--catalog", required=True, type=_path, metavar="FILE", help="which streams to read, and in which sync mode"
        )
        states = made.add_mutually_exclusive_group()
        states.add_argument(
            "--state", type=_path, metavar="FILE", help="where an earlier read ended; it is not changed"
        )
        states.add_argument("--state-file", type=_path, metavar="FILE", help=_STATE_FILE)
    made.add_argument("--debug", action="store_true", help="print detailed log lines")
    options = made.parse_args(arguments[1:])
    options.command, options.typed = command, TypedCommand(program, tuple(arguments))
    return options


def _path(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of the file is empty; is a variable of the shell not set?")
    return text
