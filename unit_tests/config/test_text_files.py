"""Text files, which may be pipes, in the common encodings of shells and editors."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from source_amplitude.config.file import is_pipe, read_text, require_no_pipe_twice
from source_amplitude.errors import InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = "api_key: ké\n"
READ_STDIN = (
    "import sys; from source_amplitude.config.file import read_text; sys.stdout.write(repr(read_text(sys.argv[1])))"
)


@pytest.fixture
def pipe() -> Iterator[str]:
    """The path of a pipe that contains only `TEXT`."""
    reading, writing = os.pipe()
    os.write(writing, TEXT.encode())
    os.close(writing)
    yield f"/dev/fd/{reading}"
    os.close(reading)


def test_a_pipe_of_the_shell_is_read(pipe: str) -> None:
    assert (is_pipe(pipe), read_text(pipe)) == (True, TEXT)


def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(TEXT, "utf-8"))
    writer.start()

    text = read_text(str(path))

    writer.join()
    assert (text, is_pipe(str(path))) == (TEXT, True)


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0"])
@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_stdin_is_read(tmp_path: Path, path: str, kind: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(TEXT, encoding="utf-8")
    program = [sys.executable, "-c", READ_STDIN, path]

    if kind == "pipe":
        done = subprocess.run(program, input=TEXT.encode(), capture_output=True, check=True)
    else:
        with file.open("rb") as stdin:
            done = subprocess.run(program, stdin=stdin, capture_output=True, check=True)

    assert done.stdout.decode() == repr(TEXT)


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        (("config", "catalog"), "--catalog: {pipe} is the same pipe as that of --config"),
        (("catalog", "state"), "--state: {pipe} is the same pipe as that of --catalog"),
        (("config", "state"), "--state: {pipe} is the same pipe as that of --config"),
    ],
)
def test_two_options_cannot_share_a_pipe(pipe: str, paths: tuple[str, str], problem: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        require_no_pipe_twice({"config": "config.json", "catalog": None, "state": None} | dict.fromkeys(paths, pipe))

    assert raised.value.problems == (
        f"{problem.format(pipe=pipe)}, and a pipe can be read only once; save one in a file",
    )


def test_two_pipes_or_the_same_file_twice_are_allowed(pipe: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    file = tmp_path / "one.json"
    file.write_text(TEXT, encoding="utf-8")

    require_no_pipe_twice({"config": pipe, "catalog": f"/dev/fd/{reading}", "state": None})
    require_no_pipe_twice({"config": str(file), "catalog": str(file), "state": os.devnull})
    require_no_pipe_twice({"config": "none.json", "catalog": "none.json", "state": "no\0name"})

    assert [is_pipe(path) for path in (str(file), os.devnull, "none.json", "no\0name")] == [False] * 4
    for each in (reading, writing):
        os.close(each)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_every_common_encoding_gives_the_same_text(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(TEXT.encode(encoding))

    assert read_text(str(path)) == TEXT


@pytest.mark.parametrize("data", [TEXT.encode("latin-1"), b"\xff\xfea", b"\xffabc"])
def test_a_file_that_is_not_text_is_an_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "text"
    path.write_bytes(data)

    with pytest.raises(UnicodeDecodeError):
        read_text(str(path))
