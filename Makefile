# Every way to build, test and check Parley. `make help` lists the targets; CI runs nothing else.

# What the reader's shell or Go settings hold must not change a result.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
unexport CDPATH
export LC_ALL := C
export GOWORK := $(CURDIR)/go.work

# Everything but the race detector compiles in one way, so that the checks, the tools and the programs share the
# compiler's cache: compiling the dependencies is most of what a cold run does.
export CGO_ENABLED := 0
export GOFLAGS := -buildvcs=false -trimpath

MODULE := github.com/parley-rtc/parley
BIN := $(CURDIR)/bin

# Empty where there is no Go: images and compose need none.
GO_VERSION := $(shell go env GOVERSION 2>/dev/null)

# The linter, built from its own module at this version. The folder's name holds what the binary depends on, so a
# change of either builds it anew.
GOLANGCI_VERSION := v2.15.0
GOLANGCI = $(BIN)/tools/golangci-lint-$(GOLANGCI_VERSION)-$(GO_VERSION)/golangci-lint

# The programs of `make build`. nats-server comes at the version that the tests module pins with its tool line.
PROGRAMS ?= ./edge/cmd/edge ./roomsvc/cmd/roomsvc ./authsvc/cmd/authsvc ./candidatefilter/cmd/candidatefilter \
	./deploy/standalone/cmd/parley github.com/nats-io/nats-server/v2
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# Go's monitor thread sleeps when every goroutine does, and the first system call after that wakes it: a process that
# relays a few thousand messages a second does so thousands of times a second, which was a fifth of all that a message
# cost. While a scheduler trace is wanted the thread doesn't sleep so deep; this one would be due in 23 days. An
# environment's GODEBUG with a schedtrace of its own is stronger.
GODEBUG_DEFAULT := schedtrace=2000000000

# What runs is linked with the same settings everywhere; images leave the symbols out (LDFLAGS='-s -w').
LDFLAGS ?=
GO_BUILD = go build -ldflags '$(LDFLAGS) -X $(MODULE)/services/lifecycle.Version=$(VERSION) -X runtime.godebugDefault=$(GODEBUG_DEFAULT)' -o $(BIN)/

# The TypeScript of the edge: the SDK and the demo page. What Go embeds of them is committed, so only who changes or
# tests them needs Node.
NPM := npm --prefix $(CURDIR)/edge
NODE_MODULES := $(CURDIR)/edge/node_modules/.package-lock.json
BUNDLES := edge/demo/dist

# The browser of the tests, by the names that it has.
BROWSER = $(or $(PARLEY_CHROMIUM),$(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name)))))

# `work` is every package of every module of go.work.
PACKAGES ?= work
FUZZTIME ?= 10s

# $(call in-each-module,command) runs the command in each module of go.work, then fails if it failed in any.
define in-each-module
modules="$$(go list -m -f '{{.Dir}}')"; failed=; \
for dir in $$modules; do \
	name="$${dir#"$(CURDIR)/"}"; echo "$@: $$name"; \
	(cd "$$dir" && $(1)) || failed="$$failed $$name"; \
done; \
[ -z "$$failed" ] || { echo "make $@: failed in$$failed" >&2; exit 1; }
endef

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## build the four services, parley and nats-server into bin/
	$(GO_BUILD) $(PROGRAMS)

# The programs of an earlier commit: an upgrade has both at work, so these must understand those.
EARLIER = $(shell sed '/^\#/d' tests/stack/earlier-commit)

.PHONY: build-earlier
build-earlier: ## build the services of the earlier commit that upgrades are tested from, into bin/earlier/
	@$(MAKE) $(BIN)/earlier/$(EARLIER)/edge

$(BIN)/earlier/%/edge:
	@git cat-file -e $*^{commit} 2>/dev/null || { echo "make: commit $* of tests/stack/earlier-commit isn't in this clone; fetch \
	the whole history: git fetch --unshallow" >&2; exit 1; }
	@dir="$$(mktemp -d)" && trap 'rm -rf "$$dir"' EXIT && git archive $* | tar -x -C "$$dir" && cd "$$dir" && \
	GOWORK="$$dir/go.work" go build -ldflags '-X $(MODULE)/services/lifecycle.Version=$*' -o $(@D)/ \
		./roomsvc/cmd/roomsvc ./authsvc/cmd/authsvc ./candidatefilter/cmd/candidatefilter ./edge/cmd/edge

.PHONY: dev
dev: ## run all of Parley in one process, for development (ARGS='...' go to parley dev)
	@$(GO_BUILD) ./deploy/standalone/cmd/parley
	@exec $(BIN)/parley dev $(ARGS)

# The images by the names that they are pulled by. They share the layer in which all programs are compiled.
IMAGES ?= edge roomsvc authsvc candidatefilter parley
DOCKER_BUILD ?= docker build
GOPROXY = $(shell go env GOPROXY 2>/dev/null)

.PHONY: images
images: ## build the images with Docker (IMAGES='edge parley' for some)
	@for image in $(IMAGES); do \
		echo "$@: $$image"; \
		$(DOCKER_BUILD) --quiet --file deploy/docker/Dockerfile --tag ghcr.io/parley-rtc/$$image --build-arg SERVICE=$$image \
			--build-arg VERSION=$(VERSION) --build-arg REVISION="$$(git rev-parse HEAD)" $(if $(GOPROXY),--build-arg GOPROXY='$(GOPROXY)') .; \
	done

COMPOSE ?= docker compose

define need-compose
	@$(COMPOSE) version >/dev/null 2>&1 || { \
		echo "make $@: $(COMPOSE) doesn't run; install Docker and its compose plugin: https://docs.docker.com/compose/install" >&2; exit 1; }
endef

.PHONY: compose-up
compose-up: ## run all of Parley with Docker, and print the demo's link (PROFILE=observability ARGS='--scale edge=3')
	$(need-compose)
	@$(MAKE) images
	@docker run --rm --user "$$(id -u):$$(id -g)" --volume $(CURDIR)/deploy/compose:/data ghcr.io/parley-rtc/parley init
	@cd deploy/compose && $(COMPOSE) $(if $(PROFILE),--profile $(PROFILE)) up --detach --no-build --wait $(ARGS)
	@cd deploy/compose && . ./.env && echo "open it twice: http://$$PARLEY_HOST:$${PARLEY_PORT:-7420}/?room=hello" && \
	case "$(PROFILE)" in observability) \
		echo "the dashboard: http://localhost:$${PARLEY_DASHBOARD_PORT:-3000}"; \
		echo "the alerts:    http://localhost:$${PARLEY_METRICS_PORT:-9090}/alerts"; \
		echo "the traces:    http://localhost:$${PARLEY_TRACES_PORT:-16686}"; \
	esac

.PHONY: compose-down
compose-down: ## stop what compose-up started; its volumes and secrets stay
	$(need-compose)
	@cd deploy/compose && $(COMPOSE) --profile '*' down

# The tests of several processes start the programs of bin/, so they are built first.
.PHONY: test
test: ## run every test under the race detector (PACKAGES='./edge/...' for some)
	@cc="$$(go env CC)"; command -v "$${cc%% *}" >/dev/null || { echo "make $@: the race detector needs a C compiler and \
	there is no $$cc; install one: apt-get install gcc libc6-dev, or xcode-select --install" >&2; exit 1; }
	@$(MAKE) test-tools build
	@$(MAKE) test-ts
	CGO_ENABLED=1 go test -trimpath=false -race -shuffle=on -count=1 $(PACKAGES)

.PHONY: test-ts
test-ts: $(NODE_MODULES) ## run the tests of the TypeScript SDK and the demo page (after make build)
	$(NPM) test --workspaces --if-present

# $(call install-missing,packages) installs Debian's packages if we may, and says what is missing elsewhere. In runlevel 1
# none of them starts a service.
define install-missing
	@[ -n "$(strip $(1))" ] || exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "$@: installing $(strip $(1))"; \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $(1) >/dev/null; \
	else \
		echo "make $@: $(strip $(1)) is missing; install it: sudo apt-get install $(strip $(1)) (PARLEY_CHROMIUM may name the \
	program of a browser that is somewhere else)" >&2; exit 1; \
	fi
endef

# The OpenTelemetry collector, built by its own builder of what its configuration in deploy/compose uses.
OTELCOL_VERSION := $(shell sed -n 's/.*otlpreceiver //p' tests/trace/otelcol.yaml 2>/dev/null)
OTELCOL = $(BIN)/tools/otelcol-$(OTELCOL_VERSION)-$(GO_VERSION)/otelcol

# Debian's Caddy is older than the one that docs/operations.md has a snippet for.
CADDY_VERSION := v2.11.9
CADDY = $(BIN)/tools/caddy-$(CADDY_VERSION)-$(GO_VERSION)/caddy

# The tests start Prometheus and the proxies themselves: what Debian starts with the packages is stopped.
PROMETHEUS = $(and $(shell command -v prometheus),$(shell command -v promtool))
NO_PROXIES = $(foreach name,nginx haproxy,$(if $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v $(name)),,$(name)))

# The tests drive a real browser, some of them in a network namespace of their own, and run the proxies that the docs have
# snippets for.
.PHONY: test-tools
test-tools: $(OTELCOL) $(CADDY) ## install what the tests need and isn't here, if we may
	$(call install-missing,$(if $(BROWSER),,chromium) $(if $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v ip),,iproute2))
	$(call install-missing,$(if $(PROMETHEUS),,--no-install-recommends prometheus))
	$(call install-missing,$(NO_PROXIES:nginx=nginx-light))
	@services="$(if $(PROMETHEUS),,prometheus) $(NO_PROXIES)"; [ -z "$${services// }" ] || ! command -v systemctl >/dev/null || \
	systemctl disable --quiet --now $$services || true
	@ln -sf $(OTELCOL) $(CADDY) $(BIN)/

# The others that the bench runs against.
PEERS := tests/load/peers/node_modules/.package-lock.json

.PHONY: bench-tools
bench-tools: $(PEERS) ## install what the bench needs and isn't here, if we may
	$(call install-missing,$(if $(shell command -v redis-server),,redis-server))

.PHONY: bench
bench: bench-tools ## measure Parley against what users would pick otherwise, in at most 25 minutes (ARGS='...' go to the bench)
	@$(MAKE) build
	go run ./tests/load/cmd/bench --svg docs/images/bench.svg $(ARGS)

.PHONY: bench-quick
bench-quick: bench-tools ## the same at one rate, in at most 2 minutes
	@$(MAKE) build
	go run ./tests/load/cmd/bench --quick $(ARGS)

.PHONY: exodus
exodus: ## kill an edge with 15,000 sessions and measure until all are back on others, in a minute (END=drain stops it)
	@$(MAKE) build
	go run ./tests/load/cmd/exodus --commit $(VERSION) $(if $(END),--end $(END)) $(ARGS)

# What the chaos run puts its processes into.
.PHONY: chaos-tools
chaos-tools: ## install what the chaos run needs and isn't here, if we may
	$(call install-missing,$(if $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v tc),,iproute2) \
	$(if $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v iptables),,iptables))

SEED ?= 1
SIGNALS ?= 1000000
CHAOS = PATH="$$PATH:/usr/sbin:/sbin" $(BIN)/chaos --commit $(VERSION) --seed $(SEED) $(if $(KINDS),--kinds $(KINDS))

# First the checker is checked: each 500th delivery is broken on purpose, and must be found. A round of the schedule
# begins with each of its 16 kinds of fault.
.PHONY: chaos
chaos: chaos-tools ## break Parley under load and check every delivery, in under 5 minutes (SEED=7 KINDS=kill,pause-nats)
	@$(MAKE) build
	@$(GO_BUILD) ./tests/chaos/cmd/chaos
	$(CHAOS) --faults 0 --signals 10000 --break 500 --visitors 0
	$(CHAOS) --faults 16 --window 15s --most 7m

# With two tabs in a call first, through the same cluster.
.PHONY: chaos-long
chaos-long: chaos-tools test-tools $(NODE_MODULES) ## eleven rounds, at most 90 minutes, into tests/chaos/results (SEED=7 SIGNALS=1000000 KINDS=kill)
	@$(MAKE) build
	@$(GO_BUILD) ./tests/chaos/cmd/chaos
	go test -count=1 -run '^TestFaults_' ./tests/browser
	$(CHAOS) --signals $(SIGNALS) --faults 242 --most 90m --results tests/chaos/results

# Compose, built from its own module: Debian's engine comes without it.
COMPOSE_VERSION := v2.40.3
COMPOSE_TOOL = $(BIN)/tools/compose-$(COMPOSE_VERSION)-$(GO_VERSION)/docker-compose

# What stands in for the images of the profile `observability`, in the versions that compose.yaml has. The collector is above.
# Go knows Jaeger's 2.13.0 as 1.76.0, which is the same commit, and Prometheus's 3.15.1 as 0.315.1.
JAEGER_VERSION := v1.76.0
JAEGER = $(BIN)/tools/jaeger-$(JAEGER_VERSION)-$(GO_VERSION)/jaeger
PROMETHEUS_VERSION := $(shell sed -n 's/.*prom\/prometheus:v3\.\([0-9]*\)\.\(.*\)/v0.3\1.\2/p' deploy/compose/compose.yaml 2>/dev/null)
PROMETHEUS_TOOL = $(BIN)/tools/prometheus-$(PROMETHEUS_VERSION)-$(GO_VERSION)/prometheus
PROFILE_TOOLS = $(if $(PROFILE),$(OTELCOL) $(JAEGER) $(PROMETHEUS_TOOL))

.PHONY: compose-tools
compose-tools: $(COMPOSE_TOOL) $(PROFILE_TOOLS) ## install what the compose test needs and isn't here, if we may
	$(call install-missing,$(if $(BROWSER),,chromium) $(if $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v dockerd),,docker.io) \
	$(if $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v iptables),,iptables) \
	$(if $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v debootstrap),,debootstrap))

.PHONY: compose-test
compose-test: compose-tools ## run deploy/compose with a Docker engine, break it under load, check every delivery (PROFILE=observability)
	@$(MAKE) build PROGRAMS=github.com/nats-io/nats-server/v2
	@$(GO_BUILD) ./tests/compose/cmd/composetest
	@for tool in $(PROFILE_TOOLS); do ln -sf "$$tool" $(BIN)/; done
	@PATH="$$PATH:/usr/sbin:/sbin" $(BIN)/composetest --compose $(COMPOSE_TOOL) --goroot "$$(go env GOROOT)" \
		$(if $(PROFILE),--profile $(PROFILE)) $(ARGS)

.PHONY: generate
generate: $(NODE_MODULES) ## build what Go embeds of the TypeScript: the demo page and the SDK
	$(NPM) run build --workspace demo

.PHONY: generate-check
generate-check: $(NODE_MODULES) ## fail if what is committed isn't what its sources give
	@old="$$(mktemp -d)" && trap 'rm -rf "$$old"' EXIT && cp -R $(BUNDLES)/. "$$old" && $(MAKE) generate && \
	diff -rq "$$old" $(BUNDLES) || { echo "make $@: $(BUNDLES) wasn't built from these sources; it is now: commit it" >&2; exit 1; }

.PHONY: screenshots
screenshots: test-tools ## picture the demo page into docs/images
	@$(MAKE) build
	cd tests && go run ./demo/cmd/screenshots

.PHONY: fuzz
fuzz: ## fuzz each Fuzz function for FUZZTIME (10s)
	@targets="$$(git ls-files -co --exclude-standard '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]+' /dev/null | \
		sed -E 's|/[^/]+:func | |')" || { echo "make $@: there is no Fuzz function to run" >&2; exit 1; }; \
	while read -r dir name; do \
		echo "$@: $$dir $$name"; \
		go test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) "./$$dir" </dev/null; \
	done <<<"$$targets"

.PHONY: lint
lint: ## run every static check, to the end
	@[ -x $(GOLANGCI) ] || echo "$@: golangci-lint $(GOLANGCI_VERSION) is built first, which takes minutes on a cold cache"
	@$(MAKE) --jobs=2 --output-sync=target --keep-going fmt-check tidy-check vet golangci check-ts generate-check

.PHONY: fmt
fmt: $(GOLANGCI) ## format every Go file
	$< fmt $$(go list -m -f '{{.Dir}}')

.PHONY: fmt-check
fmt-check: ## fail on a Go file that gofmt would change
	@files="$$(git ls-files -co --exclude-standard -z '*.go' | xargs -0 gofmt -l)"; \
	[ -z "$$files" ] || { printf 'make $@: not formatted (make fmt mends it):\n%s\n' "$$files" >&2; exit 1; }

.PHONY: vet
vet: ## run go vet over the workspace
	go vet work

.PHONY: golangci
golangci: $(GOLANGCI) ## run golangci-lint over every module
	@modules="$$(go list -m -f '{{.Dir}}/...')"; $< run $$modules

.PHONY: check-ts
check-ts: $(NODE_MODULES) ## check the TypeScript's types, and the SDK as a package
	$(NPM) run check --workspaces --if-present
	edge/node_modules/.bin/tsc -p tests/browser/page
	$(NPM) run build --workspace sdk

.PHONY: tidy
tidy: ## give every module the workspace's versions and tidy its go.mod and go.sum
	go work sync
	@$(call in-each-module,GOWORK=off go mod tidy)

# Without go.work a module sees only its own go.mod, so this is what proves the replace lines and the sums.
.PHONY: tidy-check
tidy-check: ## fail on a go.mod that isn't tidy, doesn't stand by itself or holds an altered module
	@$(call in-each-module,export GOWORK=off && go mod tidy -diff && go vet ./...)
	go mod verify

.PHONY: clean
clean: ## remove what the other targets built
	rm -rf $(BIN) edge/node_modules edge/sdk/dist tests/load/peers/node_modules

$(NODE_MODULES): edge/package-lock.json edge/package.json edge/sdk/package.json edge/demo/package.json
	@command -v npm >/dev/null || { echo "make: the TypeScript needs Node 20 with npm: https://nodejs.org" >&2; exit 1; }
	$(NPM) ci
	@touch $@

$(PEERS): tests/load/peers/package-lock.json tests/load/peers/package.json
	@command -v npm >/dev/null || { echo "make: the bench needs Node 20 with npm: https://nodejs.org" >&2; exit 1; }
	npm --prefix $(@D)/.. ci
	@touch $@

# It excludes versions of other modules, which only its own go.mod can, so it is built where it was downloaded to.
$(BIN)/tools/compose-%/docker-compose:
	@mkdir -p $(@D)
	cd $(BIN) && GOWORK=off go mod download github.com/docker/compose/v2@$(COMPOSE_VERSION)
	cd "$$(go env GOMODCACHE)/github.com/docker/compose/v2@$(COMPOSE_VERSION)" && GOWORK=off go build -o $@ \
		-ldflags '-s -w -X github.com/docker/compose/v2/internal.Version=$(COMPOSE_VERSION)' ./cmd

# Jaeger and Prometheus leave versions of modules out, or replace them, in their own go.mod, too.
$(BIN)/tools/jaeger-%/jaeger:
	@mkdir -p $(@D)
	cd $(BIN) && GOWORK=off go mod download github.com/jaegertracing/jaeger@$(JAEGER_VERSION)
	cd "$$(go env GOMODCACHE)/github.com/jaegertracing/jaeger@$(JAEGER_VERSION)" && GOWORK=off go build -ldflags '-s -w' -o $@ ./cmd/jaeger

$(BIN)/tools/prometheus-%/prometheus:
	@mkdir -p $(@D)
	cd $(BIN) && GOWORK=off go mod download github.com/prometheus/prometheus@$(PROMETHEUS_VERSION)
	cd "$$(go env GOMODCACHE)/github.com/prometheus/prometheus@$(PROMETHEUS_VERSION)" && GOWORK=off go build -ldflags '-s -w' -o $@ ./cmd/prometheus

# On a cold cache this takes 82 s of two cores.
$(BIN)/tools/caddy-%/caddy:
	GOOS= GOARCH= GOWORK=off GOBIN=$(@D) go install -ldflags '-s -w' github.com/caddyserver/caddy/v2/cmd/caddy@$(CADDY_VERSION)

$(BIN)/tools/otelcol-%/otelcol: tests/trace/otelcol.yaml
	@mkdir -p $(@D)
	cd $(@D) && GOWORK=off go run go.opentelemetry.io/collector/cmd/builder@$(OTELCOL_VERSION) --config $(CURDIR)/$<
	mv $(@D)/source/otelcol $@ && rm -r $(@D)/source

$(BIN)/tools/golangci-lint-%/golangci-lint:
	GOOS= GOARCH= GOWORK=off GOBIN=$(@D) go install -ldflags '-s -w' github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
