"""``make bench``: this connector beside others that read the same archives; see ``python -m benchmarks --help``."""
