"""Servers in their own processes, so that they share neither the interpreter lock nor the warnings of the tests."""

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
    """A server ended, or did not print its address in time; the text is its output."""


@contextmanager
def serving(
    command: Sequence[str], address: re.Pattern[str], *, environ: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a server and yield its address once it is printed; kill the server at the end.

    Its stdin is a pipe that closes when this process ends, so the server also stops if the test run is killed.

    Args:
        command: The server's command.
        address: A regular expression for the server's output; its first group is the address.
        environ: Additional environment variables.

    Raises:
        PeerDidNotStartError: The server ended, or did not print its address in time.
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
            process.kill()  # an orderly stop takes Azurite seconds, and there is nothing to save
            reader.join()


def _pass_on(output: IO[str], lines: queue.Queue[str]) -> None:
    """Read all output, so that the server never blocks on a full pipe; an empty line marks the end."""
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
