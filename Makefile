# From a fresh clone: `make demo` or `make test`. Both make .venv and install into it first.
PYTHON ?= python3
VENV   ?= .venv
# the torch to install, e.g. TORCH=torch==2.13.0; empty: whatever pip chooses
TORCH  ?=
# folders of judged runs, for `make results`
RUNS   ?=
# the run whose explorer `make screenshots` opens
RUN    ?= runs/demo/deepatlas
# extra words for segreg-demo, pytest and tools/slides.py, e.g. TEST=nbs/03_warp.ipynb
DEMO   ?=
TEST   ?=
SLIDES ?=

BIN   := $(VENV)/bin
# with LOWEST=1: the lowest versions that settings.ini allows
LEAST := $(if $(LOWEST),$(shell $(PYTHON) tools/lowest.py))
# bars on a terminal, silence in a log
PIP   := $(BIN)/python -m pip install --disable-pip-version-check $(if $(MAKE_TERMOUT),,-qq)
FACTS := pyproject.toml settings.ini setup.py
# the demo needs no test tools, and takes an environment that has them as it is
READY := $(if $(wildcard $(VENV)/.dev),$(VENV)/.dev,$(VENV)/.run)

.PHONY: help demo test lowest browser docs bench results samples lab labs slides screenshots clean FORCE
.DEFAULT_GOAL := help

help:
	@echo 'make demo     train on the shipped samples, print one table, write a report (3 minutes)'
	@echo 'make test     run every cell of every chapter (6 minutes)'
	@echo 'make lowest   the same with the lowest versions that are allowed, in .lowest; Python 3.10 to 3.12'
	@echo 'make browser  drag and click the explorer in headless Chromium (2 minutes)'
	@echo 'make lab      open the chapters in JupyterLab; the labs with gaps are in the folder labs'
	@echo 'make labs     write the labs for students, with gaps for solutions, into labs'
	@echo 'make slides   draw the figures of the lectures large, into slides (4 minutes)'
	@echo 'make docs     build the site into _docs'
	@echo 'make bench    measure against other libraries, into nbs/benchmarks'
	@echo 'make results  tables in results/ and README, from RUNS=folder too'
	@echo 'make screenshots  pictures of the site and of the explorer, into nbs/images'
	@echo 'make samples  make data_samples again from its seed'
	@echo 'make clean    remove what was built; .venv stays'
	@echo 'Variables: PYTHON=python3.12  TORCH=torch==2.13.0  TEST=nbs/03_warp.ipynb  SLIDES="03_warp --ext pdf"'

demo: $(READY)
	@out=runs/demo; [ ! -e $$out ] || out=$$out-$$(date +%Y%m%d-%H%M%S); set -x; $(BIN)/segreg-demo --out $$out $(DEMO)
	@echo 'In a new terminal these commands want, once: . $(BIN)/activate'

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(TEST)

lowest:
	$(MAKE) test VENV=.lowest LOWEST=1

browser: $(VENV)/.browser
	SEGREG_BROWSER=needed $(BIN)/python -m pytest -s tests/test_explorer.py

docs: $(VENV)/.docs
	$(BIN)/python tools/docs.py

bench: $(VENV)/.bench
	OMP_NUM_THREADS=1 $(BIN)/nbdev-test nbs/benchmarks --flags slow --n-workers 0 --cell-timeout 3600 --verbose --save
	$(BIN)/nbdev-clean --fname nbs/benchmarks

results: $(READY)
	$(BIN)/python tools/results.py $(RUNS)
	$(BIN)/python tools/readme.py

samples: $(READY)
	$(BIN)/python -c "from segreg_tutorial.phantoms import make_samples; make_samples('data_samples')"

labs: $(VENV)/.dev
	$(BIN)/python tools/labs.py

slides: $(VENV)/.dev
	$(BIN)/python tools/slides.py $(SLIDES)

screenshots: $(VENV)/.docs $(VENV)/.browser
	$(BIN)/python tools/screenshots.py $(RUN)

lab: $(VENV)/.lab
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/nbs --ServerApp.jpserver_extensions=segreg_tutorial.serve=True

clean:
	rm -rf build dist _proc _docs *.egg-info .pytest_cache

$(BIN)/python:
	@need=$$(sed -n 's/^min_python *= *//p' settings.ini); \
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < tuple(map(int, '$$need'.split('.'))))" || { \
	  echo "segreg_tutorial needs Python >= $$need; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "'$(PYTHON) -m venv' failed (above). On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }

# Changes only when what is written there changes: nbdev-export touches pyproject.toml each time
$(VENV)/.facts: FORCE | $(BIN)/python
	@cat $(FACTS) | cmp -s - $@ || cat $(FACTS) >$@
FORCE:

# One pip command for torch and package: apart, pip would exchange the torch that was chosen
$(VENV)/.run: $(VENV)/.facts
	@echo 'Installing into $(VENV); the first time takes some minutes'
	$(PIP) $(TORCH) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.facts
	@echo 'Installing into $(VENV); the first time takes some minutes'
	$(PIP) $(TORCH) $(LEAST) -e '.[dev]'
	@touch $@

$(VENV)/.docs: $(VENV)/.dev
	$(PIP) $(TORCH) -e '.[dev,docs]'
	@touch $@

$(VENV)/.browser: $(VENV)/.dev
	$(PIP) $(TORCH) -e '.[dev,explore,browser]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) $(TORCH) -e '.[dev,bench]'
	@touch $@

$(VENV)/.lab: $(VENV)/.dev
	$(PIP) jupyterlab
	@touch $@
