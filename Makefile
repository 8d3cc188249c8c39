# Two commands: `make demo` shoots the sample shot, `make test` runs everything CI runs.
# Both make .venv first; the second time they start at once.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(sort $(dir $(wildcard spec/pyproject.toml core/pyproject.toml plugins/*/pyproject.toml contrib/*/pyproject.toml)))
STAMP := $(VENV)/.installed
WORKERS ?= 2
export KINETOSCOPE_HOME ?= $(CURDIR)/$(VENV)/home

.PHONY: help setup system demo test lint types layers docs pytest bench format clean

help:
	@echo "make setup   create .venv with everything, pinned"
	@echo "make demo    shoot the sample shot and say where the film is"
	@echo "make test    lint, types, layers, docs, all tests"
	@echo "make bench   run the benchmarks into bench.json"

setup: $(STAMP) system

$(STAMP): pyproject.toml .setup/constraints.txt .setup/venv.sh $(addsuffix pyproject.toml,$(PACKAGES))
	@sh .setup/venv.sh "$(VENV)" $(PACKAGES)
	@touch $@

system: $(STAMP)
	@sh .setup/system.sh "$(BIN)/python"

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

pytest:
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

bench: setup
	$(BIN)/python tests/bench.py bench.json

format:
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) site demo-out bench.json build dist
