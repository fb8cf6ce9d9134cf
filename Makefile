# The two commands that matter: `make demo` and `make test`. A clean Debian or Ubuntu with git, make and python3 is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SPARK := .venv-spark
SOURCES := src tests bench scripts
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: demo test test-spark check bench setup test-setup lock pictures docs guides archive

setup: $(VENV)/.core
test-setup: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "motcua needs Python 3.11 or newer: apt-get install python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "the venv module is missing: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.core: requirements/core.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/core.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@ $(VENV)/.core

demo: $(VENV)/.core
	@$(BIN)/motcua demo $(ARGS)

# A test that loses a race on a busy machine is tried once more, two of a suite at most, and what failed is printed.
SUITE := pytest -n 3 --dist loadfile --no-loadscope-reorder --reruns 1 --max-suite-reruns 2 --rerun-show-tracebacks

# Hundreds of processes start here: each would compile all of it anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.dev
	@scripts/install-test-tools
	@echo "== the suite on SQLite"
	@$(BIN)/$(SUITE)
	@scripts/on-postgres $(BIN)/$(SUITE)

# The extra `spark` (660 MB, Java 17) in an environment of its own: the third engine gives the answers of the other two.
test-spark: $(SPARK)/.done
	$(SPARK)/bin/pytest tests/inspection/test_engines.py

$(SPARK)/.done: requirements/spark.txt pyproject.toml
	$(PYTHON) -m venv $(SPARK) || { rm -rf $(SPARK); exit 1; }
	$(SPARK)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/spark.txt
	$(SPARK)/bin/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

check: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/djhtml --tabwidth 2 --check src/motcua/web/templates
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest tests/house

bench: $(VENV)/.dev
	@mkdir -p bench/results
	@for each in clock imports facts scan findings exchange tee sampling warning directives; do $(BIN)/python -m bench.$$each; done

campaign: $(VENV)/.dev
	@$(BIN)/python -m bench.campaign
	@$(BIN)/python -m bench.outage

# One archive in dist/ that installs and upgrades a server without internet: docs/how-to/install.md
archive: $(VENV)/.dev
	@$(BIN)/python scripts/archive.py $(ARGS)

lock:
	scripts/lock

# Two printed pages a role, from the real pages of a training house made for it.
guides: $(VENV)/.dev
	@home=$$(mktemp -d); trap 'rm -rf "$$home"' EXIT; MOTCUA_HOME=$$home $(BIN)/motcua demo --training --no-serve >/dev/null && \
	  MOTCUA_HOME=$$home $(BIN)/python scripts/guides.py $(ARGS)

docs: $(VENV)/.dev
	COLUMNS=100 $(BIN)/python scripts/reference
	$(BIN)/python scripts/checks.py

pictures: $(VENV)/.dev
	$(BIN)/python scripts/pictures.py
