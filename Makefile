# Set-up, run and test tadpool. `make help` lists the targets.

CORES ?= all
STUDY ?=
PART ?=
PLATFORM ?= cpu
NAME ?=
FOLDER ?= .
VENV := .venv$(if $(filter gpu,$(PLATFORM)),-gpu)
PYTHON := $(VENV)/bin/python
PYTEST := .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
TADPOOL := $(VENV)/bin/python -m tadpool --cores $(CORES)
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
.PHONY: run quick setup parquet new test test-fast test-slow torture verify lint audit bench plan docs screenshots pdf release-check lock clean help

run: $(VENV)/complete  ## Set up the environment and run the studies through to results/index.html (STUDY=name: that one alone; PLATFORM=gpu)
	@$(TADPOOL) $(if $(STUDY),--config 'studies=[$(STUDY)]')

quick: .venv/complete  ## A first look at all studies, with short chains
	@$(TADPOOL) --configfile config/quick.yaml

setup: .venv/complete  ## Set up the private environment and do nothing else

parquet: $(VENV)/complete  ## Add to the environment what reads tables in Parquet (polars)
	@$(UV) pip install --quiet --python $(PYTHON) -c requirements-dev.lock polars

new: .venv/complete  ## Begin a study with files that run as they are (NAME=bakeries, FOLDER=../mine or this one)
	@$(PYTHON) -m tadpool.workflow.new --folder '$(FOLDER)' -- '$(NAME)'

test: .venv/complete-dev  ## Run the tests that say whether a change is right, a small run to its page included (12 minutes on two cores)
	@tests/install browser shells r
	@$(PYTEST) -m 'not slow'

test-fast: .venv/complete-dev  ## Run the tests that neither sample for more than seconds nor start a run or a browser (2 minutes)
	@$(PYTEST) -m 'not (fit or workflow or fault or browser or slurm or slow)'

test-slow: .venv/complete-dev .venv-storage/complete  ## Run the other tests: runs, faults, 40 kills, SLURM, pages in a browser (30 minutes)
	@tests/install browser slurm r
	@$(PYTEST) -m slow

torture: .venv/complete-dev  ## Kill jobs and runs 400 times at random moments (half an hour); `make test-slow` does 40
	@TADPOOL_KILLS=400 $(PYTHON) -m pytest tests/faults/test_kills.py

verify: .venv/complete  ## Compare with exact values, and plant errors that the checks must find; writes results/verify.html (five minutes)
	@$(TADPOOL) verify

lint: .venv/complete-dev  ## Check style, the workflow and the files for a forge
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/snakefmt --check Snakefile rules
	.venv/bin/lint-imports --no-logo
	.venv/bin/snakemake --lint
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff

audit: .venv/complete-dev  ## Look up the locked packages in PyPI's database of known vulnerabilities (needs a network)
	@for lock in requirements*.lock; do \
		found=$$(.venv/bin/pip-audit --disable-pip --require-hashes --progress-spinner off -r $$lock 2>&1) || \
			{ echo "$$lock: $$found"; exit 1; }; \
		unknown=$$(echo "$$found" | grep -c 'could not be audited'); \
		echo "$$lock: no known vulnerability was found; $$unknown packages could not be looked up"; done

bench: .venv/complete .venv-bench/complete  ## Time tadpool against PyMC with nutpie and against NumPyro; writes benchmarks/README.md (PART=name: that part alone)
	$(PYTHON) -m benchmarks.run $(PART)

plan: .venv/complete  ## Say what a run would do: jobs, memory, storage, and time where earlier runs left it
	@$(PYTHON) -m tadpool.workflow.plan $(STUDY)

docs: .venv/complete-dev  ## Write the documentation to docs/site/index.html, off line
	@$(PYTHON) -m sphinx --quiet --fail-on-warning --keep-going docs docs/site

screenshots: .venv/complete-dev  ## Take the README's screenshots of the pages in results/ (needs Chromium)
	$(PYTHON) images/make.py results

BROWSER ?= $(shell command -v chromium || command -v google-chrome || command -v chrome)
pdf:  ## Print the results of each study to results/<study>/results.pdf, without the appendix (needs Chromium)
	@test -n "$(BROWSER)" || { echo "make pdf needs Chromium: install it, or name it with make pdf BROWSER=..."; exit 1; }
	@set -- results/*/index.html; test -f "$$1" || { echo "results/ has no pages: run make first"; exit 1; }
	@for page in results/*/index.html; do \
		"$(BROWSER)" --headless $(if $(filter 0,$(shell id -u)),--no-sandbox) --no-pdf-header-footer --log-level=3 \
			--print-to-pdf="$${page%index.html}results.pdf" "file://$(CURDIR)/$$page?print=results" 2>/dev/null \
			&& echo "$${page%index.html}results.pdf" || exit 1; done

release-check: .venv/complete-dev  ## Build the wheel and the sdist into dist/, check them, and list what a release still needs
	@PYTHONPATH=. $(PYTHON) .ci/release_check.py

lock: $(UV)  ## Upgrade all packages to the newest allowed versions and write requirements.lock and the other locks
	$(UV) pip compile -q --universal --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.12 \
		pyproject.toml -o requirements.lock
	$(UV) pip compile -q --universal --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.12 \
		--group test --group lint --group docs -c requirements.lock -o requirements-dev.lock
	$(UV) pip compile -q --universal --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.12 \
		--group bench -o requirements-bench.lock
	$(UV) pip compile -q --universal --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.12 \
		pyproject.toml --extra gpu -c requirements.lock -o requirements-gpu.lock
	$(UV) pip compile -q --universal --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.12 \
		pyproject.toml --group storage -o requirements-storage.lock

clean:  ## Remove results and environments
	rm -rf results dist .snakemake .venv .venv-gpu .venv-bench .venv-storage .uv

help:  ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{ printf "make %-9s %s\n", $$1, $$2 }'

# Without compiled bytecode the start of every job takes twice as long. That of the packages' own tests (56 MB) is left out.
compile = $(@D)/bin/python -m compileall -qq -j 0 -x /tests/ $(@D)/lib || true

# A virtual environment with exactly the locked packages.
define environment
	@$(UV) venv --quiet --clear --no-project --python '>=3.12' $(@D) || { rm -rf $(@D); echo >&2 \
		"tadpool needs Python 3.12 or newer and none can be had here: install one and run make again."; exit 1; }
	@$(UV) pip install --quiet --python $(@D)/bin/python --require-hashes -r $<
	@$(compile)
	@touch $@
endef

.venv/complete: requirements.lock | $(UV)
	$(environment)

# What tests, lint and docs need is added to the environment of the studies.
.venv/complete-dev: requirements-dev.lock .venv/complete | $(UV)
	@$(UV) pip install --quiet --python $(@D)/bin/python --require-hashes -r $<
	@$(compile)
	@touch $@

.venv-gpu/complete: requirements-gpu.lock | $(UV)
	$(environment)

.venv-bench/complete: requirements-bench.lock | $(UV)
	$(environment)

# The plug-in for S3 and the server that stands in for it need older packages than those that are locked for studies.
.venv-storage/complete: requirements-storage.lock | $(UV)
	$(environment)

.uv/bin/uv:
	@python3 -m venv .uv && .uv/bin/pip install --quiet uv || { rm -rf .uv; echo >&2 \
		"uv cannot be installed: install uv, or python3 with venv and pip, and run make again."; exit 1; }
