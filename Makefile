# berth: `make help` lists what you can do.
SHELL     := bash
.SHELLFLAGS := -euo pipefail -c
TAGS      := no_btrfs,no_zfs,no_devmapper,no_cri,no_tracing
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOBUILD   := CGO_ENABLED=0 go build -tags $(TAGS) -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
CACHE     ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/berth
DATA      ?= $(CURDIR)/.berth
export BERTH_DATA := $(DATA)

.DEFAULT_GOAL := check
.PHONY: up down clean build host-run host-test test fast bench bench-go soak sim conformance compat lint check help

up: host-run build ## Build, start berth here and train the digits example on it, on EC2 and on Fargate
	@./examples/digits/up.sh

down: ## Stop the berth that `make up` started; keep its state
	@bin/berth down --data $(DATA)

clean: ## Stop berth and forget its state and the build
	@if [ -x bin/berth ]; then bin/berth down --data $(DATA) --forget; fi
	@rm -rf bin

build: bin/runsc ## Build bin/berth and what it needs beside it
	@mkdir -p bin
	$(GOBUILD) -o bin/berth ./cmd/berth
	$(GOBUILD) -o bin/containerd-shim-runc-v2 ./cmd/berth-shim
	$(GOBUILD) -o bin/berth-init ./cmd/berth-init
	$(GOBUILD) -o bin/berth-gvisor ./cmd/berth-gvisor
	cd cmd/berth-objects && $(GOBUILD) -o $(CURDIR)/bin/berth-objects . # a module of its own

# gVisor comes from its own Go module, pinned in tools/runsc; built once for each
# version and kept in the user's cache.
RUNSC_KEY := $(shell cat tools/runsc/go.mod tools/runsc/go.sum 2>/dev/null | sha256sum | cut -c1-16)
bin/runsc: tools/runsc/go.mod
	@mkdir -p bin $(CACHE)
	@if [ ! -x $(CACHE)/runsc-$(RUNSC_KEY) ]; then \
	  echo "building gVisor's runsc (once)"; \
	  (cd tools/runsc && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o $(CACHE)/runsc-$(RUNSC_KEY).part gvisor.dev/gvisor/runsc); \
	  mv $(CACHE)/runsc-$(RUNSC_KEY).part $(CACHE)/runsc-$(RUNSC_KEY); \
	fi
	@cp -f $(CACHE)/runsc-$(RUNSC_KEY) bin/runsc && touch bin/runsc

host-run: ## Install the host packages that `make up` needs
	@./tools/host-packages.sh run

host-test: ## Install the host packages that `make test` needs
	@./tools/host-packages.sh test

test: host-test build lint ## Run every test: laws, units, store, simulation, end to end
	go test -tags $(TAGS) -count=1 -timeout 25m ./...
	$(MAKE) conformance

fast: ## The tests that need neither root nor containers
	go test -tags $(TAGS) -short ./...

conformance: ## Hold berth against real clients: each folder is a module of its own
	@for m in conformance/*/go.mod; do echo "== $$(dirname $$m)"; (cd $$(dirname $$m) && go test -count=1 -timeout 20m ./...); done

soak: build ## Kill processes under load a hundred times; change targets under load for ten minutes
	BERTH_SOAK=1 go test -tags $(TAGS) -count=1 -timeout 120m -run 'Kill|Crash|Soak' ./store/... ./plane/...
	cd conformance/kill && BERTH_SOAK=1 go test -count=1 -timeout 60m -v -run Killed .
	cd conformance/roads && BERTH_SOAK=1 go test -count=1 -timeout 20m -v -run ScaleToZero .
	BERTH_SOAK=1 go run -tags $(TAGS) ./bench -only 16

SEED ?= 0
N    ?= 1000
sim: ## Simulate clusters with faults: N worlds (1000) from SEED (0) on
	go run -tags $(TAGS) ./cmd/berth sim --seed $(SEED) --runs $(N)

bench: build ## Print the figures of the budgets; BENCH=3,4 selects
	go run -tags $(TAGS) ./bench -only "$(BENCH)"

bench-go: ## Run the Go benchmarks of the packages
	go test -tags $(TAGS) -run '^$$' -bench . -benchtime 1s ./plan/... ./store/... ./aws/... ./plane/... ./protocol/... ./agent/network/... ./agent/runtime/...

lint: ## gofmt and go vet; golangci-lint where it is installed
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "run gofmt -w on these"; exit 1; }
	go vet -tags $(TAGS) ./...
	cd cmd/berth-objects && go vet .
	@if command -v golangci-lint >/dev/null; then golangci-lint run --build-tags $(TAGS); fi

compat: ## Write docs/compatibility.md anew from the tests
	go run -tags $(TAGS) ./tools/compat

check: lint fast ## What to run before a commit

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14
