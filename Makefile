# The one vocabulary of this project. Everything is built in build/ and dist/; nothing outside is touched.
.DEFAULT_GOAL := help
.PHONY: help demo test lint types bench bench-peers bench-kernels gate docs reference ci rust-lint rust-test test-avx2 test-oldest test-torch test-frameworks clean

PYTHON ?= $(shell .ci/find-python newest)
OLDEST ?= $(shell .ci/find-python oldest)

TOOLS := build/tools
NEWEST_ENV := build/env-newest
OLDEST_ENV := build/env-oldest
DEMO_ENV := build/env-demo
PEERS_ENV := build/env-peers
TORCH_ENV := build/env-torch
WHEEL := dist/.built
SOURCES := $(shell find rust/annotations rust/core rust/py python -type f ! -path '*/__pycache__/*' ! -name '*.so') \
           Cargo.toml Cargo.lock pyproject.toml README.md LICENSE

PIP := -m pip install --quiet --disable-pip-version-check
# Tests on every processor there is; what one finishes early it takes from another.
PYTEST := -m pytest --numprocesses auto --dist worksteal
# pip learnt dependency groups in 25.1.
NEW_PIP := $(PIP) --upgrade 'pip>=25.1'

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: $(DEMO_ENV)/.ready ## Set everything up and augment the embedded sample; says where the pictures are
	$(DEMO_ENV)/bin/copypaste-rs demo --output demo-output --overwrite

test: $(NEWEST_ENV)/.ready ## Set everything up and run the tests against the built wheel
	$(NEWEST_ENV)/bin/python $(PYTEST) $(PYTEST_ARGS)

# The gate comes last: what it could not count has to be the last line read.
ci: lint types rust-test docs reference gate test-avx2 test-oldest ## Everything that has to hold before a change lands, besides `make test`

lint: rust-lint $(TOOLS)/.ready ## Formatting and lints, Rust and Python; doc lines, names and layers
	$(TOOLS)/bin/ruff format --check .
	$(TOOLS)/bin/ruff check .
	$(TOOLS)/bin/python .ci/check_docs.py

rust-lint: | check-tools
	cargo fmt --all --check
	CARGO_TARGET_DIR=build/clippy cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

types: $(NEWEST_ENV)/.ready ## mypy strict over package, tests, benches and examples; the stub against the extension
	$(NEWEST_ENV)/bin/python $(PIP) --group types
	$(NEWEST_ENV)/bin/python -m mypy
	$(NEWEST_ENV)/bin/python -m mypy tests benches
	$(NEWEST_ENV)/bin/python -m mypy examples
	$(NEWEST_ENV)/bin/python -m mypy .ci/gate.py
	$(NEWEST_ENV)/bin/python -m mypy .ci/check_docs.py
	$(NEWEST_ENV)/bin/python -m mypy.stubtest copypaste_rs._core

rust-test: | check-tools
	@if cargo nextest --version >/dev/null 2>&1; then \
	    cargo nextest run --locked -p copypaste-core -p copypaste-annotations; \
	else \
	    cargo test --locked -p copypaste-core -p copypaste-annotations; \
	fi
	cargo test --locked --doc -p copypaste-core

# `make test` takes the best instructions there are, `test-oldest` none in particular: these are the ones between.
test-avx2: $(NEWEST_ENV)/.ready
	COPYPASTE_RS_SIMD=avx2 $(NEWEST_ENV)/bin/python $(PYTEST) -q tests/backends tests/oracles \
	    tests/transforms/test_training.py

# On the oldest Python and NumPy, and with the kernels that need no particular processor: the bytes are the same.
test-oldest: $(OLDEST_ENV)/.ready
	COPYPASTE_RS_SIMD=portable $(OLDEST_ENV)/bin/python $(PYTEST) $(PYTEST_ARGS)

test-torch: $(TORCH_ENV)/.ready ## Run the tests and examples that need torch and torchvision: installs gigabytes of them in build/
	OMP_NUM_THREADS=1 $(TORCH_ENV)/bin/python $(PYTEST) tests/integrations $(PYTEST_ARGS)
	$(TORCH_ENV)/bin/python tests/run_examples.py

test-frameworks: $(TORCH_ENV)/.ready ## Try every integration against its framework (ARGS=NAME for one): gigabytes in build/, some AGPL
	$(TORCH_ENV)/bin/python -m tests.frameworks $(ARGS)

bench: $(NEWEST_ENV)/.ready ## Time everything against the NumPy reference, rivals, OpenCV and Pillow (some minutes)
	$(NEWEST_ENV)/bin/python -m benches $(BENCH_ARGS)

bench-peers: $(PEERS_ENV)/.ready ## Time other people's libraries too: installs gigabytes of them, some AGPL, in build/
	$(PEERS_ENV)/bin/python -m benches.peers $(BENCH_ARGS)

bench-kernels: | check-tools ## Time each kernel alone
	cargo bench --locked -p copypaste-benches --bench kernels -- $(KERNEL_ARGS)

gate: | check-tools ## Count instructions and compare with the budget (GATE_ARGS=--write makes them the budget)
	@test -n "$(PYTHON)" # the message stands above
	@$(PYTHON) .ci/gate.py $(GATE_ARGS)

docs: $(NEWEST_ENV)/.ready ## Run every example of the docstrings, of the README and of docs/
	$(NEWEST_ENV)/bin/python tests/run_examples.py

reference: $(NEWEST_ENV)/.ready ## Build the reference of the API: build/reference/index.html; names that lead nowhere fail
	$(NEWEST_ENV)/bin/python $(PIP) --group reference
	$(NEWEST_ENV)/bin/python -m sphinx -q -W --keep-going -b html -d build/reference-doctrees docs/reference build/reference

clean: ## Remove what was built
	rm -rf build dist target demo-output

# -- how the above come about --------------------------------------------------------------------------------

.PHONY: check-tools
check-tools:
	@.ci/check-tools

# An environment that was interrupted while it was made may have half a pip: it is begun anew.
$(TOOLS)/.ready: pyproject.toml
	@test -n "$(PYTHON)" # the message stands above
	test -f $@ || $(PYTHON) -m venv --clear $(TOOLS)
	$(TOOLS)/bin/python $(NEW_PIP)
	$(TOOLS)/bin/python $(PIP) 'maturin>=1.10,<2' --group lint
	@touch $@

# One wheel serves every Python: the extension uses the stable ABI.
$(WHEEL): $(SOURCES) $(TOOLS)/.ready | check-tools
	rm -rf dist
	$(TOOLS)/bin/maturin build --release --locked --quiet --out dist
	@touch $@

$(DEMO_ENV)/.ready: $(WHEEL)
	$(PYTHON) -m venv --clear $(DEMO_ENV)
	$(DEMO_ENV)/bin/python $(PIP) "$$(ls dist/*.whl)[cli]"
	@touch $@

$(NEWEST_ENV)/.ready: $(WHEEL)
	@$(call test-env,$(PYTHON),$(NEWEST_ENV),)

$(OLDEST_ENV)/.ready: $(WHEEL)
	@$(call test-env,$(OLDEST),$(OLDEST_ENV),'numpy<2')

$(TORCH_ENV)/.ready: $(WHEEL)
	@$(call test-env,$(PYTHON),$(TORCH_ENV),--group torch)

# What could be installed is measured and what could not is named, so `.ready` is touched only when nothing failed:
# the next run tries again.
$(PEERS_ENV)/.ready: $(WHEEL) $(wildcard benches/peers/requirements/*.txt benches/peers/requirements/apart/*.txt)
	test -d $(PEERS_ENV) || $(PYTHON) -m venv $(PEERS_ENV)
	$(PEERS_ENV)/bin/python $(NEW_PIP)
	$(PEERS_ENV)/bin/python $(PIP) --constraint benches/peers/requirements/constraints.txt dist/*.whl
	$(PEERS_ENV)/bin/python $(PIP) --force-reinstall --no-deps dist/*.whl
	$(PEERS_ENV)/bin/python -m benches.peers.install

# A clean environment with the wheel and what the tests need; a new wheel replaces the old one in it. The oldest
# Python gets the oldest NumPy series as well.
define test-env
	set -e; \
	test -f $(2)/.ready || $(1) -m venv --clear $(2); \
	$(2)/bin/python $(NEW_PIP); \
	$(2)/bin/python $(PIP) "$$(ls dist/*.whl)[cli]" --group test $(3); \
	$(2)/bin/python $(PIP) --force-reinstall --no-deps dist/*.whl; \
	touch $(2)/.ready
endef
