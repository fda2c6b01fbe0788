#!/usr/bin/env bats
# -d: the plug-in that is missing, wrong or without a GPU is told in one line; -d auto goes on with the CPU and says so.
bats_require_minimum_version 1.5.0
load helper

setup() {
	rna-tokenize --frame type --type header "$SAMPLE" | rna-shuf -n 12 >"$BATS_TEST_TMPDIR/in.rill"
	unset RILL_CUDA_LIB
}

# refused PATTERN: rna-embed -d cuda exits 1 with one line that has the pattern in it and writes nothing.
refused() {
	run --separate-stderr rna-embed -m "$ROOT/pipelines/models/tiny" -d cuda "$BATS_TEST_TMPDIR/in.rill"
	echo "$stderr"
	[ "$status" = 1 ]
	[ -z "$output" ]
	one_line "$stderr"
	[[ $stderr == "rna-embed: "*$1* ]]
}

# plugin FILE SOURCE...: a plug-in of these lines of C.
plugin() {
	need cc
	printf '%s\n' "${@:2}" >"$BATS_TEST_TMPDIR/plugin.c"
	cc -shared -fPIC -I"$ROOT/kernels" -o "$1" "$BATS_TEST_TMPDIR/plugin.c"
}

@test "a plug-in that is named and not there" {
	export RILL_CUDA_LIB=$BATS_TEST_TMPDIR/none.so
	refused "RILL_CUDA_LIB=$BATS_TEST_TMPDIR/none.so: no such file"
}

@test "no plug-in anywhere: make cuda builds it" {
	plain_build 'a copied program lacks its sanitizer beside it'
	# a program elsewhere has no plug-in beside it
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cp "$B/bin/rna-embed" "$BATS_TEST_TMPDIR/bin"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	refused 'there is no CUDA plug-in (librna-cuda.so); make cuda builds it'
}

@test "a file that is no library" {
	echo text >"$BATS_TEST_TMPDIR/text.so"
	export RILL_CUDA_LIB=$BATS_TEST_TMPDIR/text.so
	refused "can't load the CUDA plug-in"
}

@test "a library that is no plug-in, and one of another version" {
	export RILL_CUDA_LIB=$BATS_TEST_TMPDIR/lib.so
	plugin "$RILL_CUDA_LIB" 'int nothing;'
	refused 'another version of rill'
	plugin "$RILL_CUDA_LIB" '#include "rk_device.h"' \
		'const struct rk_device *rk_device_v1(void) { static const struct rk_device d = { RK_NOPS + 1 }; return &d; }'
	refused 'another version of rill'
}

@test "a plug-in without a GPU says so; every program that takes -d does" {
	export RILL_CUDA_LIB=$BATS_TEST_TMPDIR/lib.so
	plugin "$RILL_CUDA_LIB" '#include <stdio.h>' '#include "rk_device.h"' \
		'static void *no(char *l, size_t n, char *e, size_t m) { (void)l, (void)n; snprintf(e, m, "no such thing"); return NULL; }' \
		'const struct rk_device *rk_device_v1(void)' \
		'{ static const struct rk_device d = { RK_NOPS, sizeof(struct rk_call), .open = no }; return &d; }'
	refused 'no such thing'
	run rna-train mlm -d cuda -c tiny --steps 1 -o "$BATS_TEST_TMPDIR/m" <(rna-mask "$BATS_TEST_TMPDIR/in.rill")
	[ "$status" = 1 ]
	[[ $output == *'no such thing'* ]]
	[ ! -e "$BATS_TEST_TMPDIR/m/model.safetensors" ]
}

@test "-d auto without a GPU computes as -d cpu does, and -v says why" {
	export RILL_CUDA_LIB=$BATS_TEST_TMPDIR/none.so
	rna-embed "$BATS_TEST_TMPDIR/in.rill" | rna-view --npy cls >"$BATS_TEST_TMPDIR/cpu.npy"
	run --separate-stderr rna-embed -q -d auto -o "$BATS_TEST_TMPDIR/auto.rill" "$BATS_TEST_TMPDIR/in.rill"
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	rna-view --npy cls "$BATS_TEST_TMPDIR/auto.rill" | same - "$BATS_TEST_TMPDIR/cpu.npy"
	run --separate-stderr rna-embed -v -f -d auto -o "$BATS_TEST_TMPDIR/auto.rill" "$BATS_TEST_TMPDIR/in.rill"
	[ "$status" = 0 ]
	[ "$(grep -c 'no such file' <<<"$stderr")" = 1 ]
	[[ $stderr == *"-d auto: cpu: RILL_CUDA_LIB=$RILL_CUDA_LIB: no such file"* ]]
}
