"""The peers as fixtures: one server per session, a new bucket, container or folder per test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit_tests.peers.azure import ACCOUNT, azure_account
from unit_tests.peers.front import Front
from unit_tests.peers.installation import NoAzuriteError, azurite_command
from unit_tests.peers.peer import FaultyPeer, Peer
from unit_tests.peers.s3 import make_bucket, s3_peer, s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from unit_tests.peers.azure import AzureAccount, AzurePeer


@pytest.fixture(scope="session")
def session_s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def s3(session_s3: str) -> Peer:
    """A new bucket."""
    return s3_peer(session_s3, make_bucket(session_s3))


@pytest.fixture(scope="session")
def session_azure() -> Iterator[AzureAccount]:
    try:
        azurite_command()
    except NoAzuriteError as reason:
        pytest.skip(str(reason))
    with azure_account() as account:
        yield account


@pytest.fixture
def azure(session_azure: AzureAccount) -> AzurePeer:
    """A new container."""
    return session_azure.peer(session_azure.make_container())


@pytest.fixture
def faulty_s3(session_s3: str) -> Iterator[FaultyPeer]:
    """A new bucket behind a front."""
    bucket = make_bucket(session_s3)
    with Front(session_s3, f"/{bucket}") as front:
        peer = s3_peer(front.url, bucket)
        yield FaultyPeer(peer.url, peer.environ, front=front)


@pytest.fixture
def faulty_azure(session_azure: AzureAccount) -> Iterator[FaultyPeer]:
    """A new container behind a front."""
    container = session_azure.make_container()
    with Front(session_azure.address, f"/{ACCOUNT}/{container}") as front:
        peer = session_azure.peer(container, front=front.url)
        yield FaultyPeer(peer.url, peer.environ, front=front)


@pytest.fixture
def folder(tmp_path: Path) -> Peer:
    """A missing folder."""
    return Peer(str(tmp_path / "landed"))


@pytest.fixture(params=["folder", "s3", "azure"])
def every_store(request: pytest.FixtureRequest) -> Peer:
    """Run the test with each of folder, S3 and Azure."""
    return _peer_of(request)


@pytest.fixture(params=["s3", "azure"])
def every_cloud(request: pytest.FixtureRequest) -> Peer:
    """Run the test with each of S3 and Azure."""
    return _peer_of(request)


@pytest.fixture(params=["faulty_s3", "faulty_azure"])
def every_faulty_cloud(request: pytest.FixtureRequest) -> FaultyPeer:
    """Run the test with each of S3 and Azure behind a front."""
    peer = request.getfixturevalue(request.param)
    assert isinstance(peer, FaultyPeer)
    return peer


def _peer_of(request: pytest.FixtureRequest) -> Peer:
    peer = request.getfixturevalue(request.param)
    assert isinstance(peer, Peer)
    return peer
