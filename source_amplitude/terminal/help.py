"""The text of ``source-amplitude --help``, laid out by argparse for the width of the terminal."""

from __future__ import annotations

import argparse

from source_amplitude.terminal.command_line import PROGRAM

_DESCRIPTION = (
    "Exports an Amplitude project: as Airbyte messages (one JSON object per line), or as files in S3, Azure, GCS or a "
    "folder."
)
COMMANDS = {
    "config": "print a configuration template with comments",
    "spec": "print the configuration's JSON Schema",
    "check": "test the API keys, and show what will be read",
    "discover": "print the streams and their schemas",
    "read": "print new records and states, of events or of the chosen streams",
    "land": "copy export files to S3, Azure, GCS or a folder, hour by hour",
    "missing": "list missing or incomplete hours of a landing; exits with 1 if there are any",
    "report": "show landed and missing hours as an HTML page or a grid in the terminal",
    "query": "run SQL on landed events with DuckDB",
}
_OPTIONS = {
    "-h, --help": "print this text; COMMAND --help prints a command's options",
    "--version": "print the version",
    "--debug": "print detailed log lines (all commands except config)",
    "--quiet": "print problems only (land, missing and report)",
    "--json": "print the result as one JSON object (land, missing and report)",
}
_ENVIRONMENT = {
    "AMPLITUDE_API_KEY, AMPLITUDE_SECRET_KEY": "the keys for land without --config, and of the template",
    "AMPLITUDE_REGION": "us or eu, for land without --config",
    "AMPLITUDE_API_URL": "the base URL of a local Amplitude (see amplitude_emulator/README.md)",
    "TMPDIR": "the folder for temporary archives",
    "NO_PROGRESS": "if set, progress is not shown",
    "NO_COLOR": "if set, colours are not used",
}
_EXIT_CODES = {
    "0": "success",
    "1": "failure, or a wrong configuration; missing: hours are missing",
    "2": "wrong command line",
    "3": "missing could not look: the store or the configuration cannot be read",
    "130": "interrupted by Ctrl-C; the last STATE covers all records before it",
    "143": "terminated by SIGTERM; the last STATE covers all records before it",
    "141": "output pipe closed",
}
_GROUPS = {"commands": COMMANDS, "options": _OPTIONS, "environment": _ENVIRONMENT, "exit codes": _EXIT_CODES}


def help_text() -> str:
    """Return the help for the width of the terminal, or of COLUMNS."""
    parser = argparse.ArgumentParser(
        PROGRAM, usage=f"{PROGRAM} COMMAND [OPTIONS]", description=_DESCRIPTION, add_help=False
    )
    for title, entries in _GROUPS.items():
        group = parser.add_argument_group(title)
        for name, text in entries.items():
            group.add_argument(f"{title} {name}", metavar=name, help=text)  # only laid out, never parsed
    return parser.format_help()
