"""Run commands with pseudo-terminals for stdout, stderr or both, and return the text on the screen."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from unit_tests.end_to_end.connector import COMMAND, PROJECT, Connector, Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from amplitude_emulator import Emulator

PROGRAM = Path(__file__).with_name("ready_program.py")
ROWS, COLUMNS = 24, 120
CTRL_C = b"\x03"
_SECONDS = 60
_ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Shown(Run):
    """The output of a command at a terminal."""

    @property
    def lines(self) -> list[str]:
        """The final lines of stderr on the screen, without colours."""
        text = _ESCAPE.sub(b"", _after_progress(self.stderr)).decode()
        return [line for line in (line.rstrip() for line in text.replace("\r", "\n").split("\n")) if line]

    @property
    def cursor_is_shown(self) -> bool:
        """Whether the last escape sequence for the cursor shows it."""
        found: list[bytes] = re.findall(rb"\x1b\[\?25([hl])", self.stderr)
        return not found or found[-1] == b"h"


def _after_progress(stderr: bytes) -> bytes:
    """Return the text on the screen after all cursor movements."""
    screen: list[bytes] = [b""]
    for part in re.split(rb"(\n|\r|\x1b\[2K|\x1b\[1A)", stderr):
        if part == b"\n":
            screen.append(b"")
        elif part == b"\x1b[1A" and len(screen) > 1:
            screen.pop()
        elif part == b"\x1b[2K":
            screen[-1] = b""
        elif part not in (b"\r", b"\x1b[1A"):
            screen[-1] += part
    return b"\n".join(screen)


class _Stream:
    """A terminal or pipe that a process writes to, and its content."""

    def __init__(self, *, is_terminal: bool, columns: int) -> None:
        self.ours, self.theirs = pty.openpty() if is_terminal else os.pipe()
        if is_terminal:
            fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
            modes = termios.tcgetattr(self.theirs)
            modes[1] &= ~termios.OPOST  # do not change newlines
            termios.tcsetattr(self.theirs, termios.TCSANOW, modes)
        self.content = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # EIO after the last writer has closed a terminal
            while chunk := os.read(self.ours, 65536):
                self.content += chunk

    def finish(self) -> bytes:
        self._reader.join(_SECONDS)
        os.close(self.ours)
        return self.content


@dataclass
class Running:
    """A started command; call `ended` to wait for it."""

    process: int
    stdout: _Stream
    stderr: _Stream
    _responses: socket.socket = field(repr=False)

    def type(self, keys: bytes) -> None:
        os.write(self.stderr.ours, keys)

    def wait_until_shown(self, text: bytes, *, on_stdout: bool = False) -> None:
        deadline = time.monotonic() + _SECONDS
        stream = self.stdout if on_stdout else self.stderr
        while text not in stream.content:
            assert time.monotonic() < deadline, stream.content
            time.sleep(0.01)  # noqa: TID251 - another process's time

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.process, how)

    def kill_after(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: TID251 - another process's time
        with suppress(ProcessLookupError):
            self.kill()

    def ended(self) -> Shown:
        status = int(self._responses.recv(100))
        code = os.waitstatus_to_exitcode(status)
        return Shown(code, self.stdout.finish(), self.stderr.finish())


class ReadyProgram:
    """Starts commands in processes forked from `ready_program.py`, or from another program with its `main`."""

    def __init__(self, program: Path = PROGRAM) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(program), str(theirs.fileno())],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()
        self._process.wait(_SECONDS)

    def start(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        stdout: bool = False,
        stderr: bool = False,
        now: str = "",
        output: int | None = None,
        folder: Path = PROJECT,
        columns: int = COLUMNS,
    ) -> Running:
        """Start a command.

        Args:
            arguments: The arguments of ``source-amplitude``.
            environ: The complete environment.
            stdout: Whether stdout is a terminal.
            stderr: Whether stderr is a terminal.
            now: The time of the command's clock; empty for the system's clock.
            output: A descriptor to use as stdout.
            folder: The working directory.
            columns: The width of the terminals.
        """
        out, err = (_Stream(is_terminal=each, columns=columns) for each in (stdout, stderr))
        request = {"arguments": arguments, "environ": dict(environ), "folder": str(folder), "now": now}
        written_to = out.theirs if output is None else output
        with Path(os.devnull).open("rb") as nothing:
            descriptors = [err.theirs if stderr else nothing.fileno(), written_to, err.theirs]
            socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
        process = int(self._socket.recv(100))
        os.close(out.theirs)
        os.close(err.theirs)
        return Running(process, out, err, self._socket)

    def run(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        stdout: bool = False,
        stderr: bool = False,
        now: str = "",
        output: int | None = None,
        folder: Path = PROJECT,
        columns: int = COLUMNS,
    ) -> Shown:
        """Run a command until it ends, with the arguments of `start`."""
        return self.start(
            arguments, environ, stdout=stdout, stderr=stderr, now=now, output=output, folder=folder, columns=columns
        ).ended()


class QuickConnector(Connector):
    """Runs each command in a process that has already imported the connector.

    Attributes:
        now: The time of the commands' fake clocks; empty for the system's clock.
    """

    def __init__(self, emulator: Emulator, folder: Path, program: ReadyProgram) -> None:
        super().__init__(emulator, folder)
        self._program = program
        self.now = ""

    def run(self, *arguments: str, program: Path = COMMAND) -> Run:
        assert program == COMMAND
        return self._program.run(arguments, self.environ, now=self.now)
