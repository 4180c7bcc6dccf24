# `make` alone lists what there is. Every target sets up .venv first if it has to.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Windows keeps the programs of a virtual environment elsewhere.
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PYTHON := $(BIN)/python

# Passed on: make run ARGS="--headless", make bench ARGS="intake", make test TESTS=tests/domain
ARGS ?=
TESTS ?=
# make exchange NAME=okx
NAME ?=
# For make soak: how many histories, and the first one.
SEEDS ?= 20000
FROM ?= 1
# Processes that share the tests; auto is two for each processor, because many tests wait.
JOBS ?= auto

.PHONY: help
help: ## List these targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  \033[1m%-9s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Create .venv from requirements.lock and check the system libraries of Qt
	@.ci/setup

.PHONY: run
run: setup ## Start the application (ARGS="--headless" and others are passed on)
	@exec $(PYTHON) -m execution_engine $(ARGS)

.PHONY: format
format: setup ## Put the code into shape
	@$(BIN)/ruff format -q .
	@$(BIN)/ruff check -q --fix-only .

.PHONY: check
check: setup ## Shape, lint and types: fast, for every few minutes
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy src

.PHONY: test
test: check ## Everything that has to hold: check, layers, tests, coverage (TESTS=tests/domain for a part)
	@JOBS=$(JOBS) .ci/test $(TESTS)

.PHONY: bench
bench: setup ## Measure what the application promises (ARGS="name" for one of them)
	@QT_QPA_PLATFORM=offscreen $(PYTHON) -m tests.benchmarks $(ARGS)

.PHONY: stories
stories: setup ## Every story on every local exchange, market and way of hearing (make test goes through a selection)
	@STORIES=all JOBS=$(JOBS) .ci/test -n $(JOBS) tests/stories/test_at_exchanges.py tests/stories/test_real_exchanges.py $(ARGS)

.PHONY: exchange
exchange: setup ## Start a local exchange to try the application against (NAME=okx; none means all four)
	@exec $(PYTHON) -m tests.exchanges $(NAME) $(ARGS)

.PHONY: simulate
simulate: setup ## Simulated histories (ARGS="--seeds 1000", "--seed 7", "--shrink 7", "--speed")
	@$(PYTHON) -m tests.simulation $(ARGS)

.PHONY: soak
soak: setup ## Very many simulated histories (SEEDS=20000, FROM=1)
	@$(PYTHON) -m tests.simulation --seeds $(SEEDS) --from $(FROM)

.PHONY: planted
planted: setup ## Measure the simulation: put classic mistakes into copies of the source, and find each
	@$(PYTHON) -m tests.simulation.planted $(ARGS)

.PHONY: lock
lock: setup ## Choose the newest allowed versions again and write requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --all-extras --upgrade \
	    --no-header --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
	@! grep -nE '://|(^|[^a-z])/(home|root|work|opt|usr)/' requirements.lock || \
	    { echo "requirements.lock must not name hosts or paths of one machine" >&2; exit 1; }

.PHONY: bundle
bundle: setup ## Build the program as one folder in dist/, and trade with it (minutes)
	@python=$$($(PYTHON) packaging/environment.py | tail -n 1) && \
	    QT_QPA_PLATFORM=offscreen "$$python" packaging/icon.py build/icons && \
	    "$$python" packaging/notices.py build/THIRD-PARTY-NOTICES.txt && \
	    "$$python" -m PyInstaller --noconfirm --log-level WARN --workpath build/pyinstaller --distpath dist engine.spec
	@QT_QPA_PLATFORM=offscreen $(PYTHON) -m pytest -q -s -p no:cacheprovider tests/bundle

.PHONY: deb
deb: setup ## Make a Debian package of the bundle, and try it (after make bundle)
	@$(PYTHON) packaging/linux/deb.py
	@$(PYTHON) -m pytest -q -p no:cacheprovider tests/installer/test_debian.py

.PHONY: newcomer
newcomer: ## Do what the user guide says on a fresh Debian without Python (after make deb, as root, minutes)
	@packaging/linux/newcomer

.PHONY: installer
installer: setup ## Compile the Windows installer around a placeholder and try it under Wine (as root, minutes)
	@packaging/windows/wine
	@python=$$($(PYTHON) packaging/environment.py | tail -n 1) && QT_QPA_PLATFORM=offscreen "$$python" packaging/icon.py build/icons
	@$(PYTHON) -m pytest -q -p no:cacheprovider tests/installer/test_windows.py

.PHONY: texts
texts: setup ## Collect the texts to translate into packaging/translations, and compile them (ARGS="fr" adds a language)
	@$(PYTHON) packaging/texts.py $(ARGS)

.PHONY: docs
docs: setup ## Build the documentation as a site in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --clean -f .mkdocs.yml

.PHONY: clean
clean: ## Remove what tools and builds left behind, .venv too
	@rm -rf .venv build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find src tests packaging -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
