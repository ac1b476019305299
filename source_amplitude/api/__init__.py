"""Amplitude over HTTP: hosts, requests, what an answer means, when to ask again. Knows no zip and no Airbyte.

`quotas` is imported by those who need it: pyrate-limiter would delay the start of landing.
"""

from source_amplitude.api.responses import Fetched
from source_amplitude.api.client import AmplitudeClient, ExportAnswer, Timeouts
from source_amplitude.api.credentials import KeysProof, prove_keys
from source_amplitude.api.endpoints import Call, Host, base_url
from source_amplitude.api.redaction import redact, secret_forms
from source_amplitude.api.retry import RetryBudget, RetryPolicy, log_retry, retrying

__all__ = [
    "AmplitudeClient",
    "Call",
    "ExportAnswer",
    "Fetched",
    "Host",
    "KeysProof",
    "RetryBudget",
    "RetryPolicy",
    "Timeouts",
    "base_url",
    "log_retry",
    "prove_keys",
    "redact",
    "retrying",
    "secret_forms",
]
