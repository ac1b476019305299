from __future__ import annotations

import errno
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from source_amplitude.disk import DiskErrors, TemporaryBody, atomic_write, require_temporary_folder
from source_amplitude.errors import DiskFullError


@pytest.fixture
def free_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))(10_000, 8_766, 1_234)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch, free_bytes: None) -> None:  # noqa: ARG001 - a fixture
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("wb", buffering=0))  # noqa: SIM115 - the body closes it


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_named_with_its_folder_what_was_written_and_what_is_free(tmp_path: Path) -> None:
    with (
        TemporaryBody("archive", str(tmp_path)) as body,
        pytest.raises(DiskFullError) as caught,
    ):
        body.write(b"x" * 2_000)

    assert caught.value.what == (
        f"The folder {tmp_path} is full: the archive has 0 bytes so far, 2,000 more were to be written, 1,234 are free."
    )
    assert body.written_bytes == 0


@pytest.mark.usefixtures("free_bytes")
def test_other_reasons_are_given_in_the_words_of_the_system(tmp_path: Path) -> None:
    disk = DiskErrors("array", tmp_path)
    with (tmp_path / "file").open("wb") as file:
        disk.write(file, b"12345")

    with pytest.raises(DiskFullError) as caught, disk:
        raise OSError(errno.EFBIG, "File too large")

    assert caught.value.what == (
        f"The folder {tmp_path} cannot be written (File too large): the array has 5 bytes so far, 0 more were to be "
        "written, 1,234 are free."
    )


def test_a_folder_that_is_not_there_is_named_by_the_one_that_is(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError) as caught:
        TemporaryBody("archive", str(tmp_path / "missing" / "folder"))

    assert caught.value.what.startswith(f"The folder {tmp_path} cannot be written (No such file or directory): ")


def test_errors_that_are_not_of_the_disk_pass() -> None:
    with pytest.raises(ValueError, match="ours"), DiskErrors("array", "/"):
        raise ValueError("ours")


def test_no_folder_for_temporary_files_is_said_before_the_first_download(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    require_temporary_folder()
    monkeypatch.setattr(tempfile, "gettempdir", no_folder)

    with pytest.raises(DiskFullError) as caught:
        require_temporary_folder()

    assert caught.value.what == "There is no folder for temporary files that can be written."


@pytest.mark.usefixtures("free_bytes")
def test_what_cannot_fit_is_refused_before_its_first_byte(tmp_path: Path) -> None:
    with TemporaryBody("archive", str(tmp_path)) as body:
        body.expect(1_234)
        body.expect(1_334, freed_bytes=100)

        with pytest.raises(DiskFullError) as caught:
            body.expect(1_235)

    assert caught.value.what == f"The folder {tmp_path} has 1,234 bytes free, and the archive needs 1,235."


@pytest.mark.parametrize("memory_bytes", [0, 3, 4, 100])
def test_bytes_come_back_from_memory_and_from_the_disk_and_leave_no_file(tmp_path: Path, memory_bytes: int) -> None:
    with TemporaryBody("object", str(tmp_path), memory_bytes=memory_bytes) as body:
        body.write(b"forgotten")
        body.empty()
        for part in (b"ab", b"cd", b"ef"):
            body.write(part)
        detached = body.detach()

    with detached:
        assert (detached.read(), body.written_bytes) == (b"abcdef", 6)
    assert list(tmp_path.iterdir()) == []


def test_closing_a_body_twice_does_nothing_more() -> None:
    with TemporaryBody("object", memory_bytes=100) as body:
        body.write(b"x")

    body.close()

    assert body.file.closed


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    path.chmod(0o600)

    with atomic_write(path, shows_all_output=True) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"

    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def write_and_fail(path: Path, *, shows_all_output: bool) -> None:
    with atomic_write(path, shows_all_output=shows_all_output) as file:
        file.write(b"half of the new")
        raise ValueError("ours")


@pytest.mark.parametrize("is_alone", [True, False])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path: Path, *, shows_all_output: bool) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")

    with pytest.raises(ValueError, match="ours"):
        write_and_fail(path, shows_all_output=shows_all_output)

    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


def test_two_writers_at_once_do_not_share_a_file_and_one_that_is_alone_uses_what_was_left(tmp_path: Path) -> None:
    path = tmp_path / "day.json"

    with atomic_write(path, shows_all_output=False) as one, atomic_write(path, shows_all_output=False) as other:
        one.write(b"one")
        other.write(b"the other")
        names = {each.name.removeprefix(".day.json") for each in tmp_path.iterdir()}
    assert (path.read_bytes(), len(names)) == (b"one", 2)

    (tmp_path / ".day.json.partial").write_bytes(b"left by a killed process")
    with atomic_write(path, shows_all_output=True) as file:
        file.write(b"new")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"new", [path])
