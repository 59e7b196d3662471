# Hubbub. `make help` lists the targets. .ci/setup installs what is missing, and is quick if nothing is.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/end2end/node_modules/.bin:$(PATH)
# The suite of Autobahn cases; the tests start it.
export HUBBUB_KOSOKU := $(CURDIR)/.tools/bin/kosoku

SITE := target/site
PAGE := target/page
WASM := target/wasm32-unknown-unknown/wasm-release/frontend.wasm

.PHONY: help run release test lint fuzz soak bench bench-build dev check-leptos screenshots lighthouse page-weight frontend

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: release ## Build the release and start it on http://127.0.0.1:8080
	@exec target/release/hubbub $(ARGS)

release: $(SITE)/.stamp ## Build target/release/hubbub, the one binary
	@cargo build --release --package server --bin hubbub

test: setup-rust setup-packages setup-checkers setup-nextest setup-test-programs setup-chromium setup-wasm-bindgen ## Run every check and test, as CI does
	@.ci/test

lint: setup-rust setup-packages setup-checkers ## Check format, lints, types, docs, dependencies, spelling
	@.ci/lint

fuzz: setup-rust ## Fuzz each target for a minute (ARGS="600 decoder": seconds, targets)
	@.ci/fuzz build && .ci/fuzz run $(or $(ARGS),60)

soak: release ## Let 200 clients talk while network and server fail (ARGS="--seconds 600")
	@cargo run --quiet --release --package bench --bin soak -- --clients 200 --seconds 60 --fault-every 1 --kills 2 $(ARGS)

bench: release setup-bench-peers ## Compare with peers (ARGS="--only closed-1000 --servers hubbub,go")
	@cargo build --quiet --release --package bench && target/release/compare $(ARGS)

dev: setup-rust setup-packages setup-wasm-bindgen setup-cargo-leptos ## Rebuild and reload at every change
	@cargo leptos watch

check-leptos: setup-rust setup-packages setup-wasm-bindgen setup-cargo-leptos setup-chromium ## Prove that cargo-leptos builds a working site too
	@cargo leptos build --release && cargo leptos end-to-end --release

screenshots: release setup-chromium ## Take screenshots of every page; renew those of the README
	@cd end2end && playwright test screens && mkdir -p screens && cp test-results/screens/room-desktop-*.png screens/

lighthouse: release setup-chromium ## Measure pages with Lighthouse, as phone and desktop
	@cd end2end/lighthouse && npm ci --silent && node ../lighthouse.mjs

page-weight: release setup-chromium ## Print what a page weighs and when it is interactive
	@node end2end/weigh.mjs

setup-%:
	@.ci/setup $*

# --- the site, as cargo-leptos makes it -------------------------------------------------------------

frontend: setup-rust
	@cargo build --package frontend --target wasm32-unknown-unknown --profile wasm-release

# The empty recipe makes make look at the file's time after cargo has run, not before.
$(WASM): frontend ;

$(PAGE)/hubbub.wasm: $(WASM) end2end/shorten-imports.mjs end2end/package-lock.json | setup-packages setup-wasm-bindgen
	@wasm-bindgen --target web --no-typescript --out-name hubbub --out-dir $(PAGE) $(WASM)
	@node end2end/shorten-imports.mjs $(PAGE)/hubbub_bg.wasm $(PAGE)/hubbub.js
	@terser --module -c "passes=3,pure_funcs=['console.warn']" -m -o $(PAGE)/hubbub.js $(PAGE)/hubbub.js
	@wasm-opt --flatten --rereloop -Oz -Oz --strip-debug --strip-producers $(PAGE)/hubbub_bg.wasm -o $@

$(PAGE)/hubbub.css: $(wildcard style/*.scss) end2end/package-lock.json | setup-packages
	@sass --no-source-map --style=compressed style/main.scss $@

# The whole folder is new each time: cargo-leptos writes into it too, with other names.
$(SITE)/.stamp: $(PAGE)/hubbub.wasm $(PAGE)/hubbub.css $(wildcard style/static/*)
	@rm -rf $(SITE) && mkdir -p $(SITE)/pkg && cp -r style/static/. $(SITE)/
	@cp $(PAGE)/hubbub.js $(PAGE)/hubbub.wasm $(PAGE)/hubbub.css $(SITE)/pkg/
	@touch $@
