# make run    the bot trades on a local exchange for a minute, with play money, in front of you
# make test   the whole suite: lint, types, stubs, both native builds
# make faults every fault of the catalogue, SEEDS=20 seeds of each, and MIXED=20 mixed runs
# make soak   the bot for HOURS=6 simulated hours: does anything grow?
# make strategy-report  the bot beside the rules of its peers, goal by goal, into reports/strategy (REPORT_SEEDS, STEPS, OURS, CAPTURES)
# make bench  timings on this machine, into bench.json
# Each sets up what it needs (a virtual environment, packages, the native kernels) and is quick when run again.

PYTHON ?= python3
SEEDS ?= 20
MIXED ?= 20
HOURS ?= 6
REPORT_SEEDS ?= 1001-1020
STEPS ?= 3600
OURS ?= recommended
CAPTURES ?= $(wildcard ../shared/data/*.gz)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
KERNELS := $(wildcard cext/*.pyx cext/*.pxi)
# What setup.py may compile as it stands; make rebuilds only what has changed.
MODULES := $(shell find mmbot -name '*.pxd') $(patsubst %.pxd,%.py,$(shell find mmbot -name '*.pxd')) mmbot/runtime/replay.py

# Programs that tests start, each with its package of Debian.
DEBIAN := redis-server:redis-server chromium:chromium chromedriver:chromium-driver
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: run debian test faults soak strategy-report bench build clean

run: build
	$(BIN)/python -m mmbot demo --for 60s

test: build $(VENV)/.dev debian
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal
	$(BIN)/python -m tests.debug_suite -n auto --maxprocesses 8 --dist worksteal

faults: build $(VENV)/.dev
	$(BIN)/python -m tests.faults --seeds $(SEEDS) --mixed $(MIXED)

soak: build $(VENV)/.dev
	$(BIN)/python -m tests.soak --hours $(HOURS)

strategy-report: build $(VENV)/.dev
	$(BIN)/python -m mmbot strategy-report --ours $(OURS) $(CAPTURES:%=--data %) --seeds $(REPORT_SEEDS) --steps $(STEPS) --out reports/strategy

bench: build $(VENV)/.dev
	$(BIN)/python -m tests.bench --out bench.json

build: $(VENV)/.built

$(VENV)/.packages: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mmbot needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "setting up $(VENV) and building the native kernels, one or two minutes ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install -c constraints.txt setuptools cython
	@MMBOT_CEXT=0 $(PIP) install -c constraints.txt --no-build-isolation -e .
	@touch $@

$(VENV)/.built: $(VENV)/.packages setup.py $(KERNELS) $(MODULES)
	@$(BIN)/python setup.py -q build_ext --inplace
	@touch $@

$(VENV)/.dev: $(VENV)/.built
	@MMBOT_CEXT=0 $(PIP) install -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

debian:
	@for each in $(DEBIAN); do command -v "$${each%:*}" > /dev/null || missing="$$missing $${each#*:}"; done; \
	[ -z "$$missing" ] || { echo "installing$$missing ..."; $(ROOT) apt-get -qq update && \
	DEBIAN_FRONTEND=noninteractive $(ROOT) apt-get -qq install --no-install-recommends $$missing > /dev/null; }

clean:
	rm -rf $(VENV) build *.egg-info
	find mmbot -name '*.so' -delete
