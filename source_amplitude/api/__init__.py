"""Amplitude over HTTP: hosts, requests, responses and retries. Independent of archives and of Airbyte.

Import `quotas` only where it is used: pyrate-limiter would delay the start of landing.
"""

from source_amplitude.api.client import AmplitudeClient, ExportResponse, Timeouts
from source_amplitude.api.credentials import CredentialCheck, check_credentials
from source_amplitude.api.endpoints import Host, Request, base_url
from source_amplitude.api.rate_limits import RateLimitWaits
from source_amplitude.api.redaction import printable, printable_lines, redact, secret_forms, without_addresses
from source_amplitude.api.responses import Response
from source_amplitude.api.retry import RetryBudget, RetryPolicy, log_retry, retrying

__all__ = [
    "AmplitudeClient",
    "CredentialCheck",
    "ExportResponse",
    "Host",
    "RateLimitWaits",
    "Request",
    "Response",
    "RetryBudget",
    "RetryPolicy",
    "Timeouts",
    "base_url",
    "check_credentials",
    "log_retry",
    "printable",
    "printable_lines",
    "redact",
    "retrying",
    "secret_forms",
    "without_addresses",
]
