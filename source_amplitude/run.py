"""The command line: ``source-amplitude`` and ``python main.py``.

Only ``read`` imports the CDK, which takes over a second.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
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
    import argparse
    from collections.abc import Callable, Sequence

    from source_amplitude.clock import Clock
    from source_amplitude.export import Limits
    from source_amplitude.landing.destination import StoreLimits

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
        sys.stdout.write(_help())
    elif command == "--version":
        sys.stdout.write(f"source-amplitude {version()}\n")
    elif command == "spec" and len(arguments) == 1:
        from source_amplitude.airbyte.messages import spec_line  # noqa: PLC0415 - see the module's docstring

        sys.stdout.write(spec_line())
    elif command in ("config", "land", "missing", "query", "report"):
        return _failed(typed) if _lacks_libraries(needs_cdk=False) else _run_own(typed, limits, store_limits, clock)
    elif not command:
        sys.stderr.write(_help())
        return EXIT_USAGE
    elif command not in ("spec", "check", "discover", "read"):
        return _unknown(command)
    else:
        from source_amplitude.commands.airbyte import airbyte_options  # noqa: PLC0415 - see the module's docstring

        options = airbyte_options(arguments, typed.program)
        if _lacks_libraries(needs_cdk=command == "read"):
            return EXIT_FAILED
        return _run_airbyte(options, limits, clock)
    return 0


def _help() -> str:
    from source_amplitude.terminal.help import help_text  # noqa: PLC0415 - only help needs it

    return help_text()


def _unknown(command: str) -> int:
    from source_amplitude.terminal.help import COMMANDS  # noqa: PLC0415 - only for help and errors
    from source_amplitude.terminal.options import did_you_mean  # noqa: PLC0415 - as above

    hint = did_you_mean(command, COMMANDS) or f"; the commands are {', '.join(COMMANDS)}"
    if command.startswith("-"):
        hint = "; the command comes first: source-amplitude COMMAND [OPTIONS]"
    sys.stderr.write(f"source-amplitude: {command!r} is not a command{hint}\n")
    return EXIT_USAGE


def _failed(typed: TypedCommand) -> int:
    """Return the exit code of a failed command; 1 of ``missing`` means that hours are missing."""
    return EXIT_COULD_NOT_LOOK if typed.arguments[:1] == ("missing",) else EXIT_FAILED


def _lacks_libraries(*, needs_cdk: bool) -> bool:
    """Print the missing libraries, if any; a checkout may not be installed."""
    if missing := missing_libraries(needs_cdk=needs_cdk):
        what, command = ", ".join(missing), install_command(*missing)
        sys.stderr.write(f"source-amplitude: not installed: {what}. Run {command} and then the command again.\n")
    return bool(missing)


def _run_airbyte(options: argparse.Namespace, limits: Limits | None, clock: Clock | None) -> int:
    if options.command == "read":
        from source_amplitude.airbyte.launcher import launch  # noqa: PLC0415 - see the module's docstring
        from source_amplitude.airbyte.source import SourceAmplitude  # noqa: PLC0415 - as above

        return launch(SourceAmplitude(limits=limits, clock=clock), options)
    from source_amplitude.airbyte.answers import answer  # noqa: PLC0415 - as above
    from source_amplitude.airbyte.connection import Connection  # noqa: PLC0415 - as above

    return answer(options, Connection.of(limits, clock))


def _run_own(typed: TypedCommand, limits: Limits | None, store_limits: StoreLimits | None, clock: Clock | None) -> int:
    from source_amplitude.commands.session import Session  # noqa: PLC0415 - see the module's docstring

    command = import_module(f"source_amplitude.commands.{typed.arguments[0]}")
    run_command: Callable[[Sequence[str], Session], int] = getattr(command, typed.arguments[0])
    return run_command(typed.arguments[1:], Session.of(os.environ, limits, store_limits, clock, typed.program))
