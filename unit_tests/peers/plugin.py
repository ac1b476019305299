"""The peers as fixtures: a server for each session that asks for one, a new place in it for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.peers.peer import Peer
from unit_tests.peers.s3 import make_bucket, s3_peer, s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def s3(s3_address: str) -> Peer:
    """A new bucket."""
    return s3_peer(s3_address, make_bucket(s3_address))


@pytest.fixture
def folder(tmp_path: Path) -> Peer:
    """A folder that is not there yet."""
    return Peer(str(tmp_path / "landed"))


@pytest.fixture(params=["folder", "s3"])
def every_store(request: pytest.FixtureRequest) -> Peer:
    """A folder, S3, Azure: a test that asks for it runs with each."""
    return _peer_of(request)


@pytest.fixture(params=["s3"])
def every_cloud(request: pytest.FixtureRequest) -> Peer:
    """S3, Azure: a test that asks for it runs with each."""
    return _peer_of(request)


def _peer_of(request: pytest.FixtureRequest) -> Peer:
    peer = request.getfixturevalue(request.param)
    assert isinstance(peer, Peer)
    return peer
