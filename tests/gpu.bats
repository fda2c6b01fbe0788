#!/usr/bin/env bats
# make check-gpu and make bench-gpu run end to end in the emulator, so that the first minute on a GPU measures already,
# and what ptxas says of the kernels: registers, nothing spilled.
bats_require_minimum_version 1.5.0
load helper

# The most registers that a thread of these kernels may take: more, and fewer of their blocks fit a multiprocessor.
caps='attend<64> 144
attend<32> 128
attend_back_q<64> 176
attend_back_q<32> 136
attend_back_kv<64> 136
attend_back_kv<32> 104
adamw 64
norm_backward 184
norm_forward 128
convolve_maps<3> 128
convolve_maps<5> 128
convolve_mma<3> 128
convolve_mma<5> 128
back_w_mma<3> 128
back_w_mma<5> 128
maps_back_w<3> 84
maps_back_w<5> 84
fill_rnas 128
trace_rnas 64'

# faults FILE: the kernels of which ptxas spills registers, and those above their caps
faults() {
	awk -v caps="$caps" '
		BEGIN {
			n = split(caps, line, "\n")
			for (i = 1; i <= n; i++) { split(line[i], w, " "); name[i] = w[1]; cap[i] = w[2] }
		}
		/Compiling entry function/ { f = $0 }
		/[1-9][0-9]* bytes spill stores/ { print f ": spilled: " $0 }
		/Used [0-9]+ registers/ {
			match($0, /Used [0-9]+/); r = substr($0, RSTART + 5, RLENGTH - 5) + 0
			for (i = 1; i <= n; i++)
				if (index(f, " " name[i]) || index(f, "\047" name[i])) {
					seen[i] = 1
					if (r > cap[i]) print name[i] ": " r " registers"
				}
		}
		END { for (i = 1; i <= n; i++) if (!seen[i]) print name[i] " was not compiled" }' "$1"
}

# bats test_tags=deep
@test "kernels: nothing is spilled, registers stay below their caps (sm_90a)" {
	need nvcc c++filt
	run -0 make -s -C "$ROOT" cuda CUDA_ARCH=90a B="$BATS_TEST_TMPDIR/build"
	cat "$BATS_TEST_TMPDIR"/build/cuda/*.log | c++filt >"$BATS_TEST_TMPDIR/ptxas"
	[ "$(grep -c 'Compiling entry function' "$BATS_TEST_TMPDIR/ptxas")" -gt 50 ]
	run faults "$BATS_TEST_TMPDIR/ptxas"
	echo "$output"
	[ -z "$output" ]
}

# bats test_tags=deep
@test "make check-gpu EMU=1" {
	plain_build 'the scripts look for the plain build'
	[ -e "$B/lib/rill/librna-cuda-emu.so" ] || skip_or_fail 'the emulator is not built'
	EMU=1 OUT=$BATS_TEST_TMPDIR run bash "$ROOT/tests/gpu_check.sh"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c 'ok' "$BATS_TEST_TMPDIR/gpu_check.tsv")" -ge 12 ]
}

# bats test_tags=deep
@test "make bench-gpu EMU=1" {
	plain_build 'the scripts look for the plain build'
	[ -e "$B/lib/rill/librna-cuda-emu.so" ] || skip_or_fail 'the emulator is not built'
	make -s -C "$ROOT" "${B#"$ROOT"/}/tests/gpu_model" "${B#"$ROOT"/}/tests/gpu_fold" \
		"${B#"$ROOT"/}/tests/gpu_foldnet"
	EMU=1 OUT=$BATS_TEST_TMPDIR/bench run bash "$ROOT/tests/gpu_bench.sh"
	echo "$output"
	[ "$status" = 0 ]
	grep -q 'from exec to the first embedding' "$BATS_TEST_TMPDIR/bench/gpu_programs.tsv"
	grep -q 'train, tokens/s' "$BATS_TEST_TMPDIR/bench/gpu_kernels.tsv"
	grep -q 'folding network tiny, 20 nt, train' "$BATS_TEST_TMPDIR/bench/gpu_programs.tsv"
	grep -q "^folding, answers that differ	0	" "$BATS_TEST_TMPDIR/bench/gpu_programs.tsv"
}
