.DEFAULT_GOAL := help
PYTHON ?= python3
TRIES ?= 100
FUZZ ?= 1
BIN := .venv/bin
.PHONY: help setup demo test faults fuzz check bench bench-quick bench-rivals bench-best bench-best-labels bench-rejection page-packages ui

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 20

# The stamp is newer than what it was made from, so a second `make` installs nothing.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

setup: .venv/.installed  ## make .venv with everything in it

demo: setup  ## train and compare a DSN and a bert-tiny on the built-in data (under 4 minutes)
	$(BIN)/run demo

# The tests write and sync some 800 MB of runs: in memory where there is room, else on disk.
SCRATCH = $(shell [ -w /dev/shm ] && [ "$$(df -Pm /dev/shm | awk 'NR == 2 {print $$4}')" -gt 4000 ] && echo TMPDIR=/dev/shm)

test: setup  ## run the tests (under 8 minutes)
	$(SCRATCH) $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -p no:hypothesispytest

faults: setup  ## break runs on purpose: TRIES=100 kills and other faults, on Linux (about an hour)
	TRIES=$(TRIES) $(BIN)/python -m pytest tests/faults -o python_files='fault_*.py' --timeout=0

fuzz: setup  ## send random and hostile input to commands, data, models and the server (about an hour; FUZZ=0.01: less)
	FUZZ=$(FUZZ) $(BIN)/python -m pytest tests/faults -o python_files='fuzz_*.py' --timeout=0 -s

check: setup  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: setup  ## time what is claimed to be fast (about 15 minutes, on a machine with nothing else to do)
	$(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' -s

bench-quick: setup  ## time one model and the data pipeline (under a minute)
	BENCH_QUICK=1 $(BIN)/python -m pytest tests/benchmarks/bench_engine.py tests/benchmarks/bench_pipeline.py -s

bench-serve: setup  ## load `run serve` with 32 clients for a minute
	$(BIN)/python -m pytest tests/benchmarks/bench_serve.py -s

bench-rivals: setup  ## compare small models with fastText and scikit-learn (about 25 minutes, needs a hub)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[rivals]'
	$(BIN)/python -m pytest tests/benchmarks/bench_rivals.py -s

page-packages:  ## fetch the npm packages that tests of an encoder's page need, into build/page
	mkdir -p build/page
	cp runner/deploy/page/package.json runner/deploy/page/package-lock.json runner/deploy/page/install.mjs build/page
	npm ci --prefix build/page --no-audit --no-fund

bench-best: setup  ## compare `run best` with fastText and scikit-learn inside 1 MB (about 20 minutes a data set, needs a hub)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[rivals]'
	$(BIN)/python -m tests.benchmarks.bench_best_rivals

bench-best-labels: setup  ## compare `run best` with a frozen MiniLM on 1,000 labels (about 25 minutes a draw, needs a hub)
	$(BIN)/python -m tests.benchmarks.bench_best_labels

bench-rejection: setup  ## check `reject=` on simulated models and on cuts of IMDB and SST-2 (about 10 minutes, needs a hub)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/benchmarks/bench_rejection.py -s

ui: setup  ## open MLflow on the recorded runs
	$(BIN)/run ui
