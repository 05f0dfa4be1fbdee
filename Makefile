# make lab    the demos in JupyterLab, from a bare Python 3.11 or newer
# make test   every test           make lint   ruff          make bench  benchmarks
# make types  mypy                 make clean  remove everything that make made
#
# PYTHON=…      the interpreter to make .venv with
# LABFLAGS=…    more arguments for `jupyter lab`, such as --no-browser
# TESTFLAGS=…   more arguments for pytest
# WORKERS=2     how many tests run side by side, those of a file one after the other
# ZYG_REQUIRE_ALL=1   a test that cannot run (no Chromium, no dot) fails instead of being skipped

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

CANDIDATES := python3.13 python3.12 python3.11 python3 python
# A name on the PATH may be a shim for a version that is not there: each is tried by running it.
SUITABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in $(CANDIDATES); do \
	if $$name -c '$(SUITABLE)' >/dev/null 2>&1; then echo $$name; break; fi; done)

WORKERS ?= 2

EXTENSION := zyg_interactive/labextension/package.json
EXTENSION_SOURCES := $(shell find labextension -type f \
	-not -path '*/node_modules/*' -not -path '*/lib/*' -not -path '*/.yarn/*' \
	-not -name '*.tsbuildinfo')
# Jupyter refuses to run as root unless it is told to: in a container there is nobody else.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: lab test lint types bench clean
.DELETE_ON_ERROR:

lab: $(VENV)/lab.stamp
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab $(AS_ROOT) $(LABFLAGS) demo_notebooks

test: $(VENV)/test.stamp
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TESTFLAGS)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .

types: $(VENV)/test.stamp
	$(BIN)/mypy

bench: $(VENV)/bench.stamp
	for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found; give one as PYTHON=…" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade pip

# An editable installation: changed Python is seen at once, changed TypeScript is built anew.
$(VENV)/package.stamp: pyproject.toml $(EXTENSION_SOURCES) | $(BIN)/python
	rm -rf $(dir $(EXTENSION))
	$(PIP) install --quiet --editable '.[lab]'
	test -e $(EXTENSION)
	touch $@

$(VENV)/lab.stamp: $(VENV)/package.stamp
	touch $@

$(VENV)/test.stamp: $(VENV)/package.stamp
	$(PIP) install --quiet --editable '.[all,test,dev]'
	touch $@

$(VENV)/bench.stamp: $(VENV)/test.stamp
	$(PIP) install --quiet --editable '.[bench]'
	touch $@

clean:
	rm -rf $(VENV) $(dir $(EXTENSION)) labextension/lib labextension/node_modules labextension/.yarn
	rm -rf labextension/tsconfig.tsbuildinfo build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
