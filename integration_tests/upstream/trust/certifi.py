"""Stands in for the package certifi in 0.6.19's process and names the proxy's certificate as the only trusted one.

CDK 4 sends prepared requests, for which requests looks at ``HTTPS_PROXY`` but not at ``REQUESTS_CA_BUNDLE``; who
packages requests is told to change ``certifi.where`` instead. This folder is on that process's ``PYTHONPATH``.
"""

import os
from pathlib import Path


def where() -> str:
    return os.environ["REQUESTS_CA_BUNDLE"]


def contents() -> str:
    return Path(where()).read_text(encoding="ascii")
