# rill: every rule.  `make help` prints them.
#
# Parts: 1 what may be set from outside, 2 flags, 3 build, 4 checks, 5 install, 6 the rest

VERSION := $(shell cat VERSION)

# ---- 1 what may be set from outside: CC CFLAGS CPPFLAGS LDFLAGS, and these
PREFIX ?= /usr/local
MANPREFIX ?= $(PREFIX)/share/man
DESTDIR ?=
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
NVCC ?= nvcc
# SAN=address,undefined or SAN=thread builds beside the plain build, into build-address-undefined and so on
SAN ?=
# more flags for lib/ alone: tests/deep/coverage.sh measures it
LIB_CFLAGS ?=
comma = ,
# gcc's OpenMP is not instrumented: every parallel loop would look like a race
ifeq ($(SAN)$(origin CC),threaddefault)
CC = clang
CXX = clang++
endif
LIBFUZZER = $(findstring fuzzer-no-link,$(SAN))
B = build$(if $(SAN),-$(subst $(comma),-,$(SAN)))

# ---- 2 flags
# no -march: a kernel's level is in its file name and the level used is chosen at run time
PKGS = libzstd libbsd-overlay libmd zlib jansson
# asked once, and only when something is compiled
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS)))$(PKG_LIBS)
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2 \
	-Werror=unused-result -Wno-unknown-pragmas $(WERROR)
LINUX := $(filter Linux,$(shell uname -s))
# hardening stays out of sanitizer builds, and fortification out of builds without optimisation
HARDEN = $(if $(SAN),,-fstack-protector-strong $(if $(LINUX),-fstack-clash-protection) $(FORTIFY))
FORTIFY = $(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),$(if $(findstring _FORTIFY_SOURCE,$(CFLAGS) $(CPPFLAGS)),,\
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CFLAGS = -std=c11 -D_DEFAULT_SOURCE -DRILL_VERSION='"$(VERSION)"' -Ilib -Ikernels -fopenmp -fPIE \
	-ffile-prefix-map=$(CURDIR)=. $(WARN) $(HARDEN) $(PKG_CFLAGS) $(SANFLAGS) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -fopenmp $(SANFLAGS) $(if $(LINUX),$(if $(SAN),,-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now)) \
	$(LDFLAGS)
LIBS = $(PKG_LIBS) -ldl -lm

# ---- 3 build
# libFuzzer's build is of what reads files
LIB_SRC = $(wildcard $(if $(LIBFUZZER),lib/stream/*.c lib/seq/*.c lib/fold/energy*.c lib/fold/mfe*.c lib/fold/fold_*.c \
	lib/nn/config*.c lib/nn/names.c lib/nn/replace.c lib/nn/safetensors*.c,lib/*/*.c kernels/*.c))
LIB_OBJ = $(LIB_SRC:%.c=$(B)/%.o)
TOOL_SRC = $(wildcard tools/rna-*.c)
TOOLS = $(TOOL_SRC:tools/%.c=$(B)/bin/%)
UNIT_SRC = $(wildcard tests/unit_*.c)
UNITS = $(UNIT_SRC:tests/%.c=$(B)/tests/%) $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/reader.c tests/record_make.c tests/fold_steps.c))
# fuzz targets: driven by libFuzzer in the build of make fuzz, else by tests/fuzz/driver.c, a fixed number of mutations
FUZZ_SRC = $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS = $(FUZZ_SRC:tests/%.c=$(B)/tests/%)
# checkers of tests/deep: programs, and a library that is loaded before a program's others
DEEP = $(patsubst tests/%.c,$(B)/tests/%,$(filter-out %/preload.c,$(wildcard tests/deep/*.c))) $(B)/tests/deep/preload.so
BENCH_SRC = $(wildcard tests/bench_*.c)
BENCHES = $(BENCH_SRC:tests/%.c=$(B)/tests/%)
# the CUDA plug-in in the emulator, where there is a C++ compiler
EMULATOR = $(if $(shell command -v $(CXX) 2>/dev/null),$(B)/lib/rill/librna-cuda-emu.so)
# the CUDA plug-in: plain make builds it too; what runs the checks does not wait for it
CUDA_LIB = $(B)/lib/rill/librna-cuda.so
CUDA ?= $(if $(shell command -v $(NVCC) 2>/dev/null),1,0)
PLUGIN = $(if $(filter 1,$(CUDA)),$(CUDA_LIB))
COMPLETIONS = $(if $(TOOLS),$(B)/completions/.made)

## everything: all, and where nvcc is found cuda, which CUDA=0 leaves out (the default)
everything: all $(if $(SAN),,$(PLUGIN))

## all: build the programs into build/bin, and the shell completions
all: $(TOOLS) $(if $(SAN),,$(COMPLETIONS))

## units: build the unit tests
units: $(UNITS) $(FUZZERS) $(EMULATOR) $(if $(SAN),,$(DEEP) $(BENCHES))

$(B)/kernels/%_avx2.o: LEVEL = -mavx2 -mfma
$(B)/kernels/%_avx512.o: LEVEL = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma
$(B)/lib/fold/%_avx2.o: LEVEL = -mavx2
$(B)/lib/fold/%_avx512.o: LEVEL = -mavx512f
$(B)/kernels/%_avx512bf16.o: LEVEL = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512bf16 -mavx512vnni -mfma

# one short line a step; V=1 shows the commands
$(if $(V),,$(eval Q := @))
say = $(if $(V),,@echo '$(1)')

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) $(ALL_CFLAGS) $(LEVEL) $(if $(filter $(B)/lib/%,$@),$(LIB_CFLAGS)) -MMD -MP -c -o $@ $<

# changes when the compiler or a flag does, so that what was built another way is built again
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(VERSION) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(VERSION) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' > $@

$(B)/librna.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR $@)
	$(Q)$(AR) rcs $@ $^

# rna-x is tools/rna-x.c, its further files tools/x_*.c, and what all share, tools/tool*.c; rna-predict runs a model as
# rna-embed does
$(B)/bin/rna-predict: $(patsubst %.c,$(B)/%.o,$(wildcard tools/embed_*.c))
SHARED_OBJ = $(patsubst %.c,$(B)/%.o,$(wildcard tools/tool.c tools/tool_*.c))
.SECONDEXPANSION:
$(B)/bin/rna-%: $(B)/tools/rna-%.o $$(patsubst tools/$$(percent).c,$(B)/tools/$$(percent).o,$$(wildcard tools/$$*_*.c)) \
		$(SHARED_OBJ) $(B)/librna.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(B)/librna.a $(LIBS)
percent = %

$(FUZZERS): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/limit.o $(if $(LIBFUZZER),,$(B)/tests/fuzz/driver.o) $(B)/librna.a
	$(call say,LD $@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(if $(LIBFUZZER),-fsanitize=fuzzer) -o $@ $^ $(LIBS)

$(B)/tests/deep/preload.so: tests/deep/preload.c tests/deep/preload.h $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC $@)
	$(Q)$(CC) -std=c11 -fPIC -shared $(WARN) $(CFLAGS) -o $@ $< -ldl

$(B)/tests/%: $(B)/tests/%.o $(B)/librna.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# The CUDA plug-in: kernels/cuda_*.cu by nvcc, for every architecture since sm_80; a later one takes the PTX of the last.
# CUDA_ARCH=90a builds for one only.
CUDA_SRC = $(wildcard kernels/cuda_*.cu)
CUDA_ARCH ?= 80 86 89 90a 100 120
NVCC_FLAGS = -std=c++17 -MMD -MP -O3 -Ikernels -Xcompiler -fPIC,-fvisibility=hidden,-Wall -Xptxas -v --threads 2 \
	$(foreach a,$(CUDA_ARCH),-gencode arch=compute_$a,code=sm_$a) \
	-gencode arch=compute_$(lastword $(CUDA_ARCH)),code=compute_$(lastword $(CUDA_ARCH))

## cuda: build the plug-in for -d cuda alone, into build/lib/rill (nvcc 13; CUDA_ARCH=90a for one architecture)
cuda: $(CUDA_LIB)

$(B)/cuda/%.o: kernels/%.cu $(B)/cuda/flags
	@mkdir -p $(@D)
	$(call say,NVCC $<)
	$(Q)$(NVCC) $(NVCC_FLAGS) -MF $(@:.o=.d) -c -o $@ $< 2> $@.log || { cat $@.log; exit 1; }

$(B)/cuda/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(NVCC) $(NVCC_FLAGS)' | cmp -s - $@ || echo '$(NVCC) $(NVCC_FLAGS)' > $@

$(CUDA_LIB): $(CUDA_SRC:kernels/%.cu=$(B)/cuda/%.o)
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(NVCC) -shared -cudart static -o $@ $^ -ldl

# The same text for the CPU, with stand-ins for the GPU (tests/emu): a plug-in for tests on machines without one.
EMU_OBJ = $(patsubst %,$(B)/emu/%.o,$(basename $(notdir $(filter-out kernels/cuda_lt.cu,$(CUDA_SRC)) \
	$(wildcard tests/emu/*.cpp))))
EMU_FLAGS = -std=c++17 -O2 -g -fPIC -fvisibility=hidden -DRILL_EMU -Itests/emu -Ikernels -Wall -Wextra \
	-Wno-unknown-pragmas $(WERROR) $(SANFLAGS)
# the fibers' own text must stay out of the race checker's sight
$(B)/emu/emu_%.o: EMU_FLAGS += $(if $(filter thread,$(SAN)),-fno-sanitize=thread)

$(B)/emu/%.o: kernels/%.cu $(B)/flags
	@mkdir -p $(@D)
	$(call say,CXX $<)
	$(Q)$(CXX) $(EMU_FLAGS) -MMD -MP -x c++ -c -o $@ $<

$(B)/emu/%.o: tests/emu/%.cpp $(B)/flags
	@mkdir -p $(@D)
	$(call say,CXX $<)
	$(Q)$(CXX) $(EMU_FLAGS) -MMD -MP -c -o $@ $<

$(B)/lib/rill/librna-cuda-emu.so: $(EMU_OBJ)
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(CXX) -shared $(SANFLAGS) -o $@ $^

# completions come from the programs' own option tables
$(B)/completions/.made: completions/generate.sh $(TOOLS)
	@mkdir -p $(@D)
	$(call say,GEN $(@D))
	$(Q)sh completions/generate.sh $(B)/bin $(@D)
	@touch $@

## deps: install what building, checking and the demo need (apt, dnf or brew), or print the line to type
deps:
	@sh .ci/deps.sh

# `make check` on its own uses all processors; under -j it leaves the number to the caller
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || sysctl -n hw.ncpu))

## demo: the sample RNAs through every step, a minute of training, a table of what was learned
demo:
	@sh .ci/deps.sh demo
	+@$(MAKE) --no-print-directory $(JOBS) all
	+@$(MAKE) --no-print-directory -f pipelines/demo.mk BIN=$(CURDIR)/$(B)/bin

# ---- 4 checks
## check-quick: unit tests and the fast half of the others (under a minute)
## check: everything that needs no special machine (under 5 minutes); SAN=address,undefined for a sanitizer
## check-deep: check with the long tests and all classes of tests/README.md, then all again under the sanitizers
check-quick check:
	@sh .ci/deps.sh check
	+@$(MAKE) --no-print-directory $(JOBS) WERROR=$(if $(filter thread,$(SAN)),,-Werror) all units
	@B=$(B) bash tests/run.sh $(@:check-%=%)

check-deep:
	@sh .ci/deps.sh deep
	+@$(MAKE) --no-print-directory $(JOBS) WERROR=$(if $(filter thread,$(SAN)),,-Werror) all units
	@B=$(B) bash tests/run.sh deep
	+@$(MAKE) --no-print-directory SAN=address,undefined check
	+@$(MAKE) --no-print-directory SAN=thread check

# seconds for each fuzz target
FUZZ_S ?= 60
## fuzz: nine targets under libFuzzer and sanitizers, FUZZ_S=60 seconds each (without clang: a fixed number of mutations)
fuzz:
	@sh .ci/deps.sh deep
	+@if command -v clang >/dev/null; then \
		$(MAKE) --no-print-directory $(JOBS) CC=clang SAN=fuzzer-no-link,address,undefined fuzzers; \
	else $(MAKE) --no-print-directory $(JOBS) SAN=address,undefined fuzzers; fi
	@FUZZ_S=$(FUZZ_S) bash tests/fuzz/run.sh

## fuzzers: build the fuzz targets
fuzzers: $(FUZZERS)

## bench: time the kernels, the model and the pipe's programs; tables go to pipelines/bench/ (FASTA=... MOTIFS="...")
bench: $(BENCHES) $(TOOLS) $(B)/tests/deep/peak
	@mkdir -p pipelines/bench
	@set -e; for b in $(BENCHES); do n=$${b##*/}; echo "$$n -> pipelines/bench/$${n#bench_}.tsv"; \
		$$b > $(B)/$$n.tsv; mv $(B)/$$n.tsv pipelines/bench/$${n#bench_}.tsv; done
	B=$(B) tests/bench_tools.sh $(FASTA) $(MOTIFS) > $(B)/bench_tools.tsv
	mv $(B)/bench_tools.tsv pipelines/bench/tools.tsv
	B=$(B) tests/bench_growth.sh > $(B)/bench_growth.tsv
	mv $(B)/bench_growth.tsv pipelines/bench/growth.tsv

## bench-torch: the same model in current torch, in PYTHON's environment; LENGTHS=FASTA: RNAs of natural lengths too
PYTHON ?= python3
bench-torch: $(B)/tests/bench_model $(B)/tests/bench_kernels $(TOOLS)
	@mkdir -p pipelines/bench
	$(PYTHON) tests/peers/bench_torch.py --compile --threads 1$(if $(filter-out 1,$(shell nproc)),$(comma)$(shell nproc)) \
		$(if $(LENGTHS),--lengths $(LENGTHS)) $(B) > $(B)/bench_torch.tsv
	mv $(B)/bench_torch.tsv pipelines/bench/torch.tsv

# the card's own architecture is enough here; EMU=1: the emulator, no nvcc
GPU_ARCH = $(shell nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | sed -n '1s/\.//p' | \
	sed 's/^90$$/90a/')

## check-gpu: what has to hold on an NVIDIA GPU, under 8 minutes (EMU=1: a trial in the emulator)
## bench-gpu: time an NVIDIA GPU, PyTorch beside it; tables go to pipelines/bench/ (EMU=1: a trial)
check-gpu bench-gpu:
	+@$(MAKE) --no-print-directory $(JOBS) all units $(B)/tests/gpu_model $(B)/tests/gpu_fold $(B)/tests/gpu_foldnet \
		$(if $(filter 1,$(EMU)),,cuda $(if $(GPU_ARCH),CUDA_ARCH=$(GPU_ARCH)))
	@B=$(B) EMU=$(or $(EMU),0) bash tests/gpu_$(@:%-gpu=%).sh

C_FILES = $(wildcard lib/*/*.[ch] kernels/*.[ch] tools/*.[ch] tests/*.[ch] tests/fuzz/*.[ch] tests/deep/*.[ch])
SH_FILES = $(wildcard .ci/*.sh completions/*.sh tests/*.sh tests/*.bash tests/peers/*.sh tests/fuzz/*.sh \
	tests/deep/*.sh) .ci/run
MAN_PAGES = $(wildcard man/*.[1-8])

## lint: style, sizes, shellcheck, cppcheck, man pages
lint:
	@sh .ci/deps.sh lint
	@bash .ci/style.sh $(C_FILES) $(CUDA_SRC) $(wildcard tests/emu/*.h tests/emu/*.cpp)
	shellcheck $(SH_FILES)
	shellcheck -S warning -s bats -e SC2030,SC2031,SC2034,SC2120,SC2154 $(wildcard tests/*.bats)
	cppcheck --std=c11 --language=c --quiet --inline-suppr --error-exitcode=1 --enable=warning,portability \
		--suppressions-list=.ci/cppcheck.txt -j2 -Ilib -Ikernels -Itools -DRILL_VERSION='"$(VERSION)"' lib kernels tools
	mandoc -T lint -W warning $(MAN_PAGES)

## format: apply .clang-format to FILES (default: what differs from main)
format:
	clang-format -i $(or $(FILES),$(shell git diff --name-only --diff-filter=AM main -- '*.c' '*.h'))

# ---- 5 install
## install: programs, man pages, completions and the CUDA plug-in if it was built, under DESTDIR PREFIX (/usr/local) and MANPREFIX
install: all $(COMPLETIONS)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(TOOLS) $(DESTDIR)$(PREFIX)/bin
	$(if $(wildcard $(CUDA_LIB)),install -d $(DESTDIR)$(PREFIX)/lib/rill)
	$(if $(wildcard $(CUDA_LIB)),install -m 755 $(CUDA_LIB) $(DESTDIR)$(PREFIX)/lib/rill)
	for p in $(MAN_PAGES); do d=$(DESTDIR)$(MANPREFIX)/man$${p##*.}; install -d $$d && install -m 644 $$p $$d || exit 1; done
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	install -m 644 $(B)/completions/bash/* $(DESTDIR)$(BASHDIR)
	install -m 644 $(B)/completions/zsh/* $(DESTDIR)$(ZSHDIR)
	install -m 644 $(B)/completions/fish/* $(DESTDIR)$(FISHDIR)
	install -d $(DESTDIR)$(PREFIX)/share/rill/models/tiny
	install -m 644 pipelines/models/tiny/* $(DESTDIR)$(PREFIX)/share/rill/models/tiny
	install -d $(DESTDIR)$(PREFIX)/share/doc/rill
	install -m 644 README.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/rill

BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d

## uninstall: remove what install put there
uninstall:
	cd $(DESTDIR)$(PREFIX)/bin && rm -f $(notdir $(TOOLS))
	for p in $(MAN_PAGES); do rm -f $(DESTDIR)$(MANPREFIX)/man$${p##*.}/$${p##*/}; done
	rm -f $(TOOL_SRC:tools/%.c=$(DESTDIR)$(BASHDIR)/%) $(DESTDIR)$(ZSHDIR)/_rill
	rm -f $(TOOL_SRC:tools/%.c=$(DESTDIR)$(FISHDIR)/%.fish)
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/rill $(DESTDIR)$(PREFIX)/share/rill $(DESTDIR)$(PREFIX)/lib/rill

# ---- 6 the rest
## dist: rill-VERSION.tar.gz of what is committed
dist:
	git archive --prefix=rill-$(VERSION)/ HEAD | gzip -n > rill-$(VERSION).tar.gz

## compile_commands.json: for editors and clang tools
compile_commands.json: FORCE
	@sep='['; for f in $(LIB_SRC) $(wildcard tools/*.c) $(UNIT_SRC) $(BENCH_SRC); do \
		printf '%s\n{"directory": "$(CURDIR)", "file": "%s", "command": "%s"}' "$$sep" $$f \
			"$$(printf '%s' $(call quote,$(CC) $(ALL_CFLAGS) -c ) | sed 's/[\\"]/\\&/g')$$f"; sep=,; \
	done > $@; printf '\n]\n' >> $@
quote = '$(subst ','\'',$(1))'

## clean: remove everything built
clean:
	rm -rf build build-* compile_commands.json rill-$(VERSION).tar.gz

## help: this list
help:
	@echo 'rill $(VERSION): make TARGET'
	@awk -F': ' '/^## /{ sub(/^## /, ""); printf "  %-22s %s\n", $$1, substr($$0, length($$1) + 3) }' Makefile
	@echo 'Variables: CC CFLAGS CPPFLAGS LDFLAGS PREFIX MANPREFIX DESTDIR SAN=address,undefined|thread CUDA=0 V=1'

FORCE:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: everything all units cuda deps demo check-quick check check-deep check-gpu bench-gpu fuzz fuzzers bench bench-torch lint format install uninstall dist clean help FORCE
.SECONDARY:
