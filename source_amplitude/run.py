"""The command line: ``source-amplitude`` and ``python main.py``.

``spec``, ``--version`` and ``--help`` do not import the CDK, which takes over a second.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING

from source_amplitude.clock import has_left_calls
from source_amplitude.distribution import install_command, missing_libraries, version
from source_amplitude.terminal.command_line import TypedCommand
from source_amplitude.terminal.exit_codes import (
    EXIT_COULD_NOT_LOOK,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OUTPUT_CLOSED,
    EXIT_USAGE,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from source_amplitude.clock import Clock
    from source_amplitude.export import Limits
    from source_amplitude.landing.destination import StoreLimits

HELP = """\
usage: source-amplitude COMMAND [OPTIONS]

Exports an Amplitude project: as Airbyte messages (one JSON object per line), or as files in S3, Azure, GCS or a folder.

commands:
  config                                    print a configuration template with comments
  spec                                      print the configuration's JSON Schema
  check    --config FILE                    test the API keys
  discover --config FILE                    print the streams and their schemas
  read     --config FILE --catalog FILE [--state FILE | --state-file FILE]
                                            print records and states of the catalog's streams; the state file is read
                                            if it exists, and updated during the sync

  land     --to DESTINATION [--config FILE | --region R] [--start T] [--end T] [--format F] [--only-missing]
                                            copy export files to S3, Azure, GCS or a folder, hour by hour
  missing  --from DESTINATION [--start T] [--end T]
                                            list spans of missing or incomplete hours; exits with 1 if there are any
  report   --from DESTINATION [--out FILE]  show landed and missing hours as an HTML page or a grid in the terminal
  query    [SQL] --from DESTINATION         run SQL on the view events with DuckDB, or print the duckdb command

options:
  -h, --help     print this text; COMMAND --help prints a command's options
  --version      print the version
  --quiet        print problems only (land, missing and report)
  --json         print the result as one JSON object (land, missing and report)
  --debug        print detailed log lines (all commands except config)

environment:
  AMPLITUDE_API_KEY, AMPLITUDE_SECRET_KEY, AMPLITUDE_REGION
                      the keys and the region (us or eu) for land without --config
  AMPLITUDE_API_URL   the base URL of a local Amplitude (see amplitude_emulator/README.md)
  TMPDIR              the folder for temporary archives
  NO_PROGRESS         if set, progress is not shown
  NO_COLOR            if set, colours are not used

exit codes:
  0    success
  1    failure (read, check and discover print the reason in TRACE lines, other commands on stderr);
       missing: hours are missing
  2    wrong usage
  3    missing could not look: the store or the configuration cannot be read
  130  interrupted by Ctrl-C; the last STATE covers all records before it
  143  terminated by SIGTERM; the last STATE covers all records before it
  141  output pipe closed
"""

_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def run(
    args: Sequence[str] | None = None,
    *,
    limits: Limits | None = None,
    store_limits: StoreLimits | None = None,
    clock: Clock | None = None,
) -> int:
    """Run one command and return its exit code; without ``args``, run the command line of the process."""
    if args is not None:
        return _run_guarded(TypedCommand(arguments=tuple(args)), limits, store_limits, clock)
    code = _run_guarded(TypedCommand.of_process(), limits, store_limits, clock)
    if has_left_calls():
        sys.stderr.flush()
        os._exit(code)
    return code


def _run_guarded(
    typed: TypedCommand, limits: Limits | None, store_limits: StoreLimits | None, clock: Clock | None
) -> int:
    if sys.stdout is None:
        raise SystemExit("source-amplitude: stdout is closed")
    if sys.stderr is None:  # closed by the program that started us
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the process ends
    try:
        try:
            return _run(typed, limits, store_limits, clock)
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in _DISK_IS_FULL and not isinstance(error, BrokenPipeError):
            raise
        # Python would report the error again while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        if isinstance(error, BrokenPipeError):
            return EXIT_OUTPUT_CLOSED
        sys.stderr.write(f"source-amplitude: the output cannot be written ({error.strerror})\n")
        return _failed(typed)
    except KeyboardInterrupt:  # before the command handles Ctrl-C itself
        return EXIT_INTERRUPTED


def _run(typed: TypedCommand, limits: Limits | None, store_limits: StoreLimits | None, clock: Clock | None) -> int:
    arguments = typed.arguments
    command = arguments[0] if arguments else ""
    if command in ("-h", "--help", "help"):
        sys.stdout.write(HELP)
    elif command == "--version":
        sys.stdout.write(f"source-amplitude {version()}\n")
    elif command == "spec" and len(arguments) == 1:
        sys.stdout.write(spec_line())
    elif command in ("config", "land", "missing", "query", "report"):
        return _failed(typed) if _lacks_libraries(for_airbyte=False) else _run_own(typed, limits, store_limits, clock)
    elif command not in ("spec", "check", "discover", "read"):
        sys.stderr.write(
            f"source-amplitude: {f'unknown command {command!r}' if command else 'missing command'}\n\n{HELP}"
        )
        return EXIT_USAGE
    else:
        from source_amplitude.commands.airbyte import airbyte_options  # noqa: PLC0415 - see the module's docstring

        options = airbyte_options(arguments, typed.program)
        if _lacks_libraries(for_airbyte=True):
            return EXIT_FAILED
        from source_amplitude.airbyte.launcher import launch  # noqa: PLC0415 - as above
        from source_amplitude.airbyte.source import SourceAmplitude  # noqa: PLC0415 - as above

        return launch(SourceAmplitude(limits=limits, clock=clock), options)
    return 0


def _failed(typed: TypedCommand) -> int:
    """Return the exit code of a failed command; 1 of ``missing`` means that hours are missing."""
    return EXIT_COULD_NOT_LOOK if typed.arguments[:1] == ("missing",) else EXIT_FAILED


def _lacks_libraries(*, for_airbyte: bool) -> bool:
    """Print the missing libraries, if any; a checkout may not be installed."""
    if missing := missing_libraries(for_airbyte=for_airbyte):
        what, command = ", ".join(missing), install_command(*missing)
        sys.stderr.write(f"source-amplitude: not installed: {what}. Run {command} and then the command again.\n")
    return bool(missing)


def _run_own(typed: TypedCommand, limits: Limits | None, store_limits: StoreLimits | None, clock: Clock | None) -> int:
    from source_amplitude.commands.session import Session  # noqa: PLC0415 - see the module's docstring

    command = import_module(f"source_amplitude.commands.{typed.arguments[0]}")
    run_command: Callable[[Sequence[str], Session], int] = getattr(command, typed.arguments[0])
    return run_command(typed.arguments[1:], Session.of(os.environ, limits, store_limits, clock, typed.program))


def spec_line() -> str:
    """Return the SPEC message for spec.json, equivalent to the CDK's."""
    import json  # noqa: PLC0415 - only this command needs it

    spec = json.loads(resources.files("source_amplitude").joinpath("spec.json").read_text(encoding="utf-8"))
    return json.dumps({"type": "SPEC", "spec": spec}, separators=(",", ":"), ensure_ascii=False) + "\n"
