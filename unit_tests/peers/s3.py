"""The peer for S3: moto, which keeps objects in memory, ignores signatures and supports conditional writes."""

from __future__ import annotations

import re
import sys
import uuid
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from unit_tests.peers.peer import PREFIX, Peer
from unit_tests.peers.processes import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM = Path(__file__).with_name("s3_server.py")
_ADDRESS = re.compile(r"listens on (http://\S+)")


@contextmanager
def s3_server() -> Iterator[str]:
    """Run moto in its own process, and yield the address of an S3 without buckets."""
    with serving([sys.executable, str(_PROGRAM)], _ADDRESS) as address:
        yield address


def make_bucket(address: str) -> str:
    """Create a bucket with a unique name, and return the name."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        connection.request("PUT", f"/{name}")
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"moto did not create a bucket: {answer.status} {answer.read()!r}")
    finally:
        connection.close()
    return name


def s3_peer(address: str, bucket: str) -> Peer:
    """Return a bucket as a peer.

    Args:
        address: The address of the server or of its front.
        bucket: The bucket's name.
    """
    return Peer(
        f"s3://{bucket}/{PREFIX}",
        {
            "AWS_ACCESS_KEY_ID": "peer",
            "AWS_SECRET_ACCESS_KEY": "peers-secret",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": address,
            "AWS_ALLOW_HTTP": "true",
        },
    )
