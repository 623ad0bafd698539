# `make demo` and `make test` are the two commands; the rest is for people who change things.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

.PHONY: install demo test check lint lock golden clean

install: $(RUNTIME)

$(RUNTIME): requirements/runtime.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

demo: install
	$(BIN)/adapter demo $(if $(ONCE),--once)

test: $(DEV)
	$(BIN)/python -m pytest

lint: $(DEV)
	$(BIN)/ruff check adapter tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

# The locks are made from pyproject.toml, with hashes, so that a machine installs what was tested.
lock:
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/pip install -q uv
	mkdir -p requirements
	.lock-venv/bin/uv pip compile -q --no-header --no-annotate --generate-hashes --python-version 3.11 --extra build pyproject.toml -o requirements/runtime.lock
	.lock-venv/bin/uv pip compile -q --no-header --no-annotate --generate-hashes --python-version 3.11 --extra build --extra dev pyproject.toml -o requirements/dev.lock
	rm -rf .lock-venv

clean:
	rm -rf $(VENV) build dist
