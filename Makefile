# The one list of commands. CI calls only these.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help demo test unit fuzz fuzz-short check setup lint types layers format mutate docs diagram requirements clean dashboard chromium pictures aws-lint aws-test aws-tools spark wheel sbom publish image site evidence evidence-live lint-tools aws-build orchestrators

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

demo: .venv/laptop ## seven simulated days into ./demo-lake, and a report; no account needed
	$(BIN)/wistlake demo
	@if [ -t 1 ] && command -v xdg-open >/dev/null; then xdg-open demo-lake/report.html; \
	elif [ -t 1 ] && command -v open >/dev/null; then open demo-lake/report.html; fi

dashboard: .venv/dashboard ## the numbers of ./lake, or else of ./demo-lake, in a browser, on this machine alone
	$(if $(wildcard lake/lake.json wistlake.toml .env),,WISTLAKE_LAKE=$${WISTLAKE_LAKE:-demo-lake} )$(BIN)/wistlake dashboard

WORKERS ?= 2

test: setup aws-tools orchestrators chromium ## every test, on two workers (WORKERS=n for more or fewer); ARGS go to pytest
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

unit: setup ## the tests that need no engine and no emulator; under a minute
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not engine and not aws and not spark" tests/unit tests/simulator tests/quality tests/meta $(ARGS)

fuzz: setup ## a million hostile inputs; minutes
	WISTLAKE_FUZZ_EXAMPLES=1200 WISTLAKE_FUZZ_MUTANTS=100 WISTLAKE_FUZZ_LEAST=1000000 $(BIN)/python -m pytest tests/fuzz

fuzz-short: setup ## as many as a minute holds; in CI
	WISTLAKE_FUZZ_EXAMPLES=600 WISTLAKE_FUZZ_MUTANTS=50 WISTLAKE_FUZZ_LEAST=200000 $(BIN)/python -m pytest tests/fuzz

check: ## everything that reads code or pages without running them, WORKERS at a time
	@$(MAKE) --no-print-directory -j $(WORKERS) --output-sync lint types layers aws-lint site

setup: .venv/dev ## .venv with all that development needs

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Development of Wistlake needs Python 3.11 and found $$($(PYTHON) --version): install python3.11, or call make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/laptop: requirements/laptop.txt pyproject.toml | .venv/bin/python
	@echo "Installing into .venv, once: 200 MB to download, 800 MB on disk (pysail and pyarrow 170 MB each, DuckDB 120, pandas and numpy 105)"
	@# The whole of PySpark and its client are the same package: what one leaves behind would break the other.
	@! ls -d .venv/lib/python3*/site-packages/pyspark-*.dist-info >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(PIP) install --require-hashes -r requirements/laptop.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@# pip compiles the packages that it copies, but not this one, which it links to.
	$(BIN)/python -m compileall -q src
	@touch $@

.venv/dashboard: requirements/dashboard.txt .venv/laptop
	$(PIP) install --require-hashes -r requirements/dashboard.txt
	@touch $@

.venv/dev: requirements/dev.txt .venv/laptop
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

mutate: setup ## break the product in named places: the tests must find out; RANDOM=60 SEED="7 8" draws others
	$(BIN)/python tests/mutations/mutate.py $(if $(RANDOM),--random $(RANDOM) --seed $(or $(SEED),1)) $(if $(REACH),--reach $(REACH))

chromium: ## the browser that tests look through; apt-get installs it where it is missing
	@{ command -v chromedriver && { command -v chromium || command -v chromium-browser || command -v google-chrome; }; } >/dev/null || { \
	  echo "Chromium or its driver is missing: installing the packages chromium and chromium-driver"; \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$as_root apt-get update -qq && $$as_root apt-get install -y -qq chromium chromium-driver; } || { \
	  echo "The browser tests need Chromium and its driver: install both, or leave these tests out: pytest -m 'not browser'"; exit 1; }

pictures: setup chromium ## the pictures of report and dashboard in docs, from fourteen simulated days
	cd tests && ../$(BIN)/python -m browser.pictures ../docs/pictures

docs: setup ## the generated pages: tables, metrics, privacy, settings
	$(BIN)/python -m wistlake.entrypoints.docs
	$(BIN)/python -m wistlake.entrypoints.licences

lint: setup ## ruff, and its formatter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## mypy, strict
	$(BIN)/mypy

layers: setup ## which room may import which
	$(BIN)/lint-imports

TOOLS := .tools

lint-tools: $(TOOLS)/aws-tools/ready $(TOOLS)/checkov/ready $(TOOLS)/npm/ready
aws-tools: lint-tools $(TOOLS)/emulator/ready $(TOOLS)/lambda-runtime/ready $(TOOLS)/spark/ready ## the emulator, and what reads and builds templates: environments of their own

orchestrators: $(TOOLS)/orchestrators/ready ## Dagster and Airflow, which execute the examples

$(TOOLS)/%/ready: requirements/%.txt  # what is never imported is not compiled
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check -q install --no-compile --no-deps --require-hashes -r $<
	@touch $@

$(TOOLS)/npm/ready: infra/tools/package.json infra/tools/package-lock.json
	@command -v npm >/dev/null || { \
	  echo "npm is missing: installing the package npm"; \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$as_root apt-get update -qq && $$as_root apt-get install -y -qq npm; } || { \
	  echo "the check of the state machines needs npm: install Node.js"; exit 1; }
	mkdir -p $(@D)
	cp $^ $(@D)
	cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

spark: $(TOOLS)/spark/ready ## Apache Spark 3.5 in an environment of its own, for WISTLAKE_ENGINE=spark
	$(TOOLS)/spark/bin/python -m pip --disable-pip-version-check -q install --no-deps --no-build-isolation -e .
	@echo "WISTLAKE_ENGINE=spark $(TOOLS)/spark/bin/wistlake run"

aws-lint: lint-tools ## templates, state machine, workflows and the Dockerfile
	$(TOOLS)/aws-tools/bin/cfn-lint infra/template.yaml infra/bootstrap.yaml infra/athena.json
	SAM_CLI_TELEMETRY=0 $(TOOLS)/aws-tools/bin/sam validate --lint --region us-east-1 -t infra/template.yaml
	$(TOOLS)/npm/node_modules/.bin/asl-validator --json-path infra/state_machine/daily.asl.json
	$(TOOLS)/npm/node_modules/.bin/asl-validator --json-path infra/state_machine/keep.asl.json
	$(TOOLS)/checkov/bin/checkov --skip-download --quiet --compact --framework cloudformation -f infra/template.yaml infra/bootstrap.yaml
	$(TOOLS)/aws-tools/bin/hadolint infra/Dockerfile
	$(TOOLS)/aws-tools/bin/zizmor --offline --quiet .github/workflows
	$(TOOLS)/aws-tools/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

wheel: setup ## the wheel, below build/dist; what is asked of it: tests/e2e/test_wheel.py
	$(BIN)/python infra/build.py wheel

sbom: $(TOOLS)/release/ready ## what an installation brings along, as CycloneDX, beside the wheel
	@mkdir -p build/dist
	$(TOOLS)/release/bin/cyclonedx-py requirements requirements/laptop.txt --pyproject pyproject.toml --output-reproducible -o build/dist/sbom.cdx.json

publish: setup $(TOOLS)/release/ready ## in the release workflow: signs the wheel of build/dist and hands it to PyPI
	$(TOOLS)/release/bin/pypi-attestations sign build/dist/*.whl
	$(BIN)/uv publish --trusted-publishing always build/dist/*.whl

image: wheel ## the OCI image, with the wheel in it (needs docker)
	docker build --tag wistlake --file infra/Dockerfile .

aws-build: setup ## what goes to AWS, below build/
	$(BIN)/python infra/build.py

site: $(TOOLS)/site/ready ## the documentation site, below build/site; a broken link is an error
	$(TOOLS)/site/bin/python infra/site.py
	NO_MKDOCS_2_WARNING=1 $(TOOLS)/site/bin/mkdocs build --strict --quiet

evidence: setup aws-tools ## docs/evidence: a simulated week through the emulator of AWS, a page a day; minutes
	cd tests && ../$(BIN)/python -m support.aws.evidence ../docs/evidence

evidence-live: setup ## the same pages of the stage that the environment names, below docs/evidence/live
	$(BIN)/wistlake certify --days 7 --pages docs/evidence/live

aws-test: setup aws-tools ## deploys both templates into an emulator on this machine, and lets days pass
	$(BIN)/python -m pytest -m aws

requirements: ## pin all requirements anew, with hashes and without index addresses
	$(BIN)/python -m pip -q install uv
	for name in dev laptop dashboard mcp handoff spark lambda lambda-runtime emulator aws-tools checkov orchestrators release site; do \
	  case $$name in laptop|dashboard|mcp|handoff|spark|lambda*) same="-c requirements/dev.txt";; *) same="";; esac; \
	  $(BIN)/uv pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --no-header $$same -o requirements/$$name.txt requirements/$$name.in; done

clean: ## remove what make made
	rm -rf .venv .tools build dist demo-lake .pytest_cache .mypy_cache .ruff_cache .hypothesis


diagram: ## the picture in docs, from its text (needs graphviz)
	dot -Tpng docs/pipeline.dot -o docs/wistia-pipeline-overview.png
