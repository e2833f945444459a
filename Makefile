# Two commands do everything on a fresh machine with Go, git and make: `make demo` and `make test`.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := $(CURDIR)/bin
# A version begins with vMAJOR.MINOR.PATCH, or Kubernetes' libraries do not start.
VERSION ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || echo v0.0.0-$$(git describe --always --dirty 2>/dev/null || echo unknown))
LDFLAGS := -X k8s.io/component-base/version.gitVersion=$(VERSION)
# The control plane says which Kubernetes it is; one set of flags, or all of Kubernetes is compiled anew.
KUBERNETES := v1.37.2
# Both supported versions of Helm are built from their modules.
HELM_ENV := HELM4_BIN=$(BIN)/helm4 HELM3_BIN=$(BIN)/helm3 CLI_BIN=$(BIN)/clusterimport
E2E_ENV := CONTROLPLANE_BIN=$(BIN)/controlplane CONTROLLER_BIN=$(BIN)/clusterimport-controller
FUZZTIME ?= 30s
SOAK ?= 20000
SOAK_STEPS ?= 3000
SOAK_FIRST ?= 100000
TOOL := go tool -modfile=$(CURDIR)/tools/go.mod
# Everything but race tests is built without cgo, so that packages are compiled once.
export CGO_ENABLED := 0

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build the binaries into bin/
	go build -ldflags "$(LDFLAGS)" -o $(BIN)/ ./cmd/...
	ln -sf clusterimport $(BIN)/kubectl-clusterimport

.PHONY: controlplane
controlplane: ## Build the control plane for demo and e2e (a cold build takes 8 to 15 minutes)
	@hack/build-with-progress.sh test/e2e ./cmd/controlplane $(BIN)/controlplane \
		"-X k8s.io/component-base/version.gitVersion=$(KUBERNETES)"

.PHONY: demo
demo: build controlplane ## Import the clusters of four platforms, live (DEMO_ONCE=1 ends when all is shown)
	go build -C test/e2e -o $(BIN)/demo ./cmd/demo
	$(E2E_ENV) $(BIN)/demo

.PHONY: test
test: test-unit test-e2e ## Run all tests

.PHONY: test-unit
test-unit: ## Run the unit tests, with the race detector where there is a C compiler
	@if command -v "$$(go env CC)" >/dev/null; then \
		$(MAKE) --no-print-directory test-race; \
	else \
		echo "No C compiler: the unit tests run without the race detector."; go test ./...; \
	fi

.PHONY: test-race
test-race: ## Run the unit tests with the race detector, which needs a C compiler
	CGO_ENABLED=1 go test -race ./...
	@echo "The random tests do less with the race detector, and bytes are not counted: here is all of it."
	go test ./pkg/compat ./test/simulation ./test/hostile -run '^Test(Random|Seeds|Templates|FunctionsPay)'

.PHONY: test-e2e
test-e2e: build controlplane ## Run the tests on a real API server
	$(E2E_ENV) go test -C test/e2e -count=1 -timeout 30m .

.PHONY: helm
helm: ## Build Helm 4 and 3 (a cold build takes 5 to 15 minutes)
	@hack/build-with-progress.sh tools/helm4 helm.sh/helm/v4/cmd/helm $(BIN)/helm4 ""
	@hack/build-with-progress.sh tools/helm3 helm.sh/helm/v3/cmd/helm $(BIN)/helm3 ""

.PHONY: test-chart
test-chart: build helm ## Test the templates of the Helm chart
	$(HELM_ENV) go test -C test/e2e -count=1 -run '^TestTemplate' ./chart $(if $(UPDATE),-update)

.PHONY: e2e-chart
e2e-chart: build controlplane helm ## Install the Helm chart on a real API server, in namespaces of its own
	$(E2E_ENV) $(HELM_ENV) go test -C test/e2e -count=1 -timeout 30m -run '^TestInstall' ./chart -e2e

# The image's binaries say nothing of the folder or the time that they were built in. Their packages are compiled anew
# for each architecture, which takes minutes the first time.
IMAGE := ghcr.io/clusterimport/clusterimport
ARCHS := amd64 arm64
DIST := $(CURDIR)/dist

.PHONY: image
image: ## Build the container image of all ARCHS into DIST: an OCI layout, tarballs and SBOMs
	for arch in $(ARCHS); do \
		GOOS=linux GOARCH=$$arch go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= $(LDFLAGS)" -o $(DIST)/linux-$$arch/ ./cmd/...; \
	done
	go build -C tools/image -o $(BIN)/image .
	$(BIN)/image --output $(DIST) --name $(IMAGE) --version $(VERSION) $(foreach arch,$(ARCHS),$(arch)=$(DIST)/linux-$(arch))

.PHONY: test-image
test-image: image ## Test how images are made, and that the image of another folder has the same digest
	go test -C tools/image -count=1 ./...
	copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; git ls-files -z | xargs -0 cp --parents -t "$$copy"; \
		$(MAKE) --no-print-directory -C "$$copy" image VERSION=$(VERSION) DIST="$$copy/dist" >/dev/null; \
		diff $(DIST)/digest "$$copy/dist/digest"

.PHONY: prometheus
prometheus: ## Build Prometheus and promtool (a cold build takes 3 to 10 minutes)
	go build -C test/observability -tags remove_all_sd -o $(BIN)/ \
		github.com/prometheus/prometheus/cmd/prometheus github.com/prometheus/prometheus/cmd/promtool

ALERTS := charts/clusterimport/alerts/clusterimport.yaml

.PHONY: test-metrics
test-metrics: prometheus ## Test dashboards, alerts and what pages say of metrics with Prometheus' parser and promtool
	go test -C test/observability -tags remove_all_sd ./...
	$(BIN)/promtool check rules --lint=all --lint-fatal $(ALERTS)
	$(BIN)/promtool test rules test/observability/testdata/alerts_test.yaml

.PHONY: e2e-metrics
e2e-metrics: build controlplane prometheus ## Scrape the controller with a real Prometheus: every panel has data, every alert fires in its fault
	$(E2E_ENV) PROMETHEUS_BIN=$(BIN)/prometheus PROMTOOL_BIN=$(BIN)/promtool \
		go test -C test/e2e -count=1 -timeout 20m ./observability
.PHONY: soak
soak: ## Run SOAK simulations of SOAK_STEPS steps each, from the seed SOAK_FIRST on
	go test -count=1 -timeout 24h -run '^TestSeeds$$' ./test/simulation -seeds $(SOAK) -steps $(SOAK_STEPS) -first $(SOAK_FIRST)

# Drawing needs node, npm and Chromium. The packages are installed where Go does not look for Go code.
CHROMIUM ?= chromium
SCREENSHOTS := $(BIN)/.screenshots

.PHONY: dashboard-screenshots
dashboard-screenshots: ## Draw the dashboards with Grafana's components, from hack/screenshots/recording.json, into docs/images
	mkdir -p $(SCREENSHOTS)
	cp hack/screenshots/* $(SCREENSHOTS)/
	cd $(SCREENSHOTS) && npm ci --no-audit --no-fund --ignore-scripts
	cd $(SCREENSHOTS) && node draw.mjs $(CURDIR)/charts/clusterimport/dashboards recording.json page.jsx $(CURDIR)/docs/images $(CHROMIUM)

.PHONY: fuzz
fuzz: ## Run every fuzz test for FUZZTIME
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: bench
bench: ## Run the benchmarks, compare and write docs/performance.md
	go test ./test/bench -run '^TestReport$$' -report $(CURDIR)/docs/performance.md -test.benchtime 100ms -timeout 20m
	go test -run '^$$' -bench . -benchmem $$(go list ./... | grep -v /test/bench)

.PHONY: lint
lint: ## Run the linters
	$(TOOL) golangci-lint run ./...
	for module in test/e2e tools/image; do (cd $$module && $(TOOL) golangci-lint run --config ../../.golangci.yaml ./...); done
	cd test/observability && $(TOOL) golangci-lint run --config ../../.golangci.yaml ./...

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what the binaries call (asks vuln.go.dev)
	$(TOOL) govulncheck ./...

.PHONY: generate
generate: ## Generate deepcopy functions, CRDs, docs/metrics.md, dashboards and the chart's README
	$(TOOL) controller-gen object paths=./api/policy/... paths=./api/cluster/...
	$(TOOL) controller-gen crd paths=./api/policy/... paths=./api/cluster/... output:crd:dir=api/crd
	go tool -modfile=$(CURDIR)/tools/helm3/go.mod helm-docs --chart-search-root charts --log-level warning
	go test ./internal/metrics -run '^TestReference$$' -update
	go test ./internal/dashboards -run '^TestFiles$$' -update

.PHONY: verify
verify: generate ## Fail when generated code, modules or formatting are not up to date
	go mod tidy
	cd test/e2e && go mod tidy
	cd test/observability && go mod tidy
	for tools in tools tools/image tools/helm4 tools/helm3; do (cd $$tools && go mod tidy); done
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	git diff --exit-code

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BIN)
