# `make demo` and `make test` are the two commands; the rest is for people who change things.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check --no-input

.PHONY: install demo test check lint gate servers proofs golden profiles profiles-fresh lock wheel clean

install: $(RUNTIME)

$(RUNTIME): requirements/runtime.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --no-compile --require-hashes -r requirements/runtime.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.lock
	$(PIP) --no-compile --require-hashes -r requirements/dev.lock
	@touch $@

# An agency and two partners on this machine; ONCE=1 ends after the story.
demo: install
	$(BIN)/adapter demo $(if $(ONCE),--once)

# What needs no server; `make servers` has the rest. Files are handed out in the order of tests/conftest.py, and what is
# compiled is kept, whatever the environment says: the tests start dozens of processes, and each would compile all anew.
test: export PYTHONDONTWRITEBYTECODE =
test: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not servers"

lint: $(DEV)
	$(BIN)/ruff check adapter tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/adapter check

check: lint test

# What needs servers: HAPI FHIR and Medplum as partners (tests/servers/README.md: Java 17, Maven, Node 20.19), HAPI FHIR's
# validator, PostgreSQL and Chromium (Debian's packages; a database server of its own is started in a temporary folder);
# and what takes minutes.
servers: $(DEV)
	CSP_SERVERS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m servers

# The gate runs the same, with the journeys on PostgreSQL with one partner's server alone.
gate: $(DEV)
	CSP_SERVERS=1 CSP_FEW=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m servers

# The properties of consent.md with the full numbers, each rule broken on purpose, 100,000 markers over every channel, 3,000
# schedules of faults and 1,000 of odd answers (CSP_SEED=N: others), 1,000 workers killed, everything missing in turn, 2,000
# broken resources against HAPI FHIR's validator. Hours.
proofs: $(DEV)
	$(BIN)/python -m tests.core.consent.proofs --examples 10000
	$(BIN)/python -m tests.core.consent.mutants --jobs 2
	$(BIN)/python -m tests.journeys.leaks --markers 100000
	CSP_SERVERS=1 CSP_PROOFS=1 $(BIN)/python -m pytest -s tests/endurance/test_kill.py
	CSP_SERVERS=1 CSP_PROOFS=1 $(BIN)/python -m pytest -n 2 tests/servers/test_schedules.py tests/servers/test_odd_servers.py
	CSP_PROOFS=1 $(BIN)/python -m pytest tests/onramp tests/core/mapping_files/test_missing.py
	$(BIN)/python -m tests.validator --examples 2000

# Golden files are written anew from what the mapping makes now; review them as a diff.
golden: $(DEV)
	$(BIN)/python -m tests.core.mapping_files.regenerate

# profiles/generated from profiles/fsh, mappings/codes and what the mapping files make. Needs node 20, and for FHIR R5's
# own definitions Maven; once `npm ci` and Maven have fetched theirs, it runs without a network.
profiles: $(DEV) profiles/node_modules/.r4 profiles/node_modules/.r5
	for release in R4 R5; do \
	  $(BIN)/python profiles/tools/stage.py $$release build/profiles/$$release && \
	  node profiles/tools/build.mjs build/profiles/$$release profiles/generated/$$(echo $$release | tr R r) || exit 1; \
	done

# What is committed is what would be built now: builds it, and fails where git then sees a difference.
profiles-fresh: profiles
	@test -z "$$(git status --porcelain profiles/generated)" || \
	  { git status --short profiles/generated; echo "profiles/generated is not fresh: run make profiles, and commit it."; exit 1; }

profiles/node_modules/.r4: profiles/package-lock.json
	cd profiles && npm ci --no-fund --no-audit
	@touch $@

# FHIR R5 as HAPI FHIR publishes it; npm has no package of it.
R5_DEFINITIONS := hapi-fhir-validation-resources-r5
R5_VERSION := 8.8.1
profiles/node_modules/.r5: profiles/node_modules/.r4 profiles/tools/r5_packages.py
	mvn -q -B dependency:copy -Dartifact=ca.uhn.hapi.fhir:$(R5_DEFINITIONS):$(R5_VERSION) -DoutputDirectory=$(CURDIR)/build/profiles
	$(BIN)/python profiles/tools/r5_packages.py build/profiles/$(R5_DEFINITIONS)-$(R5_VERSION).jar profiles/node_modules/.core-package
	@touch $@

# The locks are made from pyproject.toml, with hashes, so that a machine installs what was tested.
lock:
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/pip install -q uv
	mkdir -p requirements
	.lock-venv/bin/uv pip compile -q --no-header --no-annotate --generate-hashes --python-version 3.11 --extra build pyproject.toml -o requirements/runtime.lock
	.lock-venv/bin/uv pip compile -q --no-header --no-annotate --generate-hashes --python-version 3.11 --extra build --extra dev pyproject.toml -o requirements/dev.lock
	rm -rf .lock-venv

wheel: $(RUNTIME)
	$(BIN)/hatchling build -t wheel

clean:
	rm -rf $(VENV) build dist
