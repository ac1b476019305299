"""Replaces the package certifi in 0.6.19's process; the proxy's certificate is the only trusted one.

CDK 4 sends prepared requests, for which requests uses ``HTTPS_PROXY`` but not ``REQUESTS_CA_BUNDLE``. Replacing
``certifi.where`` is the way that requests recommends to packagers. This folder is on that process's ``PYTHONPATH``.
"""

import os
from pathlib import Path


def where() -> str:
    return os.environ["REQUESTS_CA_BUNDLE"]


def contents() -> str:
    return Path(where()).read_text(encoding="ascii")
