# Two commands on a fresh machine: `make demo` and `make test`. Python >= 3.11 is all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# What needs neither arguments nor a GPU.
NOT_ALONE := street panorama parsing understand refine sounds_sheet
NOT_ALONE += splat_gpu segment_models vlm_models vlm_made panorama_models sound_models sound_made lift_models
BENCHES := $(filter-out $(NOT_ALONE),$(basename $(notdir $(wildcard bench/*.py))))
# Everything that decides what is installed: a change here installs again, anything else does not.
INSTALL_INPUTS := pyproject.toml $(shell find buildhook native web -type f -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: demo test test-models check bench browser clean

demo: $(VENV)/.installed
	$(BIN)/sonoworld demo $(ARGS)

test: $(VENV)/.installed-dev browser check
	$(BIN)/python -m pytest -q -n 2 -m "not browser and not models" $(ARGS)
	$(BIN)/python -m pytest -q -m browser $(ARGS)

# Adapters of models on tiny checkpoints with random weights.
test-models: $(VENV)/.installed-models
	$(BIN)/python -m pytest -q -m models $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

bench: $(VENV)/.installed-dev
	set -e; for name in $(BENCHES); do echo "== $$name"; $(BIN)/python bench/$$name.py; done
	@echo "Not run (a folder of photos, a GPU, or minutes each; bench/README.md): $(sort $(NOT_ALONE))"

browser:
	@command -v $${CHROMIUM:-chromium} >/dev/null || command -v google-chrome >/dev/null || \
	  { echo "make test needs a real browser: apt-get install chromium (or set CHROMIUM)"; exit 1; }

$(VENV)/.pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

$(VENV)/.installed: $(VENV)/.pip $(INSTALL_INPUTS)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.pip $(INSTALL_INPUTS)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-models: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --editable '.[dev,models]'
	$(BIN)/python -m pip install --quiet addict einops omegaconf safetensors
	$(BIN)/python -m pip install --quiet --no-deps dlr-moge==2.0.0 dlr-utils3d==1.3 depth-anything-3==0.1.1
	touch $@

clean:
	rm -rf $(VENV) src/sonoworld/products demo-world
