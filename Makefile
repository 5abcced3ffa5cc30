PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: install demo check test suites bench clean

install: $(VENV)/.installed

# torch comes first and by itself: asked for later by a package it could bring gigabytes of CUDA packages.
$(VENV)/.installed: constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: install
	$(BIN)/harmony-gen demo

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The laws and suites run many real schemas; coverage would only slow them down.
test: install
	$(BIN)/pytest -n 2 --ignore=tests/laws --ignore=tests/suites --cov --cov-report=term
	$(BIN)/pytest -n 2 tests/laws tests/suites

# The suites as a whole; `make test` runs a sample of each. Takes hours.
suites: install
	HARMONY_GEN_SUITES=full $(BIN)/pytest -n 2 tests/suites

bench: install
	$(BIN)/python benchmarks/overhead.py --rounds 3
	$(BIN)/python benchmarks/extraction.py --documents 40
	$(BIN)/python benchmarks/prefix.py --rounds 5

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
