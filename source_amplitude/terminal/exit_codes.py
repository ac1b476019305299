"""Exit codes of all commands. ``--help`` lists them."""

EXIT_OK = 0
EXIT_FAILED = 1
"""The command failed, or ``missing`` found missing hours."""

EXIT_USAGE = 2
EXIT_COULD_NOT_LOOK = 3
"""``missing`` could not read the store or the configuration, so it is unknown if hours are missing."""

EXIT_SIGNALLED = 128
"""Added to the number of the signal that ended the process: 143 for SIGTERM."""

EXIT_INTERRUPTED = EXIT_SIGNALLED + 2
EXIT_OUTPUT_CLOSED = EXIT_SIGNALLED + 13
"""The output pipe was closed (``| head``)."""
