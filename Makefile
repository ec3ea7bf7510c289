# Every target does its own set-up: a .venv with the pinned requirements. Needs git, Python 3.11+, make.

PYTHON ?= python3
PACE ?= 10
KILLS ?= 300
RESTARTS ?= 20
SEEDS ?= 2000
SCENARIO ?= load
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check bench bench-peers kills kills-postgres dst mutants load soak notebooks lab clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## Five registrations through a real gateway call every ten seconds (PACE=1: ten times faster)
	@$(BIN)/python -m loadtests.demo --pace $(PACE)

test: $(READY) check ## Check the code, then run every test
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(READY) ## Format, lint, types and import contracts, without the tests
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY) ## Measure speed against named floors, in one run
	@$(BIN)/python -m tests.bench

bench-peers: $(READY) ## The same work on waqcore and on nine others, half an hour (PEERS="--quick --only huey")
	@$(BIN)/python -m tests.peers $(PEERS)

kills: $(READY) ## Kill the dispatcher KILLS times (300) and judge every kill from the gateway's log
	@$(BIN)/python -m tests.chaos.kills --kills $(KILLS)

kills-postgres: $(READY) ## The same for three hosts on PostgreSQL: 200 kills, RESTARTS of the server (20)
	@$(BIN)/python -m tests.chaos.hosts --restarts $(RESTARTS) \
	  $(if $(filter command line environment,$(origin KILLS)),--kills $(KILLS))

dst: $(READY) ## Play SEEDS stories (2,000) in virtual time with faults at every step, or one: SEED=7
	@$(BIN)/python -m tests.dst $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

mutants: $(READY) ## Break the core in 3,000 small ways and count those its tests notice, ten minutes (ONLY='*standing*')
	@$(BIN)/python -m tests.core.mutants $(if $(ONLY),'$(ONLY)')

load: $(READY) ## Two minutes of load with faults and kills, and a verdict (SCENARIO=burst PACE=1 USERS=50 SEED=7)
	@$(BIN)/python -m loadtests.run $(SCENARIO) $(if $(filter command line environment,$(origin PACE)),--pace $(PACE)) \
	  $(if $(USERS),--users $(USERS)) $(if $(SEED),--seed $(SEED))

soak: $(READY) ## Half an hour of load with faults and 60 kills, ten minutes without, and a verdict (KILLS=0)
	@$(BIN)/python -m loadtests.run soak $(if $(SEED),--seed $(SEED)) \
	  $(if $(filter command line environment,$(origin KILLS)),--kills $(KILLS))

notebooks: $(READY) ## Run every notebook in full and keep its outputs (ONLY=name for one)
	@$(BIN)/python -m tests.notebooks $(ONLY)

lab: $(READY) ## Open the notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=.

clean: ## Remove what the other targets made
	rm -rf .venv .demo .bench .load .screens .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "waqcore needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@echo "setting up .venv (once, about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
