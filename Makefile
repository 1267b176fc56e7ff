# Each target does everything from a fresh clone: the first run sets up .venv, which takes some minutes.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
.DEFAULT_GOAL := help
.PHONY: help demo test test-full coverage lint bench schema clean

help:           ## this list
	@sed -n 's/^\([a-z-]*:\) .*## /\1 /p' Makefile

demo: $(READY)  ## plan VGG11 for four devices, then compare the methods
	$(BIN)/iopt plan vgg11 --cluster cal4 -o plan.json
	$(BIN)/iopt compare vgg11 --cluster cal4

test: $(READY)  ## the fast tests
	$(PYTEST) -n 2

test-full: $(READY)  ## all tests, with the larger counts
	$(PYTEST) -n 2 -m "full or not full"

coverage: $(READY)  ## the fast tests, then the lines and branches that none of them reaches
	$(PYTEST) -n 2 --cov --cov-report=term-missing:skip-covered

lint: $(READY)  ## style, types and the floors of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## how fast plans are found and proved: ten minutes, prints tables, writes docs/results/
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.partition_benchmark
	OMP_NUM_THREADS=1 $(BIN)/python -m experiments.tiling_benchmark

schema: $(READY)  ## write the JSON schemas of all files anew
	$(BIN)/python -m iopt.cluster.schema > iopt/cluster/cluster.schema.json
	$(BIN)/python -m iopt.partition.files.schema > iopt/partition/files/plan.schema.json
	$(BIN)/python -m iopt.exits.files.profile_schema > iopt/exits/files/profile.schema.json
	$(BIN)/python -m iopt.exits.files.workload_schema > iopt/exits/files/workload.schema.json
	$(BIN)/python -m iopt.exits.files.placement_schema > iopt/exits/files/placement.schema.json
	$(BIN)/python -m iopt.tiling.files.configuration_schema > iopt/tiling/files/configuration.schema.json
	$(BIN)/python -m iopt.tiling.files.host_schema > iopt/tiling/files/host.schema.json

clean:          ## remove what builds and tests leave behind, but not .venv
	rm -rf build dist .coverage .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .benchmarks plan.json
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

# torch comes first and alone, so that a build of it that is already there, or chosen by pip's settings, is kept.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "iopt needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1); try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
	    exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'
	@touch $@
