# Stipple's two commands are `make run` and `make test`; `make help` lists the rest.
SHELL := /bin/sh
export RASA_TELEMETRY_ENABLED := false
# The newest Python of those that the lock is for.
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## list what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

.PHONY: run
run: setup ## serve the assistant on this machine and print its address
	@$(BIN)/stipple serve

.PHONY: setup
setup: tools ## install the locked environment, build the encoder, train the model (what of it is not done yet)
	@scripts/install "$(PYTHON)" requirements.lock
	@$(BIN)/stipple setup

.PHONY: test
test: dev ## run every test, the quick ones first
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/stipple check
	@$(BIN)/python -m pytest -q tests/nlu tests/clinic/test_practice.py tests/clinic/test_when.py tests/test_tidy.py tests/test_context.py
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

.PHONY: dev
dev: tools
	@scripts/install "$(PYTHON)" requirements-dev.lock
	@scripts/install-services
	@$(BIN)/stipple setup

.PHONY: stress
stress: dev ## try to double, lose or reorder bookings and text messages
	@$(BIN)/python -m bench.stress_booking
	@$(BIN)/python -m bench.stress_sms

.PHONY: eval
eval: setup ## score the understanding on the held-out questions
	@$(BIN)/stipple eval

.PHONY: bench
bench: dev ## measure against stock Rasa, side by side
	@$(BIN)/python -m bench

.PHONY: lock
lock: tools ## resolve the dependencies of pyproject.toml afresh
	@echo uv | .tools/bin/uv pip compile --quiet --generate-hashes --custom-compile-command "make lock" - -o scripts/uv.lock.txt
	@.tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	@.tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@sed -i '/^    #   -c requirements.lock$$/d' requirements-dev.lock

.PHONY: tools
tools:
	@test -n "$(PYTHON)" || { echo "stipple: Python 3.11 or 3.12 is needed"; exit 1; }
	@scripts/bootstrap "$(PYTHON)"

.PHONY: clean
clean: ## remove what was installed, built and trained; conversations in var/ stay
	rm -rf .venv .tools models .rasa .mypy_cache .ruff_cache .pytest_cache
