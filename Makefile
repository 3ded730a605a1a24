# SPDX-License-Identifier: Apache-2.0
#
# Each target calls one tool, which can be called by hand as well.

BASE ?= 7.3
OUT ?= series-$(BASE)

.PHONY: help run test shell series check kernel bench deps clean

help:
	@echo 'make run      the ride: build everything, boot it, use a famfs'
	@echo 'make test     all tests; STAGES="NAME..." runs some of them'
	@echo 'make shell    a shell in the guest'
	@echo 'make series   the kernel series as mail for git am, in $(OUT)/ (OUT=)'
	@echo 'make check    static checks: scripts, patches, documentation'
	@echo 'make kernel   the kernel with the series; prints its path (FLAVOUR=debug)'
	@echo 'make bench    measures, in instructions; not a part of the tests'
	@echo 'make deps     installs the Debian packages that all this needs'
	@echo 'make clean    removes what was built, keeps what was downloaded'
	@echo
	@echo 'KSRC=PATH takes the kernel source from a tree or tarball.'
	@echo 'Downloads and builds lie in $${FAMFS_CACHE:-~/.cache/famfs}.'

deps:
	@tools/lib/deps

run: deps
	@tools/testing/ride/ride

test: deps
	@tools/testing/run $(STAGES)

shell: deps
	@tools/testing/qemu/run --shell

series: deps
	@tools/series/series emit $(BASE) '$(OUT)'

check: deps
	@tools/check/check $(BASE)

kernel: deps
	@tools/testing/qemu/kernel $(or $(FLAVOUR),plain)

bench: deps
	@$(MAKE) -s -C tools/bench bench

clean:
	@tools/lib/clean
