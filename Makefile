# Frontdesk: `make run` starts the office, `make test` passes all tests; everything happens in .venv.
# Another Python (3.11 to 3.13):  make PYTHON=/usr/bin/python3.12 run
# With options:                   make run ARGS='--sip 192.0.2.1:5060 --state ./office'

export PYTHON
BIN := .venv/bin
# worksteal: the slow tests stand together, and no worker may end up with all of them
PYTEST_UNIT = $(BIN)/pytest tests/unit -q -n auto --dist worksteal $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help run compile compiled-tests prompts environment test unit live check lint types pytest format bench fuzz screenshots manual wheel clean
# Targets share .venv and wait for each other; only the parts of `check` run side by side.
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: ## Install Frontdesk and start the office with its console; ARGS='--sip HOST:PORT' and such are passed on
	@.ci/prepare run
	@PYTHONPATH="$$(.ci/prepare compiled-path)" $(BIN)/frontdesk $(ARGS)

compile: ## Compile the hot modules for `make run` and `make bench`: a minute or two, and calls cost half
	@.ci/prepare run
	@.ci/prepare compiled

environment: ## Make .venv with everything developers need
	@.ci/prepare dev

test: environment ## Pass all tests: unit, live with real phones, a smoke of the bench
	@.ci/prepare peers
	@$(BIN)/pytest tests/unit tests/live -n 2 --dist loadfile $(ARGS)

unit: environment ## Pass the unit tests
	@$(PYTEST_UNIT)

live: environment ## Pass the tests with real phones
	@.ci/prepare peers
	@$(BIN)/pytest tests/live $(ARGS)

check: environment ## Format, lint, types, floors, Lua and unit tests but the thorough ones
	@$(MAKE) --no-print-directory --keep-going --jobs=3 SIDE_BY_SIDE=1 types lint pytest

lint:
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/lint-imports --no-logo
	@.ci/check-lua

types:
	$(BIN)/mypy engine tui bench tests/live tests/fuzz

pytest:
	$(PYTEST_UNIT) -m 'not thorough'

format: environment ## Format the Python code and mend what the linter can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: environment ## Measure the compiled office; the figures land in bench-results/
	@.ci/prepare peers
	@.ci/prepare compiled
	@PYTHONPATH="$$(.ci/prepare compiled-path):$(CURDIR)" $(BIN)/python -P -m bench $(ARGS)

prompts: ## Make the sound of new sentences in data/prompts/sentences.toml (needs espeak-ng and sox)
	@.ci/make-prompts $(ARGS)

compiled-tests: environment ## Pass the unit tests of SIP and calls on the compiled modules
	@.ci/prepare compiled
	@ls .venv/compiled/engine/sip/*.so >/dev/null || { echo 'mypyc refuses a hot module: python setup.py build_ext names it' >&2; exit 1; }
	@$(BIN)/pytest tests/unit/sip tests/unit/net tests/unit/pbx tests/unit/services -q -n auto \
		--dist worksteal -o pythonpath="$$(.ci/prepare compiled-path) ." $(ARGS)

fuzz: environment ## Fuzz what strangers send; ARGS='sip --seconds 600' for one target and longer
	@.ci/prepare fuzzer
	@$(BIN)/python -m tests.fuzz $(ARGS)

manual: environment ## Put the key tables into docs/manual, from the console's key map
	@$(BIN)/python -m tests.key_card docs/manual

screenshots: environment ## Draw the manual's pictures from a real session over ssh
	@$(BIN)/python -m tests.live.screenshots docs

wheel: environment ## Build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## Remove the environment and everything that was built
	rm -rf .venv build dist bench-results *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache engine/media/_native*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
