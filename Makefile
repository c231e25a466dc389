# Caisson. `make help` lists what there is; `make demo` and `make test` do
# their own set-up on a Debian 12 or 13 machine (amd64).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
OUT     ?= out
SPEC    ?= examples/demo/caisson.yaml
ISO     ?= $(OUT)/demo.iso
# Where the e2e scenarios put screens, journals, events and phase tables.
RESULTS ?= $(OUT)/e2e
# With REGISTRY_BIN=path/to/zot the demo's registry is that zot, not Distribution.
ifdef REGISTRY_BIN
SPEC    := $(OUT)/zot/caisson.yaml
ISO     := $(OUT)/demo-zot.iso
RESULTS := $(OUT)/e2e-zot
demo-iso: zot-spec
endif
LDFLAGS := -s -w -X caisson.dev/caisson/internal/version.Version=$(VERSION)
GO      := CGO_ENABLED=0 go
# Debian packages of the build machine. The node OS has its own list (nodeos).
# uidmap is for builds as an ordinary user; the last line is for tests, which
# with CI=true fail where a tool of it is missing.
HOST_PACKAGES := ca-certificates gcc libc6-dev libblkid-dev make uidmap \
	mmdebstrap debian-archive-keyring squashfs-tools cryptsetup-bin zstd \
	qemu-system-x86 qemu-utils ovmf xorriso gdisk fdisk dosfstools mtools e2fsprogs minisign \
	dpkg-dev gnupg grub-common openssl openssh-client iproute2

.PHONY: help setup build test test-big e2e e2e-core e2e-sealed e2e-console e2e-standin demo reproduce bench fuzz lint clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install the build machine's Debian packages that are missing (needs root or sudo)
	@missing=(); for p in $(HOST_PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing+=($$p); done; \
	if ((!$${#missing[@]})); then exit 0; fi; \
	echo "installing: $${missing[*]}"; sudo=; [[ $$(id -u) = 0 ]] || sudo=sudo; \
	release=$$(. /etc/os-release && echo $$VERSION_CODENAME); \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qq -y --no-install-recommends -t $$release "$${missing[@]}" >/dev/null

build: ## compile the programs into bin/
	$(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

test: setup build ## unit, golden, CLI and format tests (minutes; no VM)
	go vet ./... && go vet -tags e2e ./qemu-tests/...
	go test ./...

test-big: setup ## a medium with a file over 4 GiB, read back by other tools (needs 10 GB of disk)
	CAISSON_TEST_BIG=1 go test ./iso/iso9660 -count 1 -run 'Over4GiB' -v

$(ISO): demo-iso
.PHONY: demo-iso
demo-iso: setup build
	bin/caisson build $(SPEC) -o $(ISO) --force

# The demo's own files with another registry, and its pins for all the rest.
.PHONY: zot-spec
zot-spec: setup build
	mkdir -p $(OUT)/zot && install -m 0755 $(REGISTRY_BIN) $(OUT)/zot/zot && cp examples/demo/*.yaml $(OUT)/zot/
	! [[ -e examples/demo/caisson.lock && ! -e $(OUT)/zot/caisson.lock ]] || cp examples/demo/caisson.lock $(OUT)/zot/
	sed -i '/^registry:/,/^[a-z]*:$$/{s/engine: distribution/engine: zot/;s/version: .*/binary: {path: zot}/}' $(OUT)/zot/caisson.yaml
	bin/caisson lock $(OUT)/zot/caisson.yaml

demo: demo-iso ## the whole way: ISO, unattended install in QEMU without a network card, reboot, Ready node
	go test -tags e2e ./qemu-tests/scenarios -run 'TestBlankDiskToReadyNode$$' -count 1 -v -timeout 80m -args -iso $(abspath $(ISO)) -out $(abspath $(RESULTS))

e2e-core: demo ## the scenario that CI runs

e2e: demo-iso ## every scenario in QEMU (long under emulation); REGISTRY_BIN=zot runs them with that registry
	go test -tags e2e ./qemu-tests/scenarios -count 1 -v -timeout 170m -args -iso $(abspath $(ISO)) -out $(abspath $(RESULTS))

# The demo with its CAs made beforehand; the passphrase is for this test alone.
SEALED := $(OUT)/sealed
e2e-sealed: setup build ## the cluster's CAs travel sealed, and are opened on the screen in QEMU
	rm -rf $(SEALED) && mkdir -p $(SEALED) && cp examples/demo/*.yaml $(SEALED)/
	! [[ -e examples/demo/caisson.lock ]] || cp examples/demo/caisson.lock $(SEALED)/
	echo 'secrets: {sealed: cluster-secrets.age}' >> $(SEALED)/caisson.yaml
	echo 'for tests of Caisson only' > $(SEALED)/passphrase.txt
	bin/caisson secrets $(SEALED)/caisson.yaml --passphrase-file $(SEALED)/passphrase.txt
	bin/caisson lock $(SEALED)/caisson.yaml
	bin/caisson build $(SEALED)/caisson.yaml -o $(SEALED)/sealed.iso
	go test -tags e2e ./qemu-tests/scenarios -run 'TestSealedSecrets' -count 1 -v -timeout 80m -args -iso $(abspath $(SEALED))/sealed.iso \
	  -out $(abspath $(SEALED))/results -passphrase $(abspath $(SEALED))/passphrase.txt

# The demo with what its own Spec has no room for: a worker with a network card
# (the test is its neighbour at the cable) and a root shell.
CONSOLE := $(OUT)/console
e2e-console: setup build ## the node's own screen in QEMU: another address, VLAN and MTU; the root shell
	rm -rf $(CONSOLE) && mkdir -p $(CONSOLE) && cp examples/demo/*.yaml $(CONSOLE)/
	! [[ -e examples/demo/caisson.lock ]] || cp examples/demo/caisson.lock $(CONSOLE)/
	sed -i 's/^os:$$/os:\n  rootShell: true/' $(CONSOLE)/caisson.yaml
	cat qemu-tests/scenarios/testdata/console-nodes.yaml >> $(CONSOLE)/caisson.yaml
	bin/caisson lock $(CONSOLE)/caisson.yaml
	bin/caisson build $(CONSOLE)/caisson.yaml -o $(CONSOLE)/console.iso
	go test -tags e2e ./qemu-tests/scenarios -run 'TestAddressChangedAtTheConsole|TestRootShell' -count 1 -v -timeout 170m -args -iso $(abspath $(CONSOLE))/console.iso \
	  -out $(abspath $(CONSOLE))/results

# RKE2 and K3s do not run here. Media with stand-ins say STAND-IN in their names,
# and no build makes one without the variable that is set below.
STANDIN := $(OUT)/standin

e2e-standin: setup build ## installed RKE2 and K3s nodes in QEMU, with stand-ins in their place
	for p in rke2 k3s; do dir=$(STANDIN)/$$p; other=k3s; [[ $$p = rke2 ]] || other=rke2; \
	  rm -rf $$dir && mkdir -p $$dir && cp qemu-tests/standin/specs/$$p/caisson.yaml $$dir/; \
	  go run ./qemu-tests/standin/release -o $$dir/releases -$$other none; \
	  echo 'for tests of Caisson only' > $$dir/passphrase.txt; \
	  ! grep -q '^secrets:' $$dir/caisson.yaml || bin/caisson secrets $$dir/caisson.yaml --passphrase-file $$dir/passphrase.txt; \
	  CAISSON_ALLOW_STAND_INS=1 bin/caisson build $$dir/caisson.yaml -o $$dir/$$p.iso --force; \
	  go test -tags e2e ./qemu-tests/scenarios -run 'TestStandIn' -count 1 -v -timeout 170m -args -iso $(abspath $(STANDIN))/$$p/$$p.iso \
	    -out $(abspath $(STANDIN))/$$p/results -passphrase $(abspath $(STANDIN))/$$p/passphrase.txt; \
	done

reproduce: demo-iso ## the same ISO again, from empty caches, and compare (as long as a first build)
	rm -rf $(OUT)/again && mkdir -p $(OUT)/again
	CAISSON_CACHE=$(abspath $(OUT))/again/cache GOCACHE=$(abspath $(OUT))/again/go bin/caisson build $(SPEC) -o $(OUT)/again/again.iso
	cmp $(ISO) $(OUT)/again/again.iso && echo "two builds, one digest: $$(sha256sum < $(ISO))"

bench: setup build ## the benchmarks of docs/benchmarks.md, each with its peer in the same run
	go test -run '^$$' -bench . -benchtime 1x ./iso/... ./bundle/... ./internal/assemble/...

fuzz: ## every fuzzer for 30 s, then a million events for each kind of screens
	@for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
	  for n in $$(grep -hoE '^func Fuzz[A-Za-z]+' $$f/*_test.go | cut -c6-); do go test $$f -run '^$$' -fuzz "^$$n$$" -fuzztime 30s; done; done
	EVENTS=1000000 go test ./tui -run '^TestMany' -count 1 -v

lint: ## formatting and vet
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...

clean: ## remove bin/ and out/ (the cache stays)
	rm -rf bin $(OUT)
