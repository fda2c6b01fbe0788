# common.mk: what every pipeline includes, after its parameters.  A pipe fails when any part of it fails, a recipe that fails leaves no
# target behind, and the programs of this tree come first.  Never end a recipe's pipe in `head`: its writer would fail.
SHELL = /bin/bash
.SHELLFLAGS = -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# the file that includes this one, and the tree it stands in
PIPELINE := $(firstword $(MAKEFILE_LIST))
ROOT := $(patsubst %/,%,$(dir $(abspath $(dir $(lastword $(MAKEFILE_LIST))))))
BIN ?= $(ROOT)/build/bin
export PATH := $(BIN):$(PATH)
export LC_ALL := C
THREADS ?= 0

# the parameters of a pipeline, lines NAME ?= default  ## what it is: without the blanks before the ##
PARAMETERS := $(shell sed -n 's/^\([A-Z_]*\) ?= .*/\1/p' $(PIPELINE))
$(foreach p,$(PARAMETERS),$(eval override $p := $$(strip $$($p))))

.DEFAULT_GOAL = all

# `make -f pipelines/x.mk help`: its lines that begin with ##, and its variables with their defaults and what they are
help:
	@awk '/^## ?/ { sub(/^## ?/, ""); print; next } \
		/^[A-Z_]+ \?= / { split($$0, p, "  ## "); name = $$1; sub(/^[A-Z_]+ \?= /, "", p[1]); \
			printf "  %-14s %s%s\n", name, p[2], p[1] == "" ? "" : " (" p[1] ")" }' $(PIPELINE)
.PHONY: help
