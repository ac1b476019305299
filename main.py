"""Run the console script ``source-amplitude`` as ``python main.py COMMAND``."""

import sys

from source_amplitude.run import run

if __name__ == "__main__":
    sys.exit(run())
