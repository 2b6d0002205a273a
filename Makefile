# What a fresh machine must have: make and Python 3.11 or newer with venv. Everything else is installed into .venv.
# The tests on a real Kafka want containers (Docker), or Java 17 or newer with Maven; without either they are skipped.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))

.DEFAULT_GOAL := help
.PHONY: help demo test quick lock lint types check format parts bench chaos chaos-pipeline fuzz clean

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## five simulated systems through the whole pipeline, no broker needed
	@$(BIN)/singleview demo

test: $(VENV)/installed-dev ## all tests, with a real Kafka where this machine can run one; two files at a time
	@$(BIN)/pytest -n 2 --dist loadfile

quick: $(VENV)/installed-dev lint types ## style, types and unit tests: two minutes
	@$(BIN)/pytest -q -n auto tests/unit tests/golden

lint: $(VENV)/installed-dev ## style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/installed-dev ## static types
	@$(BIN)/mypy

check: lint types test ## everything a change must pass

format: $(VENV)/installed-dev ## rewrite the code in the project's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

parts: $(VENV)/installed-dev ## run a Kafka and a schema registry until Ctrl-C
	@$(BIN)/python -m tests.parts

bench: $(VENV)/installed-dev ## our engine beside its peers, the whole pipeline, cost against size; half an hour
	@$(BIN)/python -m benchmarks all

chaos: FAULTS ?= 36
chaos: BROKERS ?= 1
chaos: $(VENV)/installed-dev ## 36 faults on a Kafka of its own while a reader verifies (FAULTS=100 BROKERS=3)
	@$(BIN)/python -m tests.chaos --faults $(FAULTS) --brokers $(BROKERS)

chaos-pipeline: $(VENV)/installed-dev ## 12 faults on the whole pipeline, with a broker and a registry of its own
	@$(BIN)/python -m tests.chaos --pipeline

fuzz: $(VENV)/installed-dev ## 20,000 hostile events through the reader, and through the whole pipeline
	@$(BIN)/python -m tests.fuzz

clean: ## remove the environment and everything built
	rm -rf $(VENV) .bench build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed is what requirements/*.lock name, with their hashes. The stamps are renewed when these may have changed.
PIP := $(BIN)/pip --quiet --disable-pip-version-check install
LOCKED := $(PIP) --require-hashes --requirement
SELF := $(PIP) --no-deps --no-build-isolation --editable .

$(VENV)/installed: pyproject.toml requirements/demo.lock | $(VENV)/made
	@echo "installing singleview into $(VENV) ..."
	@$(LOCKED) requirements/demo.lock
	@$(SELF)
	@touch $@

$(VENV)/installed-dev: pyproject.toml requirements/dev.lock | $(VENV)/made
	@echo "installing singleview and its development tools into $(VENV) ..."
	@$(LOCKED) requirements/dev.lock
	@$(SELF)
	@touch $@ $(VENV)/installed

COMPILE = $(VENV)/lock/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate

lock: | $(VENV)/made ## renew requirements/*.lock: the newest releases that pyproject.toml allows, for every Python and system
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/pip --quiet --disable-pip-version-check install uv
	@$(COMPILE) --extra dev --output-file requirements/dev.lock
	@$(COMPILE) --extra demo --constraint requirements/dev.lock --output-file requirements/demo.lock
	@$(COMPILE) --extra build --constraint requirements/dev.lock --output-file requirements/run.lock

$(VENV)/made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer is needed and none was found: install it, or name it: make PYTHON=/path/to/python" >&2; exit 1; \
	fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$(PYTHON) has no venv module: on Debian or Ubuntu run: apt-get install python3-venv" >&2; exit 1; \
	fi
	@$(PYTHON) -m venv $(VENV)
	@touch $@
