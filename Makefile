# Every recipe installs what it lacks (tools/setup) and touches nothing outside this folder but
# Debian packages that are absent.
#
#   make run      build and walk through a migration from a Django store
#   make stop     end what `make run` left up
#   make test     all checks and all tests; what CI runs
#   make check    only the checks: format, lints, arrows, sizes, licences
#   make bench    measurements
#   make fmt      format the Rust sources
#   make clean-local   forget what setup installed and the legacy store's dump

.PHONY: run stop test check bench setup fmt clean-local

export RUST_BACKTRACE ?= 1
# A clean build is faster without, and nobody builds a second time in CI.
ifdef CI
export CARGO_INCREMENTAL ?= 0
endif

run: setup
	cargo build --release --locked --bin ferry
	tools/tour

stop:
	tools/tour stop

# One cluster serves the whole run, and the legacy store is made before any test's clock ticks.
test: setup check
	tools/with-postgres sh -c 'tools/legacy seed >/dev/null && tools/run-tests'

check: setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	tools/arrows
	tools/size
	tools/selftest
	@# Advisories need a network that CI does not have; `cargo deny check advisories` by hand.
	if cargo deny --version >/dev/null 2>&1; then cargo deny --offline check licenses bans sources; fi

bench: setup
	cargo build --release --locked --bin ferry
	cargo run --release --locked -p bench

setup:
	@tools/setup

fmt:
	cargo fmt --all

clean-local:
	rm -rf .local examples/django/node_modules runtimes/packages/node_modules \
		browser/node_modules clients/node_modules
