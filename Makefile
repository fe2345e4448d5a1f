# Two commands do everything on a fresh Debian or Ubuntu machine with Python, make and git:
#   make demo    brings up the simulated rig, records three episodes, draws them
#   make test    runs every check
# `make setup` alone leaves .venv/bin/station.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS ?= sim,policy,dev
STAMP := $(VENV)/.installed-$(EXTRAS)

.PHONY: setup demo test lint types imports unit clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt system-packages.txt
	./install-system-packages.sh system-packages.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

demo: setup
	$(BIN)/station demo

test: lint types imports unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/python -m pytest

clean:
	rm -rf $(VENV) build dist
