"""The command line: ``source-amplitude`` and ``python main.py``.

``spec``, ``--version`` and ``--help`` are answered from files, without importing the CDK, which takes over a second.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING

from source_amplitude.distribution import install_command, missing_libraries, version
from source_amplitude.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OUTPUT_CLOSED, EXIT_USAGE
from source_amplitude.terminal.command_line import TypedCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from source_amplitude.clock import Clock
    from source_amplitude.export import Limits
    from source_amplitude.landing.destination import StoreLimits

HELP = """\
usage: source-amplitude COMMAND [OPTIONS]

Reads Amplitude and prints Airbyte protocol messages, one JSON object a line, or lands its export files in a store.

commands:
  config                                                  a configuration to fill in, with comments
  spec                                                    the configuration's JSON Schema
  check    --config FILE                                  whether Amplitude accepts the keys
  discover --config FILE                                  the streams and their schemas
  read     --config FILE --catalog FILE [--state FILE | --state-file FILE]
                                                          records and states of the catalog's streams; a --state-file is
                                                          read if it is there, and replaced as the sync goes on

  land     --config FILE --to PLACE [--start T] [--end T] [--format F] [--only-missing]
                                                          export files into S3, Azure Blob, GCS or a folder, by the hour
  missing  --to PLACE [--start T] [--end T]               which hours are not there, or not whole; exits with 1 if any
  report   --to PLACE [--out FILE]                        the same as a page, or a grid in the terminal

options:
  -h, --help     this text; COMMAND --help shows a command's options
  --version      the version
  --debug        with a command: detailed log lines

environment:
  AMPLITUDE_API_URL   the base address of a local Amplitude (see amplitude_emulator/README.md)
  TMPDIR              where archives are kept while they are read
  NO_PROGRESS         if set, no progress is drawn on the terminal; NO_COLOR: and nothing is coloured

Exit codes: 0 done, 1 failed (TRACE lines say why, of land and the like stderr) or hours are missing, 2 wrong usage, 130
and 143 interrupted (Ctrl-C, SIGTERM; the last STATE covers what was read), 141 the reader of stdout went away.
"""

_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def run(
    args: Sequence[str] | None = None,
    *,
    limits: Limits | None = None,
    store_limits: StoreLimits | None = None,
    clock: Clock | None = None,
) -> int:
    """Run one command (the process's own if ``args`` is None) and return the exit code; tests pass short waits."""
    typed = TypedCommand.of_process() if args is None else TypedCommand(arguments=tuple(args))
    if sys.stdout is None:
        raise SystemExit("source-amplitude: there is no stdout to print to")
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
        # Python would complain once more while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        if isinstance(error, BrokenPipeError):
            return EXIT_OUTPUT_CLOSED  # the reader of our output has what it wanted
        sys.stderr.write(f"source-amplitude: the output cannot be written ({error.strerror})\n")
        return EXIT_FAILED
    except KeyboardInterrupt:  # a read notices Ctrl-C itself, once it has begun
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
    elif command in ("config", "land", "missing", "report"):
        return EXIT_FAILED if _lacks_libraries() else _run_own(typed, limits, store_limits, clock)
    elif command not in ("spec", "check", "discover", "read"):
        sys.stderr.write(f"source-amplitude: {f'no command {command!r}' if command else 'no command'}\n\n{HELP}")
        return EXIT_USAGE
    else:
        from source_amplitude.commands.airbyte import airbyte_options  # noqa: PLC0415 - see the module's docstring

        options = airbyte_options(arguments, typed.program)
        if _lacks_libraries():
            return EXIT_FAILED
        from source_amplitude.airbyte.launcher import launch  # noqa: PLC0415 - as above
        from source_amplitude.airbyte.source import SourceAmplitude  # noqa: PLC0415 - as above

        return launch(SourceAmplitude(limits=limits, clock=clock), options)
    return 0


def _lacks_libraries() -> bool:
    """Print what a checkout that is not installed lacks, if anything."""
    if missing := missing_libraries():
        what, command = ", ".join(missing), install_command(*missing)
        sys.stderr.write(f"source-amplitude: not installed: {what}. Run {command} and then the command again.\n")
    return bool(missing)


def _run_own(typed: TypedCommand, limits: Limits | None, store_limits: StoreLimits | None, clock: Clock | None) -> int:
    # Each imports what it needs; see the module's docstring.
    from source_amplitude.commands.session import Session  # noqa: PLC0415

    command = import_module(f"source_amplitude.commands.{typed.arguments[0]}")
    run_command: Callable[[Sequence[str], Session], int] = getattr(command, typed.arguments[0])
    return run_command(typed.arguments[1:], Session.of(os.environ, limits, store_limits, clock, typed.program))


def spec_line() -> str:
    """Return the SPEC message for the file spec.json; it means the same as the one the CDK would print."""
    import json  # noqa: PLC0415 - only this command needs it

    spec = json.loads(resources.files("source_amplitude").joinpath("spec.json").read_text(encoding="utf-8"))
    return json.dumps({"type": "SPEC", "spec": spec}, separators=(",", ":"), ensure_ascii=False) + "\n"
