"""Servers as processes of their own, so that they neither share this one's interpreter lock nor its warnings."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

START_SECONDS = 60


class PeerDidNotStartError(RuntimeError):
    """A server ended, or said nothing of an address in time; the text is all that it said."""


@contextmanager
def serving(
    command: Sequence[str], address: re.Pattern[str], *, environ: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a server and give its address, once it has printed that; the server is killed at the end.

    Its standard input is a pipe that nobody writes to: a server that ends with it outlives no test run that was killed.

    Args:
        command: What to run.
        address: Finds the address, its first group, in a line of the server's output.
        environ: Variables beside this process's own.

    Raises:
        PeerDidNotStartError: See there.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environ or {})},
    ) as process:
        lines: queue.Queue[str] = queue.Queue()
        assert process.stdout is not None
        reader = threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True)
        reader.start()
        try:
            yield _wait_for(address, lines)
        finally:
            process.kill()  # a polite end takes Azurite seconds, and there is nothing to save
            reader.join()


def _pass_on(output: IO[str], lines: queue.Queue[str]) -> None:
    """Read to the end, so that the server never waits for a full pipe; an empty line says that it has ended."""
    for line in output:
        lines.put(line)
    lines.put("")


def _wait_for(address: re.Pattern[str], lines: queue.Queue[str]) -> str:
    said = []
    while True:
        try:
            line = lines.get(timeout=START_SECONDS)
        except queue.Empty:
            line = ""
        said.append(line)
        found = address.search(line)
        if found:
            return found[1]
        if not line:
            raise PeerDidNotStartError("".join(said))
