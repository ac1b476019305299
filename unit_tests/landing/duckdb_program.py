"""The environment `.venv-duckdb` with DuckDB's command line and its extensions from PyPI (150 MB).

``python -m unit_tests.landing.duckdb_program`` creates it manually.
"""

from __future__ import annotations

from integration_tests.environments import Environment, make_from_the_command_line

VERSION = "1.5.5"
"""An extension fits one version of DuckDB only."""

EXTENSIONS = ("httpfs", "aws", "azure")
ENVIRONMENT = Environment(
    ".venv-duckdb",
    f"duckdb-cli=={VERSION}",
    ((3, 13), (3, 12), (3, 11), (3, 10)),
    "DUCKDB_PYTHON",
    further=tuple(f"duckdb-extension-{name}=={VERSION}" for name in EXTENSIONS),
)

if __name__ == "__main__":
    make_from_the_command_line(ENVIRONMENT)
