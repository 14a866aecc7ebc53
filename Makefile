# The commands of this project. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh

GO ?= go
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# The last one before its packager needs a module that the proxy doesn't hand out.
GORELEASER := github.com/goreleaser/goreleaser/v2@v2.16.0
FUZZTIME ?= 30s
LDFLAGS := -s -w

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: bin/havip ## one failover on each cloud, on simulated ones, over real sockets
	@bin/havip demo

.PHONY: serve
serve: bin/havip ## a host of your own, with both clouds simulated
	bin/havip serve --simulate

# Many of them wait, for disks above all: the longest go first.
LONGEST := ./shared/ledger ./deploy/havip ./shared/runtime/host ./deploy/bootstrap

.PHONY: test
test: ## all tests
	$(GO) test -timeout 600s -p 4 -parallel 8 $(LONGEST) ./...

# The others have no memory that goroutines share, or run in processes of their own.
.PHONY: race
race: ## the tests of all that runs at once, with the race detector (needs a C compiler)
	$(GO) test -race -timeout 900s -p 3 -parallel 6 ./shared/ledger ./deploy/havip ./shared/runtime/host ./functions/... ./shared/...

SEEDS ?= 100000
HAVIPS ?= 100000

.PHONY: measure
measure: ## what can be counted of the code
	$(GO) test ./functions -run Measures -v -count=1

.PHONY: sim
sim: ## the whole system against everything that can go wrong, for SEEDS (100000) seeds
	GOEXPERIMENT=jsonv2 GOGC=400 $(GO) test ./functions -run Simulation -v -timeout 60m -sim.seeds=$(SEEDS) # half of it is JSON, which this reads faster

.PHONY: fleet
fleet: ## an hour of HAVIPS (100000) HAVIPs, and the loss of a zone, in virtual time
	$(GO) test ./shared/havip/pace -run Fleet -v -timeout 60m -fleet=$(HAVIPS)

.PHONY: town
town: ## real keepalived on machines made of Linux namespaces, with us and without (needs root)
	$(GO) test ./deploy/havip -run '^TestTown$$' -count 1 -town -v

.PHONY: lint
lint: ## the linters (golangci-lint, built on first use)
	$(GO) vet ./...
	$(GO) run $(GOLANGCI) run ./...

.PHONY: zips
zips: ## make package twice: the same bytes both times? And does the image run?
	$(GO) test ./deploy/package -count 1 -timeout 30m -zips -v

.PHONY: check
check: test race lint town zips ## exactly what CI runs

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s) each
	@for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$package || exit 1; \
		done; \
	done

.PHONY: bench
bench: ## the benchmarks, each beside its limit and beside what one would use instead, kept in bench/
	$(GO) run ./deploy/bench

.PHONY: golden
golden: ## write the golden files anew
	$(GO) test ./events -run Golden -update
	$(GO) test ./shared/alibaba ./shared/baidu -run Catalogue -update

.PHONY: build
build: bin/havip bin/bootstrap ## both binaries, with their sizes
	@ls -l bin/havip bin/bootstrap | awk '{printf "%-14s %5.1f MiB\n", $$NF, $$5 / 1048576}'

.PHONY: bin/havip
bin/havip:
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./deploy/havip

# lambda.norpc leaves net/rpc out, which would keep the linker from dropping
# what nobody calls.
BOOTSTRAP = CGO_ENABLED=0 $(GO) build -trimpath -tags lambda.norpc -ldflags '$(LDFLAGS)' -o $(1) ./deploy/bootstrap

.PHONY: bin/bootstrap
bin/bootstrap:
	@$(call BOOTSTRAP,$@)

TARGET ?= target
ARCH ?= x86_64

# Function Compute's custom runtimes are x86-64.
.PHONY: package
package: ## the zips that s.yaml (x86_64) and the SAM template (lambda: ARCH, or x86_64) ship
	@mkdir -p $(TARGET)
	GOOS=linux GOARCH=amd64 $(call BOOTSTRAP,$(TARGET)/x86_64/bootstrap)
	GOOS=linux GOARCH=arm64 $(call BOOTSTRAP,$(TARGET)/arm64/bootstrap)
	@for arch in x86_64 arm64; do $(GO) run ./deploy/package zip $(TARGET)/$$arch/bootstrap $(TARGET)/$$arch.zip || exit 1; done
	@cp $(TARGET)/$(ARCH).zip $(TARGET)/lambda.zip
	@ls -l $(TARGET)/*.zip

# Where git says what it is, the program does. (Go finds it in a clone, not in a worktree.)
STAMP = $(if $(shell git rev-parse HEAD 2>/dev/null),-buildvcs=true)

.PHONY: image
image: ## the container image of a host of your own, as an OCI layout: no daemon, no base image
	@for arch in amd64 arm64; do GOOS=linux GOARCH=$$arch CGO_ENABLED=0 $(GO) build -trimpath $(STAMP) -ldflags '$(LDFLAGS)' -o $(TARGET)/$$arch/havip ./deploy/havip || exit 1; done
	$(GO) run ./deploy/package image $(TARGET)/image $(TARGET)/amd64/havip $(TARGET)/arm64/havip

# Nothing is published. A tag of git is its version. goreleaser wants a clone that has a
# remote, and asks it nothing.
.PHONY: release
release: ## what a release consists of, in target/release: programs, bills of materials, deb, rpm
	GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=. \
	$(GO) run $(GORELEASER) release --snapshot --clean --config deploy/goreleaser.yaml

.PHONY: deb
deb: ## the deb that make release has made, in a Debian made for it (needs root and mmdebstrap)
	$(GO) test ./deploy/package -run '^TestDeb$$' -count 1 -timeout 30m -deb -v

.PHONY: live
live: ## the assumptions about the clouds, against the real ones (needs credentials)
	$(GO) test ./shared/simulator -run Live -live -v
