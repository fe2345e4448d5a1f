# Two commands do everything on a fresh Debian or Ubuntu machine with Python, make and git:
#   make demo    brings up the simulated rig, records three episodes, draws them
#   make test    runs every check
# `make setup` alone leaves .venv/bin/station.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS ?= sim,vr,policy,dev
STAMP := $(VENV)/.installed-$(EXTRAS)
TORCH_STAMP := $(VENV)-torch/.installed
BROWSER := tests/drivers/vr/node_modules/.installed

.PHONY: setup demo test test-rig test-torch lint types imports unit clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt system-packages.txt
	./install-system-packages.sh system-packages.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

# a browser, and the WebXR runtime that stands in for a headset
$(BROWSER): tests/drivers/vr/package.json system-packages-test.txt
	./install-system-packages.sh system-packages-test.txt
	cd tests/drivers/vr && npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
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

unit: setup $(BROWSER)
	$(BIN)/python -m pytest

# whole rigs broken and driven: minutes each, on a machine with nothing else to do
test-rig: setup
	$(BIN)/python -m pytest -m rig tests

# importers, networks and schedules against torch and diffusers, in an environment of its own: only these tests need it
test-torch: $(TORCH_STAMP)
	$(VENV)-torch/bin/python -m pytest -m torch tests/torch

$(TORCH_STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-torch
	$(VENV)-torch/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[policy,torch,dev]' 'diffusers>=0.35,<0.43'
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-torch build dist tests/drivers/vr/node_modules
