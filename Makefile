# SPDX-License-Identifier: Apache-2.0
#
# Each target calls one tool, which can be called by hand as well.

# What BASE= names; else the newest base, or all of them where that is said.
NEWEST := 7.3
OUT ?= series-$(or $(BASE),$(NEWEST))
ifdef BASE
export BASE
endif

.PHONY: help run test test-modules shell series deb check kernel bench deps clean

help:
	@echo 'make run      the ride: build everything, boot it, use a famfs'
	@echo 'make test     all tests on all bases; STAGES="NAME..." runs some of them'
	@echo 'make test-modules   more: modules loaded and unloaded, on all bases'
	@echo 'make shell    a shell in the guest'
	@echo 'make series   the kernel series as mail for git am, in $(OUT)/ (OUT=)'
	@echo 'make deb      packages of a kernel with the series, for Debian, in deb-BASE/'
	@echo 'make check    static checks: scripts, patches, documentation'
	@echo 'make kernel   the kernel with the series; prints its path (FLAVOUR=debug)'
	@echo 'make bench    measures, in instructions; not a part of the tests'
	@echo 'make deps     installs the Debian packages that all this needs'
	@echo 'make clean    removes what was built, keeps what was downloaded'
	@echo
	@echo 'BASE=6.12 does it for Linux 6.12 instead of 7.3.'
	@echo 'KSRC=PATH takes the kernel source from a tree or tarball.'
	@echo 'Downloads and builds lie in $${FAMFS_CACHE:-~/.cache/famfs}.'

deps:
	@tools/lib/deps

run: deps
	@tools/testing/ride/ride

test: deps
	@tools/testing/run $(STAGES)

test-modules: deps
	@tools/testing/run --stages tools/testing/more guest-modules

shell: deps
	@tools/testing/qemu/run --shell

series: deps
	@tools/series/series emit $(or $(BASE),$(NEWEST)) '$(OUT)'

deb: deps
	@tools/series/series deb $(or $(BASE),$(NEWEST)) 'deb-$(or $(BASE),$(NEWEST))'

check: deps
	@tools/check/check $(BASE)

kernel: deps
	@tools/testing/qemu/kernel $(or $(FLAVOUR),plain)

bench: deps
	@$(MAKE) -s -C tools/bench bench

clean:
	@tools/lib/clean
