PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PAGE := server/http/page/index.html
PAGE_SOURCES := $(shell find playground -name node_modules -prune -o -type f -print)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
# Releases of one series don't break clients. Before 1.0, a minor release begins a series, such as 0.2.
SERIES := $(shell echo '$(VERSION)' | sed 's/^\(0\.[0-9]*\|[1-9][0-9]*\)\..*/\1/')
RELEASED := $(shell ls releases/$(SERIES).*/schema.graphql 2> /dev/null | sort -V | tail -n 1)
UV := .venv/lock/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

# Most of the time of tests went into their databases' files: where there is room, they are in memory.
MEMORY := $(shell [ -w /dev/shm ] && [ $$(df --output=avail /dev/shm | tail -n 1) -gt 4000000 ] && echo TMPDIR=/dev/shm)
# One process more than there are cores: tests wait for servers and databases.
PROCESSES := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := $(MEMORY) $(BIN)/pytest --numprocesses $(PROCESSES) --maxprocesses 4 --dist loadgroup
TOOLS := tests/clients/ariadne tests/deploy/kubernetes
INTEROP := tests/playground tests/clients tests/chaos tests/interop tests/examples
ELSEWHERE := $(INTEROP) tests/container

.DEFAULT_GOAL := help
.PHONY: help run plane playground test interop screenshots dist container chaos check bench schema settings release lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMP) ## serve the demo on http://127.0.0.1:8000/graphql
	@$(MAKE) --no-print-directory $(PAGE) || echo "The playground couldn't be built. The API works without it."
	$(BIN)/mainsheet serve --demo

plane: $(STAMP) ## execute the demo's runs beside `make run`, by the reference plane in examples/plane, at MAINSHEET_URL
	@ADMIN_TOKEN=$$($(BIN)/mainsheet token create --member admin@harbor.example --name plane --expires 7d) && \
	PLANE_TOKEN=$$(ADMIN_TOKEN=$$ADMIN_TOKEN $(BIN)/python -m examples.plane.account) $(BIN)/python -m examples.plane

playground: $(PAGE) ## build the playground page

test: $(STAMP) $(PAGE) ## run the tests except those of `interop`, on SQLite and PostgreSQL
	$(PYTEST) $(ELSEWHERE:%=--ignore=%)

# Each test has processes of its own, browsers among them: two at once keep two cores busy.
interop: $(STAMP) $(PAGE) ## run the tests with browsers, npm clients, faults in real processes, and graphql-core's own
	TEST_DIFFERENTIAL=40 $(PYTEST) --maxprocesses 2 $(INTEROP) tests/executor/test_differential.py

screenshots: $(STAMP) $(PAGE) ## write pictures of all of the playground to dist/screenshots
	$(BIN)/pytest -n0 tests/playground/screenshots.py

dist: $(STAMP) $(PAGE) ## build the wheel and the sdist in dist/
	rm -f dist/mainsheet-*
	$(BIN)/python -m build --no-isolation .

container: dist ## run the steps of deploy/Containerfile in a bare Debian, as root, and serve from it
	$(BIN)/pytest tests/container

chaos: $(STAMP) ## run all fault injection tests; CHAOS=tests/chaos/replicas runs some; writes benchmarks/results/chaos.md
	TEST_CHAOS=full $(BIN)/pytest $(or $(CHAOS),tests/chaos)

check: $(STAMP) ## run linters, type checker, import rules, and compare the schema with its file and the last release
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --package testbed --package tests --package benchmarks --package examples
	$(BIN)/lint-imports
	$(BIN)/mainsheet schema check
	$(if $(RELEASED),$(BIN)/mainsheet schema check $(RELEASED))

bench: $(STAMP) ## measure Mainsheet and other servers; BENCH=--quick for a short run
	$(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python -m benchmarks.executor $(BENCH)

schema: $(STAMP) ## write schema/schema.graphql
	$(BIN)/mainsheet schema print > .venv/schema.graphql
	mv .venv/schema.graphql schema/schema.graphql

settings: $(STAMP) ## write docs/settings.md
	$(BIN)/python -m tests.server.settings_page

release: dist ## store this version in releases/, for upgrade tests of later versions
	$(BIN)/python -m tests.releases dist/mainsheet-$(VERSION)-py3-none-any.whl

lock: $(UV) ## lock the newest versions that pyproject.toml allows
	$(COMPILE) --upgrade pyproject.toml --output-file requirements.lock
	$(COMPILE) --upgrade --constraints requirements.lock --group dev --extra otel pyproject.toml --output-file requirements-dev.lock
	$(foreach tool,$(TOOLS),$(COMPILE) --upgrade $(tool)/requirements.in --output-file $(tool)/requirements.lock &&) true

clean: ## remove all generated files
	rm -rf .venv dist server/http/page playground/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Mainsheet needs Python 3.11 or newer.")'
	$(PYTHON) -m venv .venv

$(STAMP): requirements-dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(PAGE): $(PAGE_SOURCES) | $(STAMP)
	playground/build
	touch $@

$(UV): | $(BIN)/python
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/pip install --quiet --disable-pip-version-check uv
