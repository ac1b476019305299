"""Download archives to a file, one after another, without any verification.

``python bare_download.py URL API_KEY SECRET_KEY FILE FIRST-LAST ...`` prints a line for each archive.
"""

from __future__ import annotations

import sys
from pathlib import Path

import requests

_CHUNK_BYTES = 1024**2


def main() -> None:
    """Run the command line."""
    url, api_key, secret_key, file, *windows = sys.argv[1:]
    for window in windows:
        start, _, end = window.partition("-")
        response = requests.get(
            f"{url}/api/2/export",
            params={"start": start, "end": end},
            auth=(api_key, secret_key),
            stream=True,
            timeout=600,
        )
        response.raise_for_status()
        with Path(file).open("wb") as out:
            out.writelines(response.iter_content(_CHUNK_BYTES))
        print(window)


if __name__ == "__main__":
    main()
