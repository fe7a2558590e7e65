# All a newcomer needs: Python 3.11 or later, make, and a C compiler (uWSGI is compiled once). `make` alone shows what there is.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
RUNTIME := .venv/.runtime-installed
DEVELOPMENT := .venv/.development-installed
# The containers test builds images and starts them: minutes, and podman. `make test CONTAINERS=1` runs it too.
MARKERS := $(if $(filter 1,$(CONTAINERS)),,-m "not containers")
# A part of the tests cannot reach the coverage that all of them must.
COVERAGE := --cov --cov-report=term-missing --cov-report=xml --junitxml=junit.xml $(if $(ARGS),--cov-fail-under=0)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check fmt bench lock clean

help: ## This list
	@echo "Aisle: one product API over all your shops. PORT=9000 make run, make test ARGS='-k money -x', ..."
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: $(RUNTIME) ## Sample shops, first sync, watcher, uWSGI, and Nginx when installed, on PORT (8080); Ctrl-C stops it all
	@exec $(BIN)/python -m sample.demo

test: $(DEVELOPMENT) ## All tests with coverage (ARGS='-k name' for some, CONTAINERS=1 for the container test too)
	$(BIN)/python -m pytest $(COVERAGE) $(MARKERS) $(ARGS)

check: $(DEVELOPMENT) ## Format, lint, types, layers, the shape of the tree; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --no-cov test/meta/test_tree.py test/meta/test_layers.py

fmt: $(DEVELOPMENT) ## Formats the code and mends what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEVELOPMENT) ## Measures the figures and writes bench/RESULTS.md
	$(BIN)/python -m bench.run $(ARGS)

lock: ## Pins what requirements.in and requirements-dev.in ask for, at today's versions, with hashes
	rm -rf .lock && $(PYTHON) -m venv .lock && .lock/bin/pip install -q uv
	.lock/bin/uv pip compile -q --upgrade --no-strip-extras --generate-hashes --python-version 3.11 --universal requirements.in -o requirements.txt
	.lock/bin/uv pip compile -q --upgrade --no-strip-extras --generate-hashes --python-version 3.11 --universal requirements-dev.in -o requirements-dev.txt
	rm -rf .lock

clean: ## Removes the virtual environment, the data folder and everything that was generated
	rm -rf .venv .lock var coverage.xml junit.xml test-artifacts .coverage .coverage.* htmlcov .hypothesis .schemathesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Aisle needs Python 3.11 or later: make PYTHON=python3.12 ..."; exit 1; }
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(DEVELOPMENT): $(RUNTIME) requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
