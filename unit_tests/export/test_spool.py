"""Spool files are unnamed, count against a budget, and report a full disk."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from source_amplitude.errors import DiskFullError
from source_amplitude.export.spool import DiskBudget, SpoolClosedError, SpoolFile


def test_file_has_no_name(tmp_path: Path) -> None:
    spool = SpoolFile(DiskBudget(1000, str(tmp_path)), threading.Event())

    spool.write(b"abc")
    spool.flush()

    assert (spool.archive_bytes, list(tmp_path.iterdir())) == (3, [])
    spool.close()


def test_close_returns_bytes_to_the_budget_once(tmp_path: Path) -> None:
    budget = DiskBudget(10, str(tmp_path))
    first = SpoolFile(budget, threading.Event())
    first.write(b"0123456789")

    first.close()
    first.close()
    second = SpoolFile(budget, threading.Event())
    second.write(b"0123456789")

    assert second.archive_bytes == 10
    second.close()


def test_empty_truncates_the_file(tmp_path: Path) -> None:
    spool = SpoolFile(DiskBudget(10, str(tmp_path)), threading.Event())
    spool.write(b"0123456789")

    spool.empty()
    spool.write(b"new")
    spool.file.seek(0)

    assert (spool.file.read(), spool.archive_bytes) == (b"new", 3)
    spool.close()


def test_write_waits_for_the_budget(tmp_path: Path) -> None:
    budget = DiskBudget(10, str(tmp_path))
    first, second = SpoolFile(budget, threading.Event()), SpoolFile(budget, threading.Event())
    first.write(b"0123456789")
    writer = threading.Thread(target=second.write, args=(b"x",))

    writer.start()
    while not budget.waiting:
        pass
    first.close()
    writer.join(10)

    assert second.archive_bytes == 1
    second.close()


def test_write_fails_after_the_budget_is_closed(tmp_path: Path) -> None:
    budget = DiskBudget(0, str(tmp_path))
    spool = SpoolFile(budget, threading.Event())

    budget.close()

    with pytest.raises(SpoolClosedError):
        spool.write(b"x")
    spool.close()


def test_full_disk_error_names_folder_and_needed_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    always_full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - the spool closes it
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: always_full)
    budget = DiskBudget(1000)
    spool = SpoolFile(budget, threading.Event())

    with pytest.raises(DiskFullError) as caught:
        spool.write(b"x" * 100)

    assert f"The folder {budget.folder} is full" in caught.value.what
    assert "100 more are needed" in caught.value.what
    spool.close()


def test_expect_raises_if_archive_does_not_fit(tmp_path: Path) -> None:
    spool = SpoolFile(DiskBudget(1000, str(tmp_path)), threading.Event())

    with pytest.raises(DiskFullError) as caught:
        spool.expect(10**18)

    assert caught.value.what.startswith(f"The folder {tmp_path} has ")
    assert caught.value.what.endswith("bytes free; the archive needs 1,000,000,000,000,000,000.")
    spool.close()


def test_close_after_full_disk_returns_all_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    always_full = Path("/dev/full").open("wb")  # noqa: SIM115 - the spool closes it
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: always_full)
    budget = DiskBudget(1000)
    spool = SpoolFile(budget, threading.Event())
    spool.write(b"kept in the buffer")

    spool.close()

    assert budget.used_bytes == 0


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    budget = DiskBudget(1000, str(tmp_path))
    budget.folder = str(tmp_path / "missing")

    with pytest.raises((DiskFullError, FileNotFoundError)):
        SpoolFile(budget, threading.Event())
