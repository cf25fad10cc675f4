# Everything runs in .venv, installed from hashed locks. `make demo DEMO="--visitors 2000"` passes options on.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO ?=
BENCH ?=
LOAD ?=
SHOTS ?=
TESTS ?=
MUTANTS ?=

.PHONY: demo test mutants lint bench screenshots load format locks clean

$(VENV)/runtime: deploy/locks/runtime.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Parvis needs Python 3.11, 3.12 or 3.13" if not (3, 11) <= sys.version_info[:2] <= (3, 13) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/locks/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev: $(VENV)/runtime deploy/locks/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/locks/dev.txt
	touch $@

demo: $(VENV)/runtime
	@$(BIN)/parvis demo $(DEMO)

test: $(VENV)/dev
	$(BIN)/python -m tests.browser.find
	$(BIN)/python -m pytest -n 2 --dist loadfile $(TESTS)

mutants: $(VENV)/dev
	@$(BIN)/python -m tests.lua.mutants $(MUTANTS)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/dev
	@$(BIN)/python -m tests.bench $(BENCH)

screenshots: $(VENV)/dev
	$(BIN)/python -m tests.browser.find
	$(BIN)/python -m tests.browser.screenshots $(SHOTS)

load: $(VENV)/dev
	@$(BIN)/parvis load $(LOAD)

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

locks:
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-annotate -q deploy/locks/runtime.in -o deploy/locks/runtime.txt
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-annotate -q -c deploy/locks/runtime.txt deploy/locks/dev.in -o deploy/locks/dev.txt

clean:
	rm -rf $(VENV)
