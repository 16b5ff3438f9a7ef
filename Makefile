# Two commands matter: `make demo` and `make test`. Both prepare everything they need.

PYTHON ?= $(shell packaging/find-python.sh)
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint lock clean

help: ## show this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'
	@printf '\n  PYTHON=…  the interpreter to use      ARGS=…  passed on to the program\n'

demo: $(VENV)/.run ## run the real daemon on the built-in puppet camera (ARGS=--send sends keys)
	@$(BIN)/gesturectl demo $(ARGS)

test: $(VENV)/.test ## prepare what tests need and run them all (ARGS="-k name" picks)
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.test ## style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock: ## pin the dependencies anew (ARGS=--upgrade takes newer ones)
	packaging/lock.sh $(ARGS)

clean: ## remove the environment and everything built
	rm -rf $(VENV) build dist out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: an environment is made again only when what it is made from has changed.

$(VENV)/.run: requirements/run.txt pyproject.toml packaging/system-packages.sh
	@test -n "$(PYTHON)"
	@packaging/system-packages.sh run $(PYTHON)
	@packaging/environment.sh $(PYTHON) $(VENV) requirements/run.txt
	@touch $@

$(VENV)/.test: requirements/test.txt pyproject.toml packaging/system-packages.sh
	@test -n "$(PYTHON)"
	@packaging/system-packages.sh test $(PYTHON)
	@packaging/environment.sh $(PYTHON) $(VENV) requirements/test.txt
	@touch $@ $(VENV)/.run
