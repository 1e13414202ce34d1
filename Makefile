# help   this list
# long   names the tests that make test runs whole, without the race detector
# demo   a whole fleet against an embedded AWS in one process; proves lake == table
# test   vet, the tests with the race detector, and the long ones without it; PKG and LONGPKG limit the two
# check  format, vet, staticcheck, known vulnerabilities, go.mod files tidy
# bench  every benchmark, COUNT times, summed up; BASE=<earlier file> compares
# fuzz   each fuzz target for FUZZTIME
# build  the static binary, bin/dynamolake
# fmt    format all Go files

.PHONY: help demo test long check bench fuzz build fmt
.DELETE_ON_ERROR:

SHELL := bash -o pipefail
LINT  := go tool -modfile=tools/lint/go.mod
STAT  := go tool -modfile=tools/bench/go.mod benchstat

# Linking DuckDB into a test takes about a gigabyte: two links at once, no more.
P        ?= 2
TIMEOUT  ?= 20m
PKG      ?= ./...
# Under -short tests leave out what the race detector would make take an hour. Those that do, by their own text, run whole
# without it; internal/house holds them to that form.
LONG     := $(shell grep -rl --include='*_test.go' 'testing\.Short' .)
LONGPKG  ?= $(shell dirname $(LONG) | sort -u)
LONGTEST := $(shell awk -F'[^A-Za-z0-9_]' '/^func /{name = $$2} /testing\.Short/{print name}' $(LONG) | LC_ALL=C sort -u | paste -sd '|')
BENCH    ?= .
COUNT    ?= 6
FUZZTIME ?= 20s

help:
	@sed -n '/^# /!q; s/^# /make /p' Makefile

demo:
	go run ./cmd/dynamolake demo $(ARGS)

# Tests, and the compiler, are short of time and not of memory: a fifth less of it.
test: export GOGC ?= 400
test:
	go vet ./...
	go test -race -short -vet=off -p $(P) -timeout $(TIMEOUT) $(PKG)
	go test -vet=off -p $(P) -timeout $(TIMEOUT) -run '^($(LONGTEST))$$' $(LONGPKG)

long:
	@echo '$(LONGTEST)' | tr '|' '\n'

check:
	@unformatted=$$($(LINT) gofumpt -l .) || exit 1; \
	if [ -n "$$unformatted" ]; then printf 'not formatted, run make fmt:\n%s\n' "$$unformatted"; exit 1; fi
	go vet ./...
	$(LINT) staticcheck ./...
	tools/lint/vulncheck
	@for m in . tools/lint tools/bench tools/versitygw tools/deploy; do \
		echo "go -C $$m mod tidy -diff"; go -C $$m mod tidy -diff || exit 1; done

# A timed figure passes or fails nothing: the summary is for docs/performance.md.
bench:
	@mkdir -p bin
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -p 1 -timeout 2h $(PKG) | tee bin/bench.txt
	$(STAT) $(BASE) bin/bench.txt

fuzz:
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort | \
	while IFS=: read -r file target; do \
		echo "$$(dirname $$file) $${target#func }"; \
		go test -run '^$$' -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) "$$(dirname $$file)" || exit 1; \
	done

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/dynamolake ./cmd/dynamolake

fmt:
	$(LINT) gofumpt -w .
