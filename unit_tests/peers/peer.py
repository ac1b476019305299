"""What a test knows of a store: where it is, and what a command needs in its environment to find it."""

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
    """A place to write to, empty when a test gets it.

    Attributes:
        url: As a user would write it: ``s3://bucket-1f/landed/raw``, ``az://container-1f/landed/raw`` or a path.
        environ: The environment variables with which obstore finds it; no others are needed.
    """

    url: str
    environ: dict[str, str] = field(default_factory=dict)

    def store(self, *, retry_config: RetryConfig | None = None) -> ObjectStore:
        """Return a store of its own, which the environment of this process does not change.

        Args:
            retry_config: Of obstore; left out, it retries ten times within three minutes.
        """
        # As a key of its configuration, what belongs to the client makes obstore 0.12 panic.
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
    """A place that is reached through a front.

    Attributes:
        front: Takes faults, and knows every request.
    """

    front: Front = field(kw_only=True)
