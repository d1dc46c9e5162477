# chitieu: two commands. `make up` runs everything on the five real plans; `make test` checks everything.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# Compiled modules are kept, whatever the shell says: without them every process that starts compiles the house anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up test test-long test-long-only check check-rules check-types format snapshots bench-bulk bench-events faults faults-bulk faults-webhooks lock clean

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(VENV)/.installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed (set PYTHON=)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

up: $(VENV)/.installed ## set up and serve everything at http://127.0.0.1:8000
	@$(BIN)/chitieu up

test: check ## set up and pass every check and test
	$(PYTEST)

test-long: check ## the same with the forms that take minutes
	CHITIEU_LONG_TESTS=1 $(PYTEST)

test-long-only: $(VENV)/.installed-dev ## the forms that take minutes alone, after make test
	CHITIEU_LONG_TESTS=1 $(PYTEST) -m long $(RUN)

check: $(VENV)/.installed-dev ## linters, types, house rules
	@$(MAKE) --no-print-directory --jobs=2 check-types check-rules

check-types: $(VENV)/.installed-dev
	$(BIN)/mypy

check-rules: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## put every file into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

snapshots: $(VENV)/.installed-dev ## write the contracts anew; refuses a breaking change
	$(BIN)/python -m tests.contracts.snapshots

bench-bulk: $(VENV)/.installed-dev ## measure bulk posts against a raw COPY (about ten minutes; RUN= takes options)
	$(BIN)/python -m benchmarks.bulk $(RUN)

bench-events: $(VENV)/.installed-dev ## measure the event log and its deliveries (RUN="--only log,feed")
	$(BIN)/python -m benchmarks.events $(RUN)

faults: $(VENV)/.installed-dev ## kill, freeze, cut and starve the event log, then bulk posts (KILLS=500 SEED=1 RUN="--only kills")
	$(BIN)/python -m tests.faults.events --kills $(or $(KILLS),500) --seed $(or $(SEED),1) $(RUN)
	$(if $(RUN),,$(BIN)/python -m tests.faults.bulk --kills $(or $(KILLS),500) --seed $(or $(SEED),1))

faults-bulk: $(VENV)/.installed-dev ## kill services and servers in the middle of bulk posts (KILLS=200 SEED=1)
	$(BIN)/python -m tests.faults.bulk --kills $(or $(KILLS),200) --seed $(or $(SEED),1) $(RUN)

faults-webhooks: $(VENV)/.installed-dev ## kill and stop senders of webhooks before a bad receiver (KILLS=200 SEED=1)
	CHITIEU_LONG_TESTS=1 KILLS=$(or $(KILLS),200) SEED=$(or $(SEED),1) $(BIN)/python -m pytest -q -n0 -s tests/chassis/webhooks/test_kills.py

lock: ## lock the dependencies with hashes
	$(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-header -q pyproject.toml --group install \
	  -o requirements.lock
	$(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-header -q pyproject.toml --group install \
	  --group dev \
	  -o requirements-dev.lock

clean: ## remove the environment and the demo data
	rm -rf $(VENV) .chitieu
