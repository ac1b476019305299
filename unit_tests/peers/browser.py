"""A headless Chromium, controlled with its DevTools protocol over pipes: no driver program, no socket.

It uses the Chromium in `.peers` if installed, else one on the PATH. It has no network access: tests pass the HTML.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from unit_tests.peers.chromium import FOLDER, PACKAGED, PROGRAM, fonts_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWER_SECONDS = 60

_ON_THE_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_IN_MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
# Without a sandbox: it needs rights that root in a container does not have, and Chromium shows only our own pages.
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--no-zygote",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
# Chromium reads file descriptor 3 and writes file descriptor 4; these numbers are in use in this process.
_MOVE = """
import os, sys
from fcntl import F_DUPFD, fcntl
ends = [fcntl(int(end), F_DUPFD, 10) for end in sys.argv[1:3]]
for number, end in enumerate(ends, 3):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class NoBrowserError(RuntimeError):
    """Chromium is not installed; the text contains instructions."""


class BrowserDiedError(RuntimeError):
    """Chromium does not respond; the text is its log."""


class Browser:
    """A running Chromium with one tab; each document gets a new tab.

    Args:
        commands: The pipe from which Chromium reads.
        answers: The pipe to which Chromium writes.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._read, self._calls = b"", 0
        self._session, self._tab = "", ""
        self._open_tab()

    def show(self, document: str, *, width: int, height: int, dark: bool = False, media: str = "screen") -> None:
        """Render a document.

        Args:
            document: The HTML.
            width: The window's width in CSS pixels, which equal the picture's pixels.
            height: The window's height in CSS pixels.
            dark: Whether the user prefers the dark colour scheme.
            media: ``screen`` or ``print``.
        """
        self._open_tab()
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < height
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        frame = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._call("Page.setDocumentContent", frameId=frame, html=document)

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - whatever the script gives
        """Return the JSON value of a JavaScript expression; the page's content security policy does not apply to it."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def point_at(self, x: float, y: float) -> None:
        """Move the pointer; coordinates are CSS pixels from the window's top left corner."""
        self._call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float) -> None:
        """Click with the first button."""
        for event in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=event, x=x, y=y, button="left", clickCount=1)

    def picture(self, clip: tuple[float, float, float, float] | None = None) -> bytes:
        """Return a screenshot as an 8-bit PNG without an alpha channel.

        Args:
            clip: Left, top, width and height in CSS pixels from the page's corner; default: the visible part.
        """
        area: dict[str, object] = {}
        if clip is not None:
            area = {"clip": dict(zip(("x", "y", "width", "height", "scale"), (*clip, 1), strict=True))}
        answer = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=clip is not None, **area)
        return base64.b64decode(answer["data"])

    def close(self) -> None:
        """Stop Chromium."""
        self._session = ""
        self._call("Browser.close")

    def _open_tab(self) -> None:
        """Replace the tab by an empty one, which resets the pointer, the emulated device and the document."""
        self._session, last = "", self._tab
        self._tab = self._call("Target.createTarget", url="about:blank")["targetId"]
        if last:
            self._call("Target.closeTarget", targetId=last)
        self._session = self._call("Target.attachToTarget", targetId=self._tab, flatten=True)["sessionId"]

    def _call(self, method: str, **params: object) -> dict[str, Any]:
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._write(json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._next_message())
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _write(self, message: bytes) -> None:
        rest = memoryview(message)
        while rest:
            rest = rest[os.write(self._commands, rest) :]

    def _next_message(self) -> bytes:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], ANSWER_SECONDS)
            piece = os.read(self._answers, 1 << 16) if ready else b""
            if not piece:
                raise BrowserDiedError("Chromium ended, or did not respond within a minute.")
            self._read += piece
        message, _, self._read = self._read.partition(b"\0")
        return message


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """Run a Chromium for the duration of the block.

    Args:
        folder: An empty folder for its user data and its log.

    Raises:
        NoBrowserError: Chromium is not installed.
        BrowserDiedError: Chromium did not respond.
    """
    program, environ = _program()
    command_reader, command_writer = os.pipe()
    answer_reader, answer_writer = os.pipe()
    moved = (sys.executable, "-c", _MOVE, str(command_reader), str(answer_writer))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            (*moved, program, *_OPTIONS, f"--user-data-dir={folder / 'user'}", "about:blank"),
            pass_fds=(command_reader, answer_writer),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **environ, "HOME": str(folder)},
        )
    os.close(command_reader)
    os.close(answer_writer)
    try:
        try:
            browser = Browser(command_writer, answer_reader)
        except (BrowserDiedError, BrokenPipeError) as error:
            raise BrowserDiedError(f"{program}:\n{(folder / 'log').read_text(errors='replace')}") from error
        yield browser
        browser.close()
    finally:
        os.close(command_writer)
        os.close(answer_reader)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _program() -> tuple[str, dict[str, str]]:
    if PROGRAM.is_file():
        libraries = f"{FOLDER}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")
        return str(PROGRAM), {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(fonts_file())}
    found = next(filter(None, map(shutil.which, (*_ON_THE_PATH, _IN_MACOS))), None)
    if found is None:
        how = "make peers" if PACKAGED else "install Chromium or Chrome"
        raise NoBrowserError(f"Chromium is not installed: {how}")
    return found, {}
