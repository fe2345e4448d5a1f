# Two commands do everything on a fresh Debian or Ubuntu machine with Python, make and git:
#   make demo    brings up the simulated rig, records three episodes, draws them
#   make test    runs every check
#   make train-demo-policy    teaches the simulated rig its hand-over: records, trains, evaluates; hours
# `make setup` alone leaves .venv/bin/station.

PYTHON ?= python3
PYTHONS ?= 3.11 3.12 3.13
VENV := .venv
BIN := $(VENV)/bin
EXTRAS ?= sim,vr,console,policy,dev
STAMP := $(VENV)/.installed-$(EXTRAS)
TORCH_STAMP := $(VENV)-torch/.installed
FRANKY_SIM := $(VENV)-franky-sim/.installed
CONSOLE := station/console/page/vendor/lit-html.js
# environments of those who read datasets, each as its own list pins it; the last is 1.3 GB
CONSUMERS := lerobot-v3 lerobot-v2.1 robomimic zarr s3
LONG_CONSUMERS := rlds
# LeRobot's newest wants Python 3.12, on the PATH or pyenv's: where there is none it is left out
NEWEST_PYTHON := $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python) $(shell command -v python3.12))
NEWEST := $(if $(NEWEST_PYTHON),$(VENV)-lerobot-newest/.installed)
BROWSER := tests/drivers/vr/node_modules/.installed
# of the simulation, all that is not its operator's arithmetic; of the headset, its server and its page
IN_REAL_TIME := tests/conformance tests/other_maker tests/station/console/page tests/system \
	$(filter-out %/operator/ %/__pycache__/ %/test_golden.py,$(wildcard tests/drivers/sim/*/ tests/drivers/sim/test_*.py)) \
	tests/drivers/vr/test_browser.py $(wildcard tests/drivers/vr/test_server*.py)

# two workers on two processors: a pool of NumPy's threads in each would only stand in the other's way
PURE := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 $(addprefix --ignore ,$(IN_REAL_TIME))

DEMO := demo-policy
DEMO_EPISODES ?= 120
DEMO_MINUTES ?= 240
DEMO_THREADS ?= 2
DEMO_TRIALS ?= 20
# trial k is scene 1000·seed + k, and episode n was recorded in scene n: from 1 on no trial's scene was trained on
DEMO_SEED ?= 1
# what a step of training frees is kept for the next one, not given back to the kernel: a sixth faster
KEPT := MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TRIM_THRESHOLD_=8000000000
INSTRUCTION := pick up the red cube with the right arm and hand it to the left one

.PHONY: setup demo test test-fast test-pythons test-rig test-torch test-datasets test-long train-demo-policy lint types imports unit clean

setup: $(STAMP) $(CONSOLE)

# the console page's libraries, which installing has brought; here for a checkout that is older than they are
$(CONSOLE): hatch_build.py station/console/page/package.json | $(STAMP)
	$(BIN)/python hatch_build.py
	touch $@

$(STAMP): pyproject.toml constraints.txt system-packages.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "The station needs Python 3.11 or newer, and \`$(PYTHON)\` is `$(PYTHON) --version 2>&1`." \
			"Next: sudo apt-get install python3.11-venv (Ubuntu 22.04 has it), then make setup PYTHON=python3.11" >&2; exit 1; }
	./install-system-packages.sh system-packages.txt
	$(PYTHON) -m venv $(VENV)
	./install-station.sh $(BIN)/pip '$(EXTRAS)'
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

# what keeps no appointments with a clock on both processors, then what does: drivers, browsers, whole rigs
unit: setup $(BROWSER)
	$(PURE)
	$(BIN)/python -m pytest $(IN_REAL_TIME)

# neither a rig nor a browser, nothing that takes over half a second, a quarter of the examples: for while one works
test-fast: lint types imports
	$(PURE) --hypothesis-profile fast -m 'not slow and not torch and not rig and not consumers and not long'

# the same on each Python the station supports that this machine has (on the PATH, or pyenv's), in an environment of its own
test-pythons:
	@for version in $(PYTHONS); do \
		python=$$(for found in python$$version $$(ls -d $(HOME)/.pyenv/versions/$$version.*/bin/python 2>/dev/null | sort -rV); do \
			$$found -c "" 2>/dev/null && { echo $$found; break; }; done); \
		test -n "$$python" || { echo "Python $$version: not on this machine, left out"; continue; }; \
		echo "Python $$version: $$python"; \
		$(MAKE) VENV=$(VENV)-$$version PYTHON=$$python test-fast || exit 1; \
	done

# the check before a session on a whole rig, a policy's trials, the console's journey, further cases of fault matrices: on a machine
# with nothing else to do
test-rig: setup
	$(BIN)/python -m pytest -m rig tests

# training, importers, networks and schedules against torch and diffusers, in an environment of its own: only these tests need it
test-torch: $(TORCH_STAMP)
	$(VENV)-torch/bin/python -m pytest -m torch tests/torch

# every exported format through its consumer's own loader, each in an environment of its own that has no station in it; a policy that
# LeRobot trained on one is imported by the environment of torch
test-datasets: setup $(TORCH_STAMP) $(CONSUMERS:%=$(VENV)-%/.installed)
	$(BIN)/python -m pytest -m consumers tests/consumers

# what takes gigabytes, TensorFlow Datasets, or long: LeRobot's training for hundreds of steps, and the rig that runs what came of it; the
# first week, a headset's faults, a minute of any rig's, an FR3 on franky-sim, a board in a camera's view
test-long: setup $(FRANKY_SIM) $(TORCH_STAMP) $(VENV)-lerobot-v3/.installed $(LONG_CONSUMERS:%=$(VENV)-%/.installed) $(NEWEST)
	$(if $(NEWEST),,@echo "no Python 3.12 here: LeRobot's newest is left out")
	$(BIN)/python -m pytest -m long tests $(if $(NEWEST),,--ignore tests/consumers/test_lerobot_newest.py)

# lerobot's own pins of torch and datasets want gigabytes of another torch: it is installed without, and with what its loader imports.
# torchcodec loads the system's FFmpeg.
$(VENV)-lerobot-newest/.installed: PYTHON := $(NEWEST_PYTHON)
$(VENV)-%/.installed: tests/consumers/%.txt system-packages-datasets.txt
	./install-system-packages.sh system-packages-datasets.txt
	$(PYTHON) -m venv $(VENV)-$*
	$(VENV)-$*/bin/pip install --quiet --disable-pip-version-check --no-deps -r tests/consumers/$*.txt
	touch $@

# the stand-in of a Franka arm, as its maker published it: it brings pinocchio and a MuJoCo of its own, 600 MB
$(FRANKY_SIM): tests/drivers/franka/franky-sim.txt
	$(PYTHON) -m venv $(VENV)-franky-sim
	$(VENV)-franky-sim/bin/pip install --quiet --disable-pip-version-check --no-deps -r tests/drivers/franka/franky-sim.txt
	touch $@

# what an earlier call has done is not done again: episodes that are there count, training goes on from its checkpoint
train-demo-policy: setup $(TORCH_STAMP)
	missing=$$(( $(DEMO_EPISODES) - $$(find $(DEMO)/data -name 'episode_*.hdf5' 2>/dev/null | wc -l) )); \
	test $$missing -le 0 || $(BIN)/station record --rig sim --headless --task handover --operator scripted \
		--instruction "$(INSTRUCTION)" --data $(DEMO)/data --episodes $$missing --seconds 10
	test -d $(DEMO)/handover || $(KEPT) $(VENV)-torch/bin/python -m station.training.learning $(DEMO)/data --task handover \
		--out $(DEMO)/handover --minutes $(DEMO_MINUTES) --threads $(DEMO_THREADS) --instruction "$(INSTRUCTION)"
	$(BIN)/station eval --rig sim --policy $(DEMO)/handover --trials $(DEMO_TRIALS) --seed $(DEMO_SEED) --seconds 15 \
		--headless --out $(DEMO)/eval-$(DEMO_SEED)

$(TORCH_STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-torch
	$(VENV)-torch/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[policy,torch,dev]' 'diffusers>=0.35,<0.43'
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-torch $(VENV)-franky-sim $(addprefix $(VENV)-,$(CONSUMERS) $(LONG_CONSUMERS) lerobot-newest) $(addprefix $(VENV)-,$(PYTHONS)) build dist tests/drivers/vr/node_modules
