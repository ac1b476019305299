"""Downloads archives to a file, one after the other, as the home-made scripts do, and leaves it at that.

``python bare_download.py URL API_KEY SECRET_KEY FILE FIRST-LAST ...`` prints a line for each archive.
"""

from __future__ import annotations

import sys
from pathlib import Path

import requests

_CHUNK_BYTES = 1024**2


def main() -> None:
    """Do what the command line says."""
    url, api_key, secret_key, file, *windows = sys.argv[1:]
    for window in windows:
        start, _, end = window.partition("-")
        answer = requests.get(
            f"{url}/api/2/export",
            params={"start": start, "end": end},
            auth=(api_key, secret_key),
            stream=True,
            timeout=600,
        )
        answer.raise_for_status()
        with Path(file).open("wb") as out:
            out.writelines(answer.iter_content(_CHUNK_BYTES))
        print(window)


if __name__ == "__main__":
    main()
