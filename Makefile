# make demo and make test are enough to start; each creates the environment .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := $(VENV)/.demo
AUDITED := .venv-audit
comma := ,
RUNTIME := '.[emulator,land,parquet,spark,query]'

.PHONY: help demo test lint types layers unit peers format test-upstream test-pyairbyte test-memory test-landing test-long test-spark test-airbyte test-image test-hostile lock audit bench clean
.DEFAULT_GOAL := help

help:  ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

demo: $(DEMO)  ## read, land and query three days of sample events from a local Amplitude; two minutes
	@$(BIN)/python demo.py

test: lint types layers unit  ## run what CI runs: ruff, mypy, import-linter, pytest

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

# At most four processes: a container may show more processors than its quota allows, and tests have time limits.
unit: $(STAMP)
	@$(MAKE) --no-print-directory peers || echo "Without Azurite, the tests with Azure are skipped. Without Chromium, the tests of the HTML report fail." >&2
	$(BIN)/pytest -n logical --maxprocesses 4 --dist worksteal \
	  -m "not upstream and not pyairbyte and not memory and not long and not landing and not spark and not image and not image_tests and not requires_creds"

peers: $(STAMP)  ## install Azurite and Chromium for the tests in .peers (needs npm; installs Node if it is missing)
	@$(BIN)/python -m unit_tests.peers.installation

test-upstream: $(STAMP)  ## compare with Airbyte's own connector 0.6.19, reading from the emulator
	@echo "Creating .venv-upstream if it is missing; about a minute the first time ..."
	@$(BIN)/python -m integration_tests.upstream.environment || true
	$(BIN)/pytest -m upstream integration_tests/upstream

test-pyairbyte: $(STAMP)  ## run the programs of docs/pyairbyte.md: PyAirbyte reads from the emulator into DuckDB
	@echo "Creating .venv-pyairbyte (0.8 GB) if it is missing; two minutes the first time ..."
	@$(BIN)/python -m integration_tests.pyairbyte.environment || true
	$(BIN)/pytest -m pyairbyte integration_tests/pyairbyte

test-memory: $(STAMP)  ## measure memory and disk with archives of 4 GB and of 300,000 members; needs 5 GB in TMPDIR and ten minutes
	$(BIN)/pytest -m memory integration_tests/memory

test-airbyte: $(STAMP)  ## run airbyte-cdk connector test against the emulator, without its docker cases
	$(BIN)/python -m integration_tests.airbyte_cli

test-image: $(STAMP)  ## run the Dockerfile's steps and entrypoint without Docker, hadolint, actionlint; needs permission to mount
	$(BIN)/pytest -m image integration_tests/image

test-spark: $(STAMP)  ## read from the emulator with Spark 4, locally and in a cluster of two; needs Java 17 (installed with apt if missing)
	@echo "Creating .venv-spark (1.2 GB) if it is missing; two minutes the first time ..."
	@$(BIN)/python -m integration_tests.spark.environment
	.venv-spark/bin/mypy source_amplitude/spark integration_tests/spark
	.venv-spark/bin/pytest -n 2 --dist loadfile -m spark integration_tests/spark unit_tests/spark

test-landing: $(STAMP)  ## kill land at many more points, and change stores and Amplitude at random; four minutes
	@echo "Creating .venv-duckdb (0.2 GB) if it is missing; half a minute the first time ..."
	@$(BIN)/python -m unit_tests.landing.duckdb_program || true
	$(BIN)/pytest -m landing unit_tests/landing

test-long: $(STAMP)  ## run the cases that make test leaves out because they take long; five minutes
	$(BIN)/pytest -n logical --maxprocesses 4 --dist worksteal -m long unit_tests

test-hostile: $(STAMP)  ## throw thousands of random archives, responses, files and states at every parser; ten minutes
	HOSTILE_EXAMPLES=2000 $(BIN)/pytest -n logical --maxprocesses 4 --timeout 3000 unit_tests/test_parsers.py unit_tests/test_members.py \
	  unit_tests/archive/test_layout_check.py unit_tests/archive/test_member_list.py unit_tests/ledger unit_tests/landing/test_manifest.py \
	  unit_tests/landing/test_place.py unit_tests/landing/test_destination.py unit_tests/api/test_redaction.py unit_tests/records

lock:  ## refresh requirements.lock, from which the image installs; needs the package index
	@PYTHON=$(PYTHON) .ci/lock

audit: $(STAMP) $(AUDITED)/.installed  ## list the licences of all runtime dependencies (1 GB in .venv-audit), fail on one that does not fit MIT
	@$(BIN)/pip-licenses --with-system --python $(AUDITED)/bin/python --format json | $(BIN)/python .ci/licences.py

bench: $(STAMP)  ## compare with 0.6.19, a CDK manifest, a plain script and curl; most of an hour (see benchmarks/README.md)
	$(BIN)/python -m benchmarks $(BENCH)

format: $(STAMP)  ## format and fix the code with ruff
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove the environments and all other generated files
	rm -rf $(VENV) .venv-* .bench .demo .peers build dist .tmp .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Use uv if it is installed, otherwise venv and pip: $(call install,FOLDER,REQUIREMENT,OPTIONS)
define install
if command -v uv >/dev/null 2>&1; then \
  uv venv --quiet --allow-existing --python $(PYTHON) $(1) && uv pip install $(3) --python $(1)/bin/python $(2); \
else \
  $(PYTHON) -m venv $(1) && $(1)/bin/python -m pip install $(or $(3),--no-compile) --disable-pip-version-check $(2); \
fi
endef

define require_python
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
  { echo "source-amplitude needs Python 3.10 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Use another one: make PYTHON=python3.11 ..." >&2; exit 1; }
endef

# Only what the demo runs; make test adds the rest to the same environment. Compiling all modules would take longer than the demo.
$(DEMO): pyproject.toml
	@if [ ! $(STAMP) -nt pyproject.toml ]; then \
	  $(require_python); \
	  echo "Installing into $(VENV): about 100 packages, 500 MB on disk, one to two minutes the first time. make clean removes it."; \
	  $(call install,$(VENV),-e '.[emulator$(comma)land$(comma)query]'); \
	fi
	@touch $@

# A changed pyproject.toml triggers a new installation.
$(STAMP): pyproject.toml
	@$(require_python)
	@echo "Creating $(VENV); about a minute the first time ..."
	@$(call install,$(VENV),-e '.[dev]',--quiet)
	@touch $@

$(AUDITED)/.installed: pyproject.toml
	@echo "Creating $(AUDITED) with all extras; two minutes the first time ..."
	@rm -rf $(AUDITED)
	@$(call install,$(AUDITED),$(RUNTIME),--quiet)
	@touch $@
