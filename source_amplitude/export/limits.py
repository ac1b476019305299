"""The bounds an export works within; tests and other front ends pass their own."""

from __future__ import annotations

from dataclasses import dataclass, field

from source_amplitude.api import RetryPolicy, Timeouts

MAX_EXPORT_HOURS = 365 * 24
"""The longest span of one request: 365 days (documented, Export API)."""


@dataclass(frozen=True)
class Limits:
    """Waiting, retrying, disk: everything about an export that is no user's business.

    Attributes:
        timeouts: For each request.
        retry: For one archive: request, body and verification together.
        retry_budget_seconds: Waiting time that all retries of a stream share.
        archive_attempts: How often an archive is downloaded whose member breaks while it is read.
        same_failures_to_stop: So many windows in a row that fail alike end the stream.
        disk_bytes: Most bytes of archives on disk, but for the archive being read; a quarter of the free space
            if that is less.
        heartbeat_seconds: How long nothing may leave before the unchanged state is due again.
        processes_after_bytes: So much JSON is encoded in one process before others are started: a sync that is over
            in half a second has no use for them.
        clock_skew_seconds: A larger difference between our clock and Amplitude's is worth a warning.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    retry_budget_seconds: float = 1800
    archive_attempts: int = 3
    same_failures_to_stop: int = 3
    disk_bytes: int = 2_000_000_000
    heartbeat_seconds: float = 300
    processes_after_bytes: int = 32 * 1024**2
    clock_skew_seconds: float = 300
