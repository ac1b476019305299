from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import demo

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_only_the_owner_may_read_the_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    monkeypatch.setenv("AMPLITUDE_API_URL", "")

    demo.write_inputs({"url": "http://127.0.0.1:9", "api_key": "key", "secret_key": "secret"})

    assert stat.S_IMODE((tmp_path / "config.json").stat().st_mode) == 0o600
