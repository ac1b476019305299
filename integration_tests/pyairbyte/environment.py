"""The environment `.venv-pyairbyte`: PyAirbyte, apart from ours.

It pins duckdb, pyarrow and pandas, takes 0.8 GB, and starts the connector as a program anyway.
``python -m integration_tests.pyairbyte.environment`` makes it by hand.
"""

from __future__ import annotations

from integration_tests.environments import Environment, make_from_the_command_line

# Below 0.72: what docs/pyairbyte.md says was read in 0.71's code and holds for its tests.
ENVIRONMENT = Environment(".venv-pyairbyte", "airbyte>=0.71.3,<0.72", ((3, 12), (3, 11), (3, 10)), "PYAIRBYTE_PYTHON")

if __name__ == "__main__":
    make_from_the_command_line(ENVIRONMENT)
