# Two commands: `make demo` shoots the sample shot, `make test` runs everything CI runs.
# Both make .venv first; the second time they start at once.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(sort $(dir $(wildcard spec/pyproject.toml core/pyproject.toml plugins/*/pyproject.toml contrib/*/pyproject.toml)))
STAMP := $(VENV)/.installed
WORKERS ?= 2
SHARD ?= 1/1
FUZZ_SECONDS ?= 60
export KINETOSCOPE_HOME ?= $(CURDIR)/$(VENV)/home

.PHONY: help setup system validator demo test lint types layers docs pytest bench contracts nightly second-driver golden fuzz format clean

help:
	@echo "make setup   create .venv with everything, pinned"
	@echo "make demo    shoot the sample shot and say where the film is"
	@echo "make test    lint, types, layers, docs, all tests"
	@echo "make bench   run the benchmarks into bench.json"
	@echo "make contracts  every provider through its contract, every law against its mutants"
	@echo "make nightly    the same with twenty times the examples, in shards: SHARD=1/8"
	@echo "make second-driver  the laws of the OpenGL renderer on softpipe, which nightly runs too"
	@echo "make golden     draw the golden pictures of the OpenGL renderer anew, to be looked at"
	@echo "make fuzz       every parser of ours under atheris, FUZZ_SECONDS each"

setup: $(STAMP) system validator

$(STAMP): pyproject.toml .setup/constraints.txt .setup/venv.sh $(addsuffix pyproject.toml,$(PACKAGES))
	@sh .setup/venv.sh "$(VENV)" $(PACKAGES)
	@touch $@

system: $(STAMP)
	@sh .setup/system.sh "$(BIN)/python"

validator: $(STAMP)
	@sh .setup/validator.sh "$(VENV)"

demo: setup
	@$(BIN)/python -m kinetoscope sample demo-out --force
	@$(BIN)/python -m kinetoscope shoot demo-out/shot.toml

test: setup lint types layers docs pytest

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy spec/src core/src

layers:
	$(BIN)/lint-imports --config .setup/layers.ini

docs:
	$(BIN)/mkdocs build --quiet --strict --config-file docs/mkdocs.yml --site-dir ../site

# A file stays with one worker, so that what its tests share is made once. Files begin in the order of
# pyproject.toml's testpaths, the long ones first, so that no worker ends alone. A worker a core: threads
# of their own would only wait for each other.
pytest: export OMP_NUM_THREADS := 1
pytest: export OPENBLAS_NUM_THREADS := 1
pytest:
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
		--hypothesis-profile=kinetoscope-ci

bench: setup
	$(BIN)/python tests/bench.py bench.json

contracts: setup
	$(BIN)/python -m kinetoscope check --all --mutants --jobs $(WORKERS)

nightly: setup
	$(BIN)/python -m kinetoscope check --all --profile nightly --shard $(SHARD) --jobs $(WORKERS)
	case $(SHARD) in 1/*) $(BIN)/python tests/second_driver.py;; esac

golden: setup
	$(BIN)/python plugins/deferred/tests/golden_pictures.py

second-driver: setup
	$(BIN)/python tests/second_driver.py

fuzz: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint .setup/constraints.txt atheris
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

format:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) site demo-out bench.json build dist .numba_cache
