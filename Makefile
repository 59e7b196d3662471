# Hubbub. `make help` lists the targets. .ci/setup installs what is missing, and is quick if nothing is.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/end2end/node_modules/.bin:$(PATH)
# The suite of Autobahn cases; the tests start it.
export HUBBUB_KOSOKU := $(CURDIR)/.tools/bin/kosoku
# A server that speaks like S3; the tests start it.
export HUBBUB_MOTO := $(CURDIR)/.tools/bin/moto_server

PAGE := target/page
WASM := target/wasm32-unknown-unknown/wasm-release/frontend.wasm

.PHONY: help run release image cluster test test-long test-cluster lint fuzz soak soak-cluster bench dev check-leptos screenshots lighthouse page-weight

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: release ## Build the release and start it on http://127.0.0.1:8080
	@exec target/release/hubbub $(ARGS)

release: target/site/.stamp ## Build target/release/hubbub, the one binary
	@cargo build --release --package server --bin hubbub

image: target/site/.stamp setup-static ## Build the image `hubbub` for containers (ENGINE=docker, podman or buildah)
	@.ci/image $(ENGINE)

cluster: release setup-test-programs ## Start two servers on PostgreSQL behind nginx, to try them
	@exec .ci/cluster

test: setup-rust setup-packages setup-checkers setup-nextest ## Run the checks and the tests
	@.ci/test

test-long: test ## Run the tests that take long too, as CI does
	@.ci/test-long

test-cluster: target/site/.stamp setup-nextest setup-test-programs setup-chromium ## Run the integration and browser tests on PostgreSQL and two servers
	@HUBBUB_TEST_STORE=postgres cargo nextest run --cargo-profile tested --profile cluster --package server --test it
	@HUBBUB_BIN=$(CURDIR)/target/tested/hubbub HUBBUB_ADDR=127.0.0.1:18080 .ci/cluster npm --prefix end2end run --silent test

lint: target/site/.stamp setup-checkers ## Check format, lints, types, docs, dependencies, spelling
	@.ci/lint

fuzz: setup-rust ## Fuzz each target for a minute (ARGS="600 decoder": seconds, targets)
	@.ci/fuzz build && .ci/fuzz run $(or $(ARGS),60)

soak: release ## Let 200 clients talk while network and server fail (ARGS="--seconds 600")
	@cargo run --quiet --release --package bench --bin soak -- --clients 200 --seconds 60 --fault-every 1 --kills 2 --removals 20 $(ARGS)

soak-cluster: release ## The same with 3 servers on PostgreSQL, which fail too (ARGS="--promotions 0")
	@cargo run --quiet --release --package bench --bin soak -- --nodes 3 --clients 300 --rooms 60 --message-every 0.3 --seconds 120 \
		--kills 10 --restarts 2 --postgres-kills 5 --promotions 3 --cuts 60 --fault-every 1 --removals 40 $(ARGS)

bench: release setup-bench-peers ## Compare with peers (ARGS="--only closed-1000 --servers hubbub,go")
	@cargo build --quiet --release --package bench && target/release/compare $(ARGS)

dev: setup-rust setup-packages setup-wasm-bindgen setup-cargo-leptos ## Rebuild and reload at every change
	@cargo leptos watch

check-leptos: setup-rust setup-packages setup-wasm-bindgen setup-cargo-leptos setup-chromium ## Prove that cargo-leptos builds a working site too
	@export HUBBUB_EPHEMERAL=true HUBBUB_PER_NETWORK=1000 RUST_LOG=warn; cargo leptos build --release && cargo leptos end-to-end --release

screenshots: release setup-chromium ## Take screenshots of every page; renew those of the README
	@cd end2end && playwright test --project=screenshots && mkdir -p screens && cp test-results/screens/room-desktop-*.png screens/

lighthouse: release setup-chromium ## Measure pages with Lighthouse, as phone and desktop
	@cd end2end/lighthouse && npm ci --silent && node ../lighthouse.mjs

page-weight: release setup-chromium ## Print what a page weighs and when it is interactive
	@node end2end/weigh.mjs

setup-%:
	@.ci/setup $*

# The site, as cargo-leptos makes it. setup-rust is no file, so cargo always runs and decides whether the app has changed;
# make looks at the time of its output after that.
$(WASM): setup-rust
	@cargo build --package frontend --target wasm32-unknown-unknown --profile wasm-release

$(PAGE)/hubbub.wasm: $(WASM) end2end/shorten-imports.mjs end2end/package-lock.json frontend/bindgen/src/main.rs | setup-packages
	@.ci/site wasm $(WASM)

$(PAGE)/hubbub.css: $(wildcard style/*.scss) end2end/package-lock.json | setup-packages
	@.ci/site css

target/site/.stamp: $(PAGE)/hubbub.wasm $(PAGE)/hubbub.css $(wildcard style/static/* style/static/scripts/*)
	@.ci/site folder
