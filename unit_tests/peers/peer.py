"""A store for tests: its URL, and the environment variables for commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from obstore.store import AzureStore, LocalStore, S3Store

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig, ObjectStore, RetryConfig, S3Config

    from unit_tests.peers.front import Front

PREFIX = "landed/raw"

_CLIENT: ClientConfig = {"allow_http": True, "timeout": "30s"}


@dataclass(frozen=True)
class Peer:
    """An empty destination for a test.

    Attributes:
        url: The URL or path for users: ``s3://bucket-1f/landed/raw``, ``az://container-1f/landed/raw`` or a path.
        environ: All environment variables that obstore needs to find it.
    """

    url: str
    environ: dict[str, str] = field(default_factory=dict)

    def store(self, *, retry_config: RetryConfig | None = None) -> ObjectStore:
        """Return a new store, independent of the environment of this process.

        Args:
            retry_config: The retries of obstore; default: ten within three minutes.
        """
        # obstore 0.12 panics if a client option is in the configuration.
        config = {name.lower(): value for name, value in self.environ.items() if not name.endswith("_ALLOW_HTTP")}
        store: ObjectStore
        if self.url.startswith("s3://"):
            aws = cast("S3Config", config)
            store = S3Store.from_url(self.url, config=aws, client_options=_CLIENT, retry_config=retry_config)
        elif self.url.startswith("az://"):
            azure = cast("AzureConfig", config)
            store = AzureStore.from_url(self.url, config=azure, client_options=_CLIENT, retry_config=retry_config)
        else:
            store = LocalStore(self.url, mkdir=True)
        return store


@dataclass(frozen=True)
class FaultyPeer(Peer):
    """A destination behind a front.

    Attributes:
        front: The proxy that applies faults and logs requests.
    """

    front: Front = field(kw_only=True)
