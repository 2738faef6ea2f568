# Every task of the project; `make` alone lists them. Continuous integration runs the same lines.

PYTHON ?= python3
BIN := .venv/bin
# A lock names all there is to install: with --no-deps pip looks for nothing newer beside it.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check -qq install --use-pep517 --no-deps --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
SOURCES := carechat tests scripts $(wildcard rxconfig.py)
# loadgroup would do nothing: pytest-xdist 3.8 cannot mark a group with pytest 9.2.
PARALLEL ?= -n 2 --dist loadfile
# Pyright brings its own Node and asks no server for a newer version.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run setup test check fix lock bench faults shots clean python machine machine-test setup-test

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: machine setup ## Start CareChat with its own MongoDB and the demo on http://localhost:8000
	@exec $(BIN)/python -m carechat serve

setup: python ## Make .venv and install the locked requirements, if they changed
	@$(BIN)/python -c 'import pip' 2>/dev/null || { \
		echo "Making .venv ..."; $(PYTHON) -m venv --clear .venv; }
	@cmp -s requirements.lock .venv/requirements.lock || { \
		echo "Installing the requirements into .venv ..."; rm -f .venv/requirements.lock; \
		$(INSTALL) -r requirements.lock && cp requirements.lock .venv/; }

test: check ## Lint, types and every test; ARGS="-k login" narrows it, PARALLEL= runs one at a time
ifdef ARGS
	@$(BIN)/pytest $(ARGS)
else
	@$(BIN)/pytest $(PARALLEL) --cov --cov-report=
	@$(BIN)/python scripts/coverage_gate.py
endif

check: setup-test ## Lint, formatting and types
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/ruff format --quiet --check $(SOURCES)
	@$(BIN)/pyright --pythonpath $(BIN)/python

fix: setup-test ## Mend what the linter can mend and format everything
	@$(BIN)/ruff check --quiet --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

lock: setup-test ## Make the locks from requirements*.txt; UPGRADE=1 takes the newest indirect ones
	@$(COMPILE) requirements.txt --output-file requirements.lock
	@$(COMPILE) requirements-test.txt --constraints requirements.lock --output-file requirements-test.lock
	@rm -rf .web $(if $(UPGRADE),reflex.lock)
	@# Twice: Reflex settles the order of the keys only when it reads its own file again.
	@for time in 1 2; do rm -rf .web; $(BIN)/reflex export --frontend-only --no-zip || exit 1; done

bench: setup-test ## Measure it and print the tables of docs/benchmarks.md
	@exec $(BIN)/python -m tests.bench

faults: setup-test ## Break it on purpose and print the table of docs/reliability.md
	@exec $(BIN)/python -m tests.faults

shots: setup-test ## Take the screenshots in docs/screenshots anew
	@exec $(BIN)/python -m tests.shots

clean: ## Remove everything that was made, but not .carechat, where the data is
	@rm -rf .venv .web .web-* .states assets/external .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
	@find carechat tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Missing: Python 3.11 or newer under the name $(PYTHON); give another with make PYTHON=python3.12" >&2; exit 1; }

machine: python
	@$(PYTHON) scripts/missing.py

machine-test: python
	@$(PYTHON) scripts/missing.py --tests

setup-test: machine-test setup
	@cmp -s requirements-test.lock .venv/requirements-test.lock || { \
		echo "Installing what the tests need into .venv ..."; rm -f .venv/requirements-test.lock; \
		$(INSTALL) -r requirements-test.lock && cp requirements-test.lock .venv/; }
