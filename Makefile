# rill: every rule.  `make help` prints them.
VERSION := $(shell cat VERSION)
PREFIX ?= /usr/local
CC ?= cc
PKGS = libzstd libbsd-overlay libmd zlib jansson
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2 \
	-Werror=unused-result -Wno-unknown-pragmas
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_DEFAULT_SOURCE -DRILL_VERSION='"$(VERSION)"' -Ilib -Ikernels -fopenmp -fPIE $(WARN) \
	$(shell pkg-config --cflags $(PKGS)) $(SANFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -fopenmp $(SANFLAGS) $(LDFLAGS)
LIBS = $(shell pkg-config --libs $(PKGS)) -ldl -lm
B = build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma = ,
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)

LIB_SRC = $(wildcard lib/*/*.c kernels/*.c)
LIB_OBJ = $(LIB_SRC:%.c=$(B)/%.o)
TOOLS = $(patsubst tools/%.c,$(B)/bin/%,$(wildcard tools/rna-*.c))
UNITS = $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit_*.c tests/reader.c))

all: $(TOOLS)
units: $(UNITS)

# a kernel's level is in its file name
$(B)/kernels/%_avx2.o: LEVEL = -mavx2 -mfma
$(B)/kernels/%_avx512.o: LEVEL = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma
$(B)/kernels/%_avx512bf16.o: LEVEL = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512bf16 -mavx512vnni -mfma

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LEVEL) -MMD -MP -c -o $@ $<

$(B)/librna.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

TOOL_OBJ = $(patsubst %.c,$(B)/%.o,$(filter-out tools/rna-%.c,$(wildcard tools/*.c)))
$(B)/bin/%: $(B)/tools/%.o $(TOOL_OBJ) $(B)/librna.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(B)/tests/%: $(B)/tests/%.o $(B)/librna.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

clean:
	rm -rf build build-*

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all units clean
.SECONDARY:
