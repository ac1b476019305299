"""``python main.py COMMAND`` is the console script ``source-amplitude``."""

import sys

from source_amplitude.run import run

if __name__ == "__main__":
    sys.exit(run())
