from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from source_amplitude.disk import DiskErrors, TemporaryBody, atomic_write, require_temporary_folder
from source_amplitude.errors import DiskFullError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def free_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))(10_000, 8_766, 1_234)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch, free_bytes: None) -> None:  # noqa: ARG001 - a fixture
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("wb", buffering=0))  # noqa: SIM115 - the body closes it


@pytest.mark.usefixtures("full_disk")
def test_full_disk_error_names_folder_and_bytes(tmp_path: Path) -> None:
    with (
        TemporaryBody("archive", str(tmp_path)) as body,
        pytest.raises(DiskFullError) as caught,
    ):
        body.write(b"x" * 2_000)

    assert caught.value.what == (
        f"The folder {tmp_path} is full: 0 bytes of the archive were written, 2,000 more are needed, 1,234 are free."
    )
    assert body.written_bytes == 0


@pytest.mark.usefixtures("free_bytes")
def test_other_disk_errors_quote_the_operating_system(tmp_path: Path) -> None:
    disk = DiskErrors("array", tmp_path)
    with (tmp_path / "file").open("wb") as file:
        disk.write(file, b"12345")

    with pytest.raises(DiskFullError) as caught, disk:
        raise OSError(errno.EFBIG, "File too large")

    assert caught.value.what == (
        f"The folder {tmp_path} cannot be written (File too large): 5 bytes of the array were written, 0 more are "
        "needed, 1,234 are free."
    )


def test_missing_folder_error_names_nearest_existing_parent(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError) as caught:
        TemporaryBody("archive", str(tmp_path / "missing" / "folder"))

    assert caught.value.what.startswith(f"The folder {tmp_path} cannot be written (No such file or directory): ")


def test_other_exceptions_pass_unchanged() -> None:
    with pytest.raises(ValueError, match="ours"), DiskErrors("array", "/"):
        raise ValueError("ours")


def test_missing_temporary_folder_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    require_temporary_folder()
    monkeypatch.setattr(tempfile, "gettempdir", no_folder)

    with pytest.raises(DiskFullError) as caught:
        require_temporary_folder()

    assert caught.value.what == "There is no writable folder for temporary files."


@pytest.mark.usefixtures("free_bytes")
def test_expect_raises_if_bytes_do_not_fit(tmp_path: Path) -> None:
    with TemporaryBody("archive", str(tmp_path)) as body:
        body.expect(1_234)
        body.expect(1_334, freed_bytes=100)

        with pytest.raises(DiskFullError) as caught:
            body.expect(1_235)

    assert caught.value.what == f"The folder {tmp_path} has 1,234 bytes free; the archive needs 1,235."


@pytest.mark.parametrize("memory_bytes", [0, 3, 4, 100])
def test_detached_file_has_all_bytes_and_leaves_no_file(tmp_path: Path, memory_bytes: int) -> None:
    with TemporaryBody("object", str(tmp_path), memory_bytes=memory_bytes) as body:
        body.write(b"forgotten")
        body.empty()
        for part in (b"ab", b"cd", b"ef"):
            body.write(part)
        detached = body.detach()

    with detached:
        assert (detached.read(), body.written_bytes) == (b"abcdef", 6)
    assert list(tmp_path.iterdir()) == []


def test_closing_twice_is_allowed() -> None:
    with TemporaryBody("object", memory_bytes=100) as body:
        body.write(b"x")

    body.close()

    assert body.file.closed


def test_atomic_write_replaces_file_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    path.chmod(0o600)

    with atomic_write(path, is_only_writer=True) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"

    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def write_and_fail(path: Path, *, is_only_writer: bool) -> None:
    with atomic_write(path, is_only_writer=is_only_writer) as file:
        file.write(b"half of the new")
        raise ValueError("ours")


@pytest.mark.parametrize("is_only_writer", [True, False])
def test_atomic_write_keeps_old_file_after_exception(tmp_path: Path, *, is_only_writer: bool) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")

    with pytest.raises(ValueError, match="ours"):
        write_and_fail(path, is_only_writer=is_only_writer)

    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


def test_atomic_write_partial_files(tmp_path: Path) -> None:
    path = tmp_path / "day.json"

    with atomic_write(path, is_only_writer=False) as one, atomic_write(path, is_only_writer=False) as other:
        one.write(b"one")
        other.write(b"the other")
        names = {each.name.removeprefix(".day.json") for each in tmp_path.iterdir()}
    assert (path.read_bytes(), len(names)) == (b"one", 2)

    (tmp_path / ".day.json.partial").write_bytes(b"left by a killed process of an older version")
    (tmp_path / ".day.json.0123456789abcdef.partial").write_bytes(b"left by a killed process")
    with atomic_write(path, is_only_writer=True) as file:
        file.write(b"new")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"new", [path])


@pytest.fixture
def umask_027() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask_027")
@pytest.mark.parametrize("is_only_writer", [True, False])
def test_a_new_file_follows_the_umask(tmp_path: Path, *, is_only_writer: bool) -> None:
    path = tmp_path / "state.json"

    with atomic_write(path, is_only_writer=is_only_writer) as file:
        file.write(b"new")

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.usefixtures("umask_027")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o400])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    path.chmod(mode)

    with atomic_write(path, is_only_writer=True) as file:
        file.write(b"new")
        partial = next(each for each in tmp_path.iterdir() if each != path)
        mode_while_writing = stat.S_IMODE(partial.stat().st_mode)

    assert (path.read_bytes(), mode_while_writing, stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600, mode)


@pytest.mark.parametrize("name", [".state.json.partial", ".state.json.0123456789abcdef.partial"])
@pytest.mark.parametrize("is_only_writer", [True, False])
def test_a_planted_link_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, is_only_writer: bool
) -> None:
    monkeypatch.setattr("source_amplitude.disk.secrets.token_hex", lambda _: "0123456789abcdef")
    path, target = tmp_path / "state.json", tmp_path / "target"
    target.write_bytes(b"untouched")
    (tmp_path / name).symlink_to(target)

    try:
        with atomic_write(path, is_only_writer=is_only_writer) as file:
            file.write(b"new")
        content = path.read_bytes()
    except FileExistsError:
        content = b""

    is_refused = not is_only_writer and "0123" in name
    assert (content, target.read_bytes()) == (b"" if is_refused else b"new", b"untouched")


def test_a_folder_with_the_name_of_a_partial_file_is_left(tmp_path: Path) -> None:
    (tmp_path / ".state.json.partial").mkdir()

    with atomic_write(tmp_path / "state.json", is_only_writer=True) as file:
        file.write(b"new")

    assert sorted(each.name for each in tmp_path.iterdir()) == [".state.json.partial", "state.json"]
