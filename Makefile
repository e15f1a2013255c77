# Lastcall. `make` alone says what there is; every target sets up first what it needs.
#
#   make test ARGS="-k teardown"      more words for the program behind a target
#   make demo PYTHON=/opt/python3.13  another Python than the first good one on PATH

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo run test crash faults lint format bench clean

ARGS ?=
VENV := .venv/bin

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r target text; do \
		printf '%-14s %s\n' "$$target" "$$text"; done

setup: ## Make .venv what uv.lock says (Python >= 3.11 and the network are enough)
	@.ci/setup

demo: setup ## A whole rental of this computer, no account needed
	@$(VENV)/lastcall demo $(ARGS)

run: setup ## The bot, as .env says (see .env.example)
	@$(VENV)/lastcall serve $(ARGS)

test: setup ## All tests, on all cores
	@$(VENV)/python -m pytest -n logical --dist worksteal $(ARGS)

crash: setup ## The crash tests at every point of every scene and 2,000 pairs (an hour or so)
	@LASTCALL_CRASH=all $(VENV)/python -m pytest -n logical --dist worksteal tests/lifecycle/test_crashes.py $(ARGS)

faults: setup ## A thousand rentals in bad weather on each simulated cloud (an hour or so)
	@for vendor in vast runpod lambda; do $(VENV)/python -m tests.bench.clouds $$vendor 0 1000 || exit 1; done

lint: setup ## Rules, format, types, and who may import whom
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/python -m mypy
	@$(VENV)/lint-imports

format: setup ## Put the format right, and what the rules can mend by themselves
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

bench: setup ## Measure: start, idle, demo, claims, offers, Slack and Discord under load
	@$(VENV)/python -m tests.bench $(ARGS)

clean: ## Remove what make made; never data/, where open rentals are remembered
	@rm -rf .venv .uv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
	@find bot adapters recipes tests -name __pycache__ -type d -prune -exec rm -rf {} +
