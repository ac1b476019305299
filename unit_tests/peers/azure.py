"""The peer for Azure Blob Storage: Microsoft's Azurite, which keeps blobs in memory and verifies signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from unit_tests.peers.installation import azurite_command
from unit_tests.peers.peer import PREFIX, Peer
from unit_tests.peers.processes import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "peers"

_API_VERSION = "2023-11-03"
_ADDRESS = re.compile(r"successfully listens on (http://\S+)")
_END_WITH_STANDARD_INPUT = 'data:text/javascript,process.stdin.on("end",()=>process.exit()).resume()'
_OPTIONS = ("--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--loose", "--disableTelemetry")


@dataclass(frozen=True)
class AzurePeer(Peer):
    """A container.

    Attributes:
        connection_string: The value of ``AZURE_STORAGE_CONNECTION_STRING``; obstore itself does not read this variable.
    """

    connection_string: str = ""


@dataclass(frozen=True)
class AzureAccount:
    """A storage account of a running Azurite.

    Attributes:
        address: The address of the server, without the account.
        key: The account key in Base64.
    """

    address: str
    key: str

    def make_container(self) -> str:
        """Create a container with a unique name, and return the name."""
        name = f"container-{uuid.uuid4().hex[:12]}"
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _API_VERSION, "Content-Length": "0"}
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{self._signature(name, headers)}"
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=30)
        try:
            connection.request("PUT", f"/{ACCOUNT}/{name}?restype=container", headers=headers)
            answer = connection.getresponse()
            if answer.status != 201:
                raise RuntimeError(f"Azurite did not create a container: {answer.status} {answer.read()!r}")
        finally:
            connection.close()
        return name

    def peer(self, container: str, *, front: str = "") -> AzurePeer:
        """Return a container as a peer.

        Args:
            container: The container's name.
            front: The address of the front, if there is one.
        """
        endpoint = f"{front or self.address}/{ACCOUNT}"
        return AzurePeer(
            f"az://{container}/{PREFIX}",
            {
                "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
                "AZURE_STORAGE_ACCOUNT_KEY": self.key,
                "AZURE_STORAGE_ENDPOINT": endpoint,
                "AZURE_ALLOW_HTTP": "true",
            },
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.key};BlobEndpoint={endpoint};",
        )

    def _signature(self, container: str, headers: dict[str, str]) -> str:
        """Sign as documented in "Authorize with Shared Key"; the account appears twice, as it is also in the path."""
        signed = [f"{name}:{headers[name]}" for name in ("x-ms-date", "x-ms-version")]
        lines = ["PUT", *[""] * 11, *signed, f"/{ACCOUNT}/{ACCOUNT}/{container}", "restype:container"]
        digest = hmac.digest(base64.b64decode(self.key), "\n".join(lines).encode(), hashlib.sha256)
        return base64.b64encode(digest).decode()


@contextmanager
def azure_account() -> Iterator[AzureAccount]:
    """Run Azurite in its own process, and yield an account without containers.

    Raises:
        NoAzuriteError: Azurite is not installed.
    """
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    node, program = azurite_command()
    command = (node, "--import", _END_WITH_STANDARD_INPUT, program, "--blobHost", "127.0.0.1", "--blobPort", "0")
    with serving((*command, *_OPTIONS), _ADDRESS, environ={"AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}) as address:
        yield AzureAccount(address, key)
