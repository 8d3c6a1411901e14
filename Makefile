# Every target works on a fresh machine with Python 3.11+ and make; `peers` and `bench` also need a JDK and Maven.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test check format union sim chaos fuzz bench peers peers-short lock clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	$(BIN)/sealane demo

test: setup
	$(BIN)/pytest

check: setup
	$(BIN)/ruff format --check src tests scripts
	$(BIN)/ruff check src tests scripts
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format src tests scripts
	$(BIN)/ruff check --fix src tests scripts

union: setup
	SEALANE_SEEDS=$(or $(SEEDS),80) $(BIN)/pytest tests/properties/search/test_union.py

sim: setup
	$(BIN)/python -m scripts.simulate --seeds 0-999999 --minutes 10 --jobs 2

chaos: setup
	$(BIN)/python -m scripts.chaos --minutes 10 --clients 32
	$(BIN)/python -m scripts.chaos.replication --minutes 30

fuzz: setup
	nice -n 19 $(BIN)/python -m scripts.fuzz --cases $(or $(CASES),5000000)

peers: setup
	$(BIN)/python -m scripts.peers
	$(BIN)/python -m scripts.peers.security

peers-short: setup
	$(BIN)/python -m scripts.peers --short --no-opensearch --no-links
	$(BIN)/python -m scripts.peers.security --sample 150

bench: setup
	$(BIN)/python -m scripts.bench

lock:
	uv pip compile --generate-hashes --universal --python-version 3.11 --extra demo --group dev pyproject.toml -o requirements.lock -q

clean:
	rm -rf $(VENV) .bench .peers
