"""The line writer: whole lines, in order, and silence after the pipe is closed."""

from __future__ import annotations

import fcntl
import io
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from source_amplitude.airbyte.output import LineWriter, LogWriter, widen_pipe

if TYPE_CHECKING:
    from pathlib import Path


class ClosedPipe(io.BytesIO):
    def write(self, _data: object, /) -> int:
        raise BrokenPipeError


def test_lines_of_several_threads_are_not_mixed() -> None:
    out = io.BytesIO()
    writer = LineWriter(out)
    threads = [
        threading.Thread(target=lambda letter=letter: [writer.write(letter * 500 + "\n") for _ in range(50)])
        for letter in "abcd"
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(out.getvalue().split()) == sorted(letter.encode() * 500 for letter in "abcd" for _ in range(50))


def test_a_lone_surrogate_is_written_as_a_question_mark() -> None:
    out = io.BytesIO()

    LineWriter(out).write("a\ud800b\n")

    assert out.getvalue() == b"a?b\n"


def test_a_closed_pipe_fails_messages_but_not_log_lines() -> None:
    writer = LineWriter(ClosedPipe())

    LogWriter(writer).write("log line\n")

    with pytest.raises(BrokenPipeError):
        writer.write("message\n")


def test_nothing_is_written_after_a_torn_line() -> None:
    class TornPipe(io.BytesIO):
        def write(self, _data: object, /) -> int:
            super().write(b"a r")
            raise KeyboardInterrupt

    out = TornPipe()
    writer = LineWriter(out)
    with pytest.raises(KeyboardInterrupt):
        writer.write_bytes(b"a record\n")

    LogWriter(writer).write("a log line\n")
    with pytest.raises(BrokenPipeError):
        writer.write("a state\n")

    assert out.getvalue() == b"a r"


class RawPipe(io.RawIOBase):
    """Accepts a few bytes at a time, like a raw stdout whose write is interrupted by a signal."""

    def __init__(self) -> None:
        self.taken = b""

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - RawIOBase accepts any buffer
        self.taken += bytes(data[:7])
        return min(7, len(data))


def test_partial_writes_are_repeated() -> None:
    out = RawPipe()

    LineWriter(out).write_bytes(b"a line that is longer than seven bytes\n")

    assert out.taken == b"a line that is longer than seven bytes\n"


@pytest.mark.skipif(not hasattr(fcntl, "F_GETPIPE_SZ"), reason="only Linux reports the capacity of a pipe")
def test_a_pipe_is_widened(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb"), os.fdopen(writer, "wb"), (tmp_path / "out").open("wb") as file:
        widen_pipe(writer)
        widen_pipe(file.fileno())

        assert fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ) == 1024 * 1024


def test_the_name_of_the_output_file_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with (tmp_path / "out.jsonl").open("wb") as out, (tmp_path / "-out").open("wb") as dashed:
        names = [LineWriter(out).file_name(), LineWriter(dashed).file_name()]

    assert names == ["out.jsonl", "./-out"]


def test_other_outputs_have_no_file_name(tmp_path: Path) -> None:
    with (tmp_path / "out.jsonl").open("wb") as out, open(os.devnull, "wb") as nothing:  # noqa: PTH123 - a device
        (tmp_path / "out.jsonl").unlink()
        names = [LineWriter(each).file_name() for each in (out, nothing, io.BytesIO())]

    assert names == ["", "", ""]
