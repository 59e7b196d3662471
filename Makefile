# Hubbub. `make help` says what there is.
#
# Every set-up step installs into this folder (.tools, end2end/node_modules, target) or a package
# manager's own cache, and is quick where there is nothing to do.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/end2end/node_modules/.bin:$(PATH)
# Tools are built once and run briefly: built fast beats running fast.
TOOL_BUILD := CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_TARGET_DIR=target/tools

WASM_BINDGEN_VERSION := $(shell grep -A1 '^name = "wasm-bindgen"' Cargo.lock | sed -n 's/version = "\(.*\)"/\1/p')
CARGO_LEPTOS_VERSION := 0.3.10
KOSOKU_VERSION := 0.1.0

KOSOKU := $(CURDIR)/.tools/kosoku/bin/kosoku
# Where the tests find it.
export HUBBUB_KOSOKU := $(KOSOKU)

SITE := target/site
PAGE := target/page
WASM_BUILT := target/wasm32-unknown-unknown/wasm-release/frontend.wasm
BINARY := target/release/hubbub

.PHONY: help run release test soak bench fuzz weigh lighthouse lint dev leptos screens bindgen-tool leptos-tool wasm-target packages chromium kosoku strace nginx bench-peers frontend

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: release ## Build the release and start it on http://127.0.0.1:8080
	@exec $(BINARY) $(ARGS)

release: $(SITE)/.made ## Build target/release/hubbub, the one binary
	@cargo build --release --package server --bin hubbub

test: lint release packages chromium kosoku strace nginx ## Check everything, as CI does
	@echo "test: unit and integration tests"
	@if cargo nextest --version >/dev/null 2>&1; \
		then cargo nextest run --workspace --exclude frontend --status-level fail; \
		else cargo test --workspace --exclude frontend --quiet; fi
	@echo "test: interleavings, as a model checker chooses them"
	@cargo test --quiet --package server --features shuttle --test interleavings
	@echo "test: a short soak of the release"
	@cargo run --quiet --package bench --bin soak -- --people 20 --seconds 5 --message-every 0.5 --fault-every 0.3 --kills 1 --restarts 1 --pulse-ms 100
	@echo "test: browser tests against the release"
	@cd end2end && npm run --silent test

soak: release ## Let 200 people talk while the network and the server fail (ARGS="--seconds 600")
	@cargo run --quiet --release --package bench --bin soak -- --people 200 --seconds 60 --fault-every 1 --kills 2 $(ARGS)

# What cargo-fuzz would pass, but for the address sanitizer, which needs a nightly compiler; there is no unsafe here.
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares

fuzz: ## Throw bytes at the WebSocket decoder for a minute (ARGS="-max_total_time=600")
	@mkdir -p target/fuzz/corpus
	@cd server/fuzz && RUSTFLAGS="$(FUZZ_FLAGS)" CARGO_TARGET_DIR=$(CURDIR)/target/fuzz cargo run --quiet --release \
		--target $$(rustc -vV | sed -n 's/host: //p') --bin decoder -- $(CURDIR)/target/fuzz/corpus -max_total_time=60 -max_len=600 -print_final_stats=1 $(ARGS)

bench: release bench-peers ## Compare with peers: deliveries, latency, memory (ARGS="--only closed-1000 --servers hubbub,go")
	@cargo build --quiet --release --package bench
	@cargo run --quiet --release --package bench --bin compare -- $(ARGS)

lint: wasm-target packages ## Check format, lints and types
	@cargo fmt --all --check
	@cargo clippy --quiet --workspace --exclude frontend --all-targets -- --deny warnings
	@cargo clippy --quiet --package server --features shuttle --test interleavings -- --deny warnings
	@cargo clippy --quiet --package frontend --target wasm32-unknown-unknown -- --deny warnings
	@cd end2end && tsc --project .

dev: leptos-tool wasm-target bindgen-tool packages ## Rebuild and reload at every change (cargo leptos watch)
	@cargo leptos watch

leptos: leptos-tool wasm-target bindgen-tool packages chromium ## Prove that cargo-leptos builds a working site too
	@cargo leptos build --release
	@cargo leptos end-to-end --release

screens: release packages chromium ## Look at every page (end2end/test-results/screens); renew those in the README
	@cd end2end && playwright test screens && mkdir -p screens && cp test-results/screens/room-desktop-*.png screens/

lighthouse: release chromium ## Ask Lighthouse about a room and the list of rooms, on a phone and a desktop
	@cd end2end/lighthouse && npm ci --silent
	@node end2end/lighthouse.mjs

weigh: release packages chromium ## Say what the page weighs and how soon it is alive
	@node end2end/weigh.mjs

# --- set-up ---------------------------------------------------------------------------------------

wasm-target:
	@rustup target list --installed | grep -qx wasm32-unknown-unknown || { \
		echo "set-up: the wasm32 target of Rust"; rustup target add wasm32-unknown-unknown; }

bindgen-tool:
	@wasm-bindgen --version 2>/dev/null | grep -qx 'wasm-bindgen $(WASM_BINDGEN_VERSION)' || { \
		echo "set-up: wasm-bindgen $(WASM_BINDGEN_VERSION) (about two minutes)"; \
		cargo binstall --no-confirm --quiet --root .tools wasm-bindgen-cli@$(WASM_BINDGEN_VERSION) 2>/dev/null || \
		$(TOOL_BUILD) cargo install --quiet --root .tools wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION); }

leptos-tool:
	@cargo leptos --version 2>/dev/null | grep -q $(CARGO_LEPTOS_VERSION) || { \
		echo "set-up: cargo-leptos $(CARGO_LEPTOS_VERSION) (about a quarter of an hour)"; \
		cargo binstall --no-confirm --quiet --root .tools cargo-leptos@$(CARGO_LEPTOS_VERSION) 2>/dev/null || \
		$(TOOL_BUILD) cargo install --quiet --locked --root .tools cargo-leptos --version $(CARGO_LEPTOS_VERSION); }

packages: end2end/node_modules/.package-lock.json
end2end/node_modules/.package-lock.json: end2end/package.json end2end/package-lock.json
	@echo "set-up: npm packages (wasm-opt, terser, sass, Playwright)"
	@cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --no-audit --no-fund
	@touch $@

# A Chromium that is here; else Debian's; else Playwright's own.
chromium: packages
	@command -v chromium chromium-browser google-chrome >/dev/null || [ -x "$${CHROMIUM:-}" ] || { \
		echo "set-up: Chromium"; \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
		else \
			cd end2end && playwright install chromium; \
		fi; }

# The Autobahn cases of RFC 6455, in an environment of their own.
kosoku:
	@[ -x $(KOSOKU) ] || { \
		echo "set-up: kosoku $(KOSOKU_VERSION) (conformance of WebSockets)"; \
		python3 -c 'import ensurepip, venv' 2>/dev/null || \
			{ command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -qq && \
			apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; }; \
		python3 -m venv .tools/kosoku && \
		.tools/kosoku/bin/pip install --quiet --disable-pip-version-check kosoku==$(KOSOKU_VERSION); }

# It counts the syncs of the disk and kills a first start at each; without it those tests say so.
strace:
	@command -v strace >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && { \
		echo "set-up: strace"; apt-get update -qq && apt-get install -y -qq --no-install-recommends strace >/dev/null; }; } || true

# The tests start it on ports of their own; without it those behind a real proxy say so.
nginx:
	@command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && { \
		echo "set-up: nginx"; apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light >/dev/null; }; } || true

# The peers in Go and for Node; the report says which of them are not here. Debian's package is taken where
# there is one.
GORILLA := /usr/share/gocode/src/github.com/gorilla/websocket
bench-peers:
	@mkdir -p target/bench
	@if ! command -v go >/dev/null; then echo "bench: no go, so no peer in Go"; \
		elif [ -d $(GORILLA) ]; then \
			GO111MODULE=off GOPATH=/usr/share/gocode go build -o target/bench/go ./server/bench/peers/go && \
			{ dpkg-query --show --showformat '$${Version} (Debian)' golang-github-gorilla-websocket-dev 2>/dev/null \
				|| echo unknown; } > target/bench/gorilla; \
		elif (cd server/bench/peers/go && go build -o ../../../../target/bench/go .); then \
			awk '/gorilla\/websocket/ { print $$3 }' server/bench/peers/go/go.mod > target/bench/gorilla; \
		else echo "bench: no peer in Go, its package github.com/gorilla/websocket is missing"; fi
	@if ! command -v npm >/dev/null; then echo "bench: no npm, so no peer for Node"; \
		else cd server/bench/peers/ws && npm ci --silent; fi

# --- the site, as cargo-leptos makes it -------------------------------------------------------------

frontend: wasm-target
	@cargo build --package frontend --target wasm32-unknown-unknown --profile wasm-release

# The empty recipe makes make look at the file's time after cargo has run, not before.
$(WASM_BUILT): frontend
	@:

$(PAGE)/hubbub.wasm: $(WASM_BUILT) end2end/shorten-imports.mjs end2end/node_modules/.package-lock.json | bindgen-tool
	@echo "site: wasm-bindgen, shorter names, terser, wasm-opt"
	@wasm-bindgen --target web --no-typescript --out-name hubbub --out-dir $(PAGE) $(WASM_BUILT)
	@node end2end/shorten-imports.mjs $(PAGE)/hubbub_bg.wasm $(PAGE)/hubbub.js
	@terser --module -c "passes=3,pure_funcs=['console.warn']" -m -o $(PAGE)/hubbub.js $(PAGE)/hubbub.js
	@wasm-opt --flatten --rereloop -Oz -Oz --strip-debug --strip-producers $(PAGE)/hubbub_bg.wasm -o $@

$(PAGE)/hubbub.css: $(wildcard style/*.scss) end2end/node_modules/.package-lock.json
	@echo "site: sass"
	@sass --no-source-map --style=compressed style/main.scss $@

# Made anew as a whole: cargo-leptos writes into the same folder, under other names.
$(SITE)/.made: $(PAGE)/hubbub.wasm $(PAGE)/hubbub.css $(wildcard style/static/*)
	@rm -rf $(SITE)
	@mkdir -p $(SITE)/pkg
	@cp -r style/static/. $(SITE)/
	@cp $(PAGE)/hubbub.js $(PAGE)/hubbub.wasm $(PAGE)/hubbub.css $(SITE)/pkg/
	@touch $@
