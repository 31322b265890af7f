# Every target sets itself up in .venv. On a fresh clone `make book` or `make test` is enough.

SHELL := bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The first Python that runs and that the package supports; constraints.txt is for 3.11.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	&& echo $$python && break; done)

# One thread a process: two processes of two threads each on two cores are a hundred times slower.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# A progress bar would end up in the outputs that are stored and compared.
export TQDM_DISABLE := 1

WORKERS ?= 2

.PHONY: help book site test bench lint lock clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 14

book: $(STAMP)  ## execute every chapter afresh and render that into _build/html (resumes if interrupted)
	$(BIN)/ib execute
	$(BIN)/python -m ib_utils.site.build --executed

site: $(STAMP)  ## render the stored outputs into _build/html
	$(BIN)/python -m ib_utils.site.build

test: $(STAMP)  ## unit tests, doctests, the site and every notebook
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --doctest-modules --ignore tests/benchmarks \
		--ignore-glob '*/conftest.py' ib_utils tests

bench: $(STAMP)  ## benchmarks: ratios within one run, no pass or fail; rewrites the tables of book/training.md
	@mkdir -p _build
	$(BIN)/python -m pytest --benchmark-only --benchmark-timer=time.process_time \
		--benchmark-json=_build/training.json tests/benchmarks/test_training.py
	$(BIN)/python tests/benchmarks/table.py _build/training.json > book/_benchmarks.md
	$(BIN)/python -m pytest --benchmark-only --ignore tests/benchmarks/test_training.py tests/benchmarks

lint: $(STAMP)  ## format, lint, types and the order of the modules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy ib_utils
	$(BIN)/lint-imports

lock: $(STAMP)  ## upgrade to the newest versions and write them to constraints.txt (Python 3.11)
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "constraints.txt is for Python 3.11")'
	$(BIN)/pip install --quiet --upgrade --upgrade-strategy eager -e '.[dev]'
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/pip freeze --exclude-editable \
		| grep -viE '^(#|nvidia|cuda|triton)' | sed -E 's/^([^ +]+)\+.*/\1/'; } > constraints.new
	@! grep -n ' @ ' constraints.new || { echo 'not from a registry: see constraints.new' >&2; exit 1; }
	@mv constraints.new constraints.txt
	@touch $(STAMP)

clean:  ## remove everything built (the environment stays)
	rm -rf _build

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo 'needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python' >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# torch first, by itself: the largest download, and its build decides about CPU or CUDA
	@echo 'installing into $(VENV): minutes the first time'
	@pins=$$($(BIN)/python -c 'import sys; print("-c constraints.txt" if sys.version_info[:2] == (3, 11) else "")') \
		&& $(BIN)/pip install --quiet $$pins torch \
		&& $(BIN)/pip install --quiet $$pins -e '.[dev]'
	@touch $@
