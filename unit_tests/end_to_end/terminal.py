"""Commands at a terminal: real pseudo-terminals for stdout, stderr or both, and what a person would see there."""

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

from unit_tests.end_to_end.connector import PROJECT, Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

PROGRAM = Path(__file__).with_name("ready_program.py")
ROWS, COLUMNS = 24, 120
CTRL_C = b"\x03"
_SECONDS = 60
_ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Shown(Run):
    """What a command printed, each stream by itself.

    Attributes:
        cursor_is_shown: Whether the last word on the cursor was to show it.
    """

    @property
    def lines(self) -> list[str]:
        """What stays on the screen of stderr, without colours."""
        text = _ESCAPE.sub(b"", _after_progress(self.stderr)).decode()
        return [line for line in (line.rstrip() for line in text.replace("\r", "\n").split("\n")) if line]

    @property
    def cursor_is_shown(self) -> bool:
        found: list[bytes] = re.findall(rb"\x1b\[\?25([hl])", self.stderr)
        return not found or found[-1] == b"h"


def _after_progress(stderr: bytes) -> bytes:
    """Return what is on the screen once lines that were drawn over are gone."""
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
    """Where a process writes to, a terminal or a pipe, and what has come there."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.ours, self.theirs = pty.openpty() if is_terminal else os.pipe()
        if is_terminal:
            fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            modes = termios.tcgetattr(self.theirs)
            modes[1] &= ~termios.OPOST  # newlines stay what they are
            termios.tcsetattr(self.theirs, termios.TCSANOW, modes)
        self.content = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # EIO where a terminal has no writer any more
            while chunk := os.read(self.ours, 65536):
                self.content += chunk

    def finish(self) -> bytes:
        self._reader.join(_SECONDS)
        os.close(self.ours)
        return self.content


@dataclass
class Running:
    """A command that was started; `ended` has to be called."""

    process: int
    stdout: _Stream
    stderr: _Stream
    _answers: socket.socket = field(repr=False)

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
        status = int(self._answers.recv(100))
        code = os.waitstatus_to_exitcode(status)
        return Shown(code, self.stdout.finish(), self.stderr.finish())


class ReadyProgram:
    """Starts commands in processes forked from one that has imported everything."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(PROGRAM), str(theirs.fileno())],
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
    ) -> Running:
        """Start a command; ``stdout`` and ``stderr`` say which of them is a terminal.

        Args:
            arguments: Those of ``source-amplitude``.
            environ: All of its environment.
            stdout: As above.
            stderr: As above.
            now: The time of its clock, where that is not the system's.
            output: A descriptor that is stdout instead.
            folder: Where it runs.
        """
        out, err = _Stream(is_terminal=stdout), _Stream(is_terminal=stderr)
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
    ) -> Shown:
        """Run a command to its end; see `start`."""
        return self.start(
            arguments, environ, stdout=stdout, stderr=stderr, now=now, output=output, folder=folder
        ).ended()
