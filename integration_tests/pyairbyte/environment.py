"""The environment `.venv-pyairbyte` for PyAirbyte, separate from ours.

PyAirbyte pins duckdb, pyarrow and pandas, takes 0.8 GB, and starts the connector as a program.
``python -m integration_tests.pyairbyte.environment`` creates it manually.
"""

from __future__ import annotations

from integration_tests.environments import Environment, make_from_the_command_line

# Below 0.72: docs/pyairbyte.md is based on the code of 0.71 and tested with it.
ENVIRONMENT = Environment(".venv-pyairbyte", "airbyte>=0.71.3,<0.72", ((3, 12), (3, 11), (3, 10)), "PYAIRBYTE_PYTHON")

if __name__ == "__main__":
    make_from_the_command_line(ENVIRONMENT)
