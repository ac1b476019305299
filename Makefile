# make demo and make test are all a newcomer needs; each makes its own environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test lint types layers unit peers format test-upstream test-pyairbyte test-memory test-landing test-spark test-airbyte test-image bench clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

demo: $(STAMP)  ## start the emulator and sync three days of sample events from it
	@$(BIN)/python demo.py

test: lint types layers unit  ## everything CI runs: ruff, mypy, import-linter, pytest

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

# At most four, since a container may show processors that its quota does not have, and waits in tests are bounded.
unit: $(STAMP)
	@$(MAKE) --no-print-directory peers || echo "The tests with Azure are skipped, and those that look at the report fail where there is no Chromium." >&2
	$(BIN)/pytest -n logical --maxprocesses 4 --dist worksteal \
	  -m "not upstream and not pyairbyte and not memory and not landing and not spark and not image and not image_tests and not requires_creds"

peers: $(STAMP)  ## install Azurite and Chromium, which the tests ask, in .peers (npm; Node too, where it is missing)
	@$(BIN)/python -m unit_tests.peers.installation

test-upstream: $(STAMP)  ## let Airbyte's own connector 0.6.19 read from the emulator and compare with ours
	@echo "Making the environment .venv-upstream where it is missing, about a minute the first time ..."
	@$(BIN)/python -m integration_tests.upstream.environment || true
	$(BIN)/pytest -m upstream integration_tests/upstream

test-pyairbyte: $(STAMP)  ## let PyAirbyte read from the emulator into DuckDB, with the programs of docs/pyairbyte.md
	@echo "Making the environment .venv-pyairbyte where it is missing (0.8 GB), two minutes the first time ..."
	@$(BIN)/python -m integration_tests.pyairbyte.environment || true
	$(BIN)/pytest -m pyairbyte integration_tests/pyairbyte

test-memory: $(STAMP)  ## measure memory and disk with archives of 4 GB and of 300,000 members; needs about 5 GB in TMPDIR and ten minutes
	$(BIN)/pytest -m memory integration_tests/memory

test-airbyte: $(STAMP)  ## airbyte-cdk connector test against the emulator, all but its docker cases
	$(BIN)/python -m integration_tests.airbyte_cli

test-image: $(STAMP)  ## the Dockerfile's steps and its entrypoint without an engine, hadolint, actionlint; needs rights to mount
	$(BIN)/pytest -m image integration_tests/image

test-spark: $(STAMP)  ## Spark 4, alone and as a cluster of two workers, reads from the emulator; needs Java 17 (from apt where missing)
	@echo "Making the environment .venv-spark where it is missing (1.2 GB), two minutes the first time ..."
	@$(BIN)/python -m integration_tests.spark.environment
	.venv-spark/bin/mypy source_amplitude/spark integration_tests/spark
	.venv-spark/bin/pytest -n 2 --dist loadfile -m spark integration_tests/spark unit_tests/spark

test-landing: $(STAMP)  ## kill landings at many more points, and change stores and Amplitude at random; three minutes
	$(BIN)/pytest -m landing unit_tests/landing

bench: $(STAMP)  ## measure ours beside 0.6.19, a CDK manifest, a bare script and curl; most of an hour (see benchmarks/README.md)
	$(BIN)/python -m benchmarks $(BENCH)

format: $(STAMP)  ## let ruff format and fix the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove the environments and everything the commands above made
	rm -rf $(VENV) .venv-* .bench .demo .peers build dist .tmp .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv where it is present, else venv and pip. The stamp makes a changed pyproject.toml install again.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "source-amplitude needs Python 3.10 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.11 ..." >&2; exit 1; }
	@echo "Making the environment in $(VENV), about a minute the first time ..."
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && uv pip install --quiet --python $(BIN)/python -e '.[dev]'; \
	else \
	  $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'; \
	fi
	@touch $@
