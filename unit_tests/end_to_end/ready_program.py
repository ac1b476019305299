"""A server process that has imported the connector and forks for each command, so that a start takes 50 ms.

Its first argument is the descriptor of a socket. A request is a JSON object plus the descriptors of stdin, stdout and
stderr. The responses are the process id and, after the process has ended, its wait status.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import tempfile
import termios
from datetime import datetime
from typing import TYPE_CHECKING, Any

import source_amplitude.airbyte.launcher
import source_amplitude.airbyte.source  # noqa: F401 - slow to import
from source_amplitude.landing.destination import StoreLimits
from source_amplitude.run import run
from unit_tests.end_to_end.command import SHORT
from unit_tests.fakes.fake_clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from source_amplitude.clock import Clock

    Program = Callable[[list[str], Clock | None], int]
    """Runs a command line and returns the exit code."""

_MAX_REQUEST_BYTES = 1_000_000
_STORE_LIMITS = StoreLimits(max_retries=1, retry_seconds=2, first_wait_seconds=0.01, connect_seconds=1)


def main(descriptor: int, program: Program) -> int:
    """Serve requests until the socket is closed."""
    with socket.socket(fileno=descriptor) as requests:
        while True:
            message, descriptors, _, _ = socket.recv_fds(requests, _MAX_REQUEST_BYTES, 3)
            if not message:
                return 0
            process = os.fork()
            if not process:
                requests.close()
                os._exit(exit_code(program, json.loads(message), descriptors))  # unloading all modules would take 0.5 s
            for each in descriptors:
                os.close(each)
            requests.send(str(process).encode())
            requests.send(str(os.waitpid(process, 0)[1]).encode())


def exit_code(program: Program, request: dict[str, Any], descriptors: list[int]) -> int:
    """Run a command and return its exit code like the Python interpreter."""
    try:
        return command(program, request, descriptors)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001 - like Python
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def command(program: Program, request: dict[str, Any], descriptors: list[int]) -> int:
    os.setsid()
    for target, each in enumerate(descriptors):
        os.dup2(each, target)
        os.close(each)
    if os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the terminal that sends Ctrl-C
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["folder"])
    tempfile.tempdir = None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    clock = FakeClock(datetime.fromisoformat(request["now"])) if request["now"] else None
    return program(request["arguments"], clock)


def ours(arguments: list[str], clock: Clock | None) -> int:
    """Run our command line."""
    return run(arguments, limits=SHORT, store_limits=_STORE_LIMITS, clock=clock)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), ours))
