# `make demo` and `make test` do all the set-up, in $(VENV) and nowhere else. Another Python, beside the first:
#     make test PYTHON=python3.12 VENV=.venv-3.12
PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
RUN := $(BIN)/python
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check

.PHONY: demo examples test test-long test-browser test-integrations lint format docs screenshots bench bench-quick \
	bench-inbox bench-integrations faults soak

# ARGS=--stay keeps its inbox there, for a look at the page.
demo: $(VENV)/.package
	$(RUN) examples/demo.py $(ARGS)

# Programs on each framework that fail on purpose; NAMES="flask django" runs these only.
examples: $(VENV)/.examples
	$(RUN) examples/run_all.py $(NAMES)

# Ends with pytest's summary line. `lint` first: it is quick, and its findings explain many a failed test. A file of tests
# stays in one process; WORKERS=0 runs all in one.
WORKERS ?= 2
test: $(VENV)/.dev lint
	$(RUN) -m pytest -m 'not long and not browser' -n $(WORKERS) --dist loadfile

# What takes its time: interruptions at every byte code, long random schedules, loads, time-outs that have to pass.
test-long: $(VENV)/.dev $(VENV)-bench/.done
	$(RUN) -m pytest -m long

# The inbox's pages in headless Chromium (Debian's package `chromium`, or CHROMIUM=/path/to/it).
test-browser: $(VENV)/.browser
	$(RUN) -m pytest -m browser tests/browser

# Each library at the lowest version that its integration takes and at the newest, each in an environment of its own
# (below .nox): half an hour. SESSIONS="flask-lowest flask-newest" runs these only; `nox --list` names them all.
test-integrations: $(VENV)/.nox
	$(BIN)/nox $(if $(SESSIONS),--session $(SESSIONS) table)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright --pythonpath $(RUN)
	PATH="$(abspath $(BIN)):$$PATH" basedpyright --verifytypes vedette --ignoreexternal >$(VENV)/.verifytypes || { cat $(VENV)/.verifytypes; exit 1; }
	$(BIN)/lint-imports
	$(RUN) -m tools.foreign_values
	$(RUN) -m tools.conformance --check
	$(RUN) -m tools.options_page --check
	$(RUN) -m tools.integrations_page --check
	$(RUN) -m tools.structure

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev
	$(RUN) -m tools.conformance
	$(RUN) -m tools.options_page
	$(RUN) -m tools.integrations_page

# The pictures in docs/images, taken anew. ALL=folder takes every page, to be looked at.
screenshots: $(VENV)/.browser
	$(RUN) -m tools.screenshots $(if $(ALL),--all $(ALL))

# The peer is run from an environment of its own: nothing of it is near the suite.
# `make bench` writes docs/performance.md and docs/profiles (ten minutes); with another Python (PYTHON=python3.12
# VENV=.venv-3.12) it adds a column to that page.
bench: $(VENV)-bench/.done
	$(VENV)-bench/bin/python -m bench.cost --page $(ARGS)
	$(VENV)-bench/bin/python -m bench.cost.profile

# In less than a minute, on the terminal only.
bench-quick: $(VENV)-bench/.done
	$(VENV)-bench/bin/python -m bench.cost --quick $(ARGS)

# What the inbox does: ingest, pages, memory, rest, start; with a Bugsink beside it, in an environment of its own.
bench-inbox: $(VENV)/.package
	$(RUN) -m bench.inbox $(ARGS)

bench-integrations: $(VENV)-bench-integrations/.done
	$(VENV)-bench-integrations/bin/python -m bench.integrations

# What arrives when things go wrong (about five minutes); ARGS=--docs writes docs/reliability.md as well.
faults: $(VENV)-bench/.done
	$(VENV)-bench/bin/python -m bench.reliability.faults $(ARGS)

# Memory and counts under random faults.
SECONDS ?= 1800
soak: $(VENV)-bench/.done
	$(VENV)-bench/bin/python -m bench.reliability.soak --seconds $(SECONDS) $(ARGS)

# Stamps: each step of the set-up is done once, and again when pyproject.toml has changed.
# pip is updated first because the one that comes with Python may not know --group (25.1).
$(VENV)/.package: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("vedette needs Python 3.10 or newer: make PYTHON=python3.x" if sys.version_info < (3, 10) else 0)'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade 'pip>=25.1'
	$(INSTALL) --editable '.[inbox]'
	touch $@

$(VENV)/.dev: $(VENV)/.package
	$(INSTALL) --group dev
	touch $@

$(VENV)/.examples: $(VENV)/.dev
	$(INSTALL) --group integrations
	touch $@

$(VENV)/.browser: $(VENV)/.dev
	$(INSTALL) --group browser
	touch $@

$(VENV)/.nox: $(VENV)/.package
	$(INSTALL) --group nox
	touch $@

$(VENV)-bench/.done: pyproject.toml
	test -x $(VENV)-bench/bin/pip || $(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --editable . --group bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --target $(VENV)-bench/loguru --group bench-loguru
	touch $@

$(VENV)-bench-integrations/.done: pyproject.toml
	test -x $(VENV)-bench-integrations/bin/pip || $(PYTHON) -m venv $(VENV)-bench-integrations
	$(VENV)-bench-integrations/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(VENV)-bench-integrations/bin/python -m pip install --quiet --disable-pip-version-check --editable . --group bench-integrations
	touch $@
