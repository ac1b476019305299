"""Run the console script ``source-amplitude`` as ``python -m source_amplitude``."""

import sys

from source_amplitude.run import run

if __name__ == "__main__":
    sys.exit(run())
