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

SITE := target/site
WASM_BUILT := target/wasm32-unknown-unknown/wasm-release/frontend.wasm
BINARY := target/release/hubbub

.PHONY: help run release test lint dev leptos bindgen-tool leptos-tool wasm-target packages chromium frontend FORCE

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: release ## Build the release and start it on http://127.0.0.1:8080
	@exec $(BINARY) $(ARGS)

release: $(SITE)/pkg/hubbub.wasm $(SITE)/pkg/hubbub.css $(SITE).static ## Build target/release/hubbub, the one binary
	@cargo build --release --package server --bin hubbub

dev: leptos-tool wasm-target bindgen-tool packages ## Rebuild and reload at every change (cargo leptos watch)
	@cargo leptos watch

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
	@echo "set-up: npm packages (wasm-opt, sass, Playwright)"
	@cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --no-audit --no-fund
	@touch $@

# --- the site, as cargo-leptos makes it -------------------------------------------------------------

frontend: wasm-target
	@cargo build --package frontend --target wasm32-unknown-unknown --profile wasm-release

# The empty recipe makes make look at the file's time after cargo has run, not before.
$(WASM_BUILT): frontend
	@:

$(SITE)/pkg/hubbub.wasm: $(WASM_BUILT) end2end/node_modules/.package-lock.json | bindgen-tool
	@echo "site: wasm-bindgen, wasm-opt"
	@mkdir -p $(SITE)/pkg target/bindgen
	@wasm-bindgen --target web --no-typescript --out-name hubbub --out-dir target/bindgen $(WASM_BUILT)
	@wasm-opt -Oz --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals \
		--enable-reference-types --enable-multivalue target/bindgen/hubbub_bg.wasm -o target/bindgen/hubbub.wasm
	@cp target/bindgen/hubbub.js target/bindgen/hubbub.wasm $(SITE)/pkg/

$(SITE)/pkg/hubbub.css: $(wildcard style/*.scss style/*/*.scss) end2end/node_modules/.package-lock.json
	@mkdir -p $(@D)
	@sass --no-source-map --style=compressed style/main.scss $@

$(SITE).static: $(wildcard style/static/*)
	@mkdir -p $(SITE)
	@cp -r style/static/. $(SITE)/
	@touch $@
