# Everything happens in this clone: no root, nothing installed globally, no well-known port.
# A second run is quick: what is installed is remembered by stamps inside .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo lab down test test-fast lint bench bench-peers lock clean

BIN := .venv/bin
STAMPS := .venv/stamps
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11 python3.10 python,$(shell \
  $(name) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $(name))))

# The environment is this clone's own, whatever the caller's shell has activated or exported.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV CELLSHIP_DATA CELLSHIP_URL CELLSHIP_TOKEN
export JUPYTER_PREFER_ENV_PATH := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

demo: $(STAMPS)/demo  ## a notebook becomes a live endpoint on this machine
	@$(BIN)/python examples/demo.py

lab: $(STAMPS)/demo  ## open the demo's notebook in JupyterLab
	@$(BIN)/python examples/lab.py

down:  ## stop the service that `make demo` started
	@if [ -x $(BIN)/cellship ]; then $(BIN)/cellship down; else echo "Nothing runs here."; fi

test: $(STAMPS)/test $(STAMPS)/torch  ## all tests, and both examples
	@$(BIN)/python -m pytest -n 2 --dist loadfile -rs

test-fast: $(STAMPS)/test  ## the tests that need less than a minute
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

lint: $(STAMPS)/lint  ## ruff, mypy, pyright
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pyright

bench: $(STAMPS)/demo  ## the figures of the README (one of them: make bench ONLY=rollback)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

bench-peers:  ## what peers do on the same work; makes environments of its own, takes minutes
	@python3 benchmarks/peers/driver.py $(PEERS)

lock: $(STAMPS)/uv  ## write requirements/*.txt anew from pyproject.toml
	@requirements/lock

clean:  ## stop the demo; remove .venv, its data folder and everything built
	@if [ -x $(BIN)/cellship ]; then $(BIN)/cellship down || true; fi
	rm -rf .venv .cellship build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(STAMPS)/uv: requirements/uv.txt
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.10 or later is needed. Name one: make demo PYTHON=/path/to/python3" >&2; exit 1; fi
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet -r requirements/uv.txt || echo "uv is not to be had here; pip does it, more slowly" >&2
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/demo: $(STAMPS)/uv requirements/demo.txt pyproject.toml labextension/package.json
	@echo "Installing Cellship, JupyterLab and scikit-learn into .venv (once)"
	@requirements/install -r requirements/demo.txt
	@requirements/install --no-deps --no-build-isolation --editable .
	@$(BIN)/python requirements/configure.py
	@touch $@

$(STAMPS)/test: $(STAMPS)/demo requirements/test.txt
	@echo "Installing what the tests need into .venv (once)"
	@requirements/install -r requirements/test.txt
	@touch $@

# pip, and not uv: it takes the wheel that this machine offers, a CPU build for instance
$(STAMPS)/torch: $(STAMPS)/test requirements/torch.txt
	@echo "Installing PyTorch for the second example into .venv (once)"
	@$(BIN)/python -m pip install --quiet -r requirements/torch.txt
	@touch $@

$(STAMPS)/lint: $(STAMPS)/test requirements/lint.txt
	@requirements/install -r requirements/lint.txt
	@touch $@
