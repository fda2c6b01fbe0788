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
		'const struct rk_device *rk_device_v2(void)' \
		'{ static const struct rk_device d = { RK_NOPS + 1 }; return &d; }'
	refused 'another version of rill'
	plugin "$RILL_CUDA_LIB" '#include "rk_device.h"' 'const struct rk_device *rk_device_v2(void)' \
		'{ static const struct rk_device d = { RK_NOPS, sizeof(struct rk_call), 8 }; return &d; }'
	refused 'another version of rill'
}

@test "a plug-in without a GPU says so; every program that takes -d does" {
	export RILL_CUDA_LIB=$BATS_TEST_TMPDIR/lib.so
	plugin "$RILL_CUDA_LIB" '#include <stdio.h>' '#include "rk_device.h"' \
		'static void *no(char *l, size_t n, char *e, size_t m)' \
		'{ (void)l, (void)n; snprintf(e, m, "no such thing"); return NULL; }' \
		'const struct rk_device *rk_device_v2(void)' \
		'{ static const struct rk_device d = { RK_NOPS, sizeof(struct rk_call), sizeof(struct rk_device), .open = no }; return &d; }'
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

# The emulator: the CUDA plug-in on the CPU (tests/emu).

emulator() {
	[ -e "$B/lib/rill/librna-cuda-emu.so" ] || skip_or_fail 'the emulator is not built'
	export RILL_CUDA_LIB=$B/lib/rill/librna-cuda-emu.so XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
}

# near A B TOLERANCE: two columns of numbers differ by at most TOLERANCE in every value.
near() {
	paste "$1" "$2" | awk -v t="$3" '
		{ n = NF / 2; for (i = 1; i <= n; i++) { d = $i - $(i + n); if (d < 0) d = -d; if (d > m) m = d } }
		END { print "largest difference " m; exit !(NR > 0 && m <= t) }'
}

# vectors FILE: the numbers of its field cls
vectors() {
	rna-view -O tsv --fields cls "$1" | tail -n +2 | tr ',' '\t'
}

@test "what is missing on the machine is said: driver, GPU, an old GPU, cuBLASLt" {
	emulator
	EMU_GPU=absent refused 'no NVIDIA driver, or one too old for CUDA 13.0'
	EMU_GPU=none refused 'no CUDA device'
	EMU_GPU=old refused 'has compute capability 7.5; 8.0 or later is needed'
	EMU_CUBLASLT=absent refused 'libcublasLt.so.13'
}

@test "rna-embed -d cuda gives what -d cpu gives, in fp32 and bf16" {
	emulator
	rna-embed -o "$BATS_TEST_TMPDIR/cpu.rill" "$BATS_TEST_TMPDIR/in.rill"
	rna-embed -d cuda -o "$BATS_TEST_TMPDIR/cuda.rill" "$BATS_TEST_TMPDIR/in.rill"
	rna-embed -d cuda --dtype bf16 -o "$BATS_TEST_TMPDIR/bf16.rill" "$BATS_TEST_TMPDIR/in.rill"
	rna-view -H "$BATS_TEST_TMPDIR/cuda.rill" | grep sm_90
	near <(vectors "$BATS_TEST_TMPDIR/cpu.rill") <(vectors "$BATS_TEST_TMPDIR/cuda.rill") 1e-4
	near <(vectors "$BATS_TEST_TMPDIR/cpu.rill") <(vectors "$BATS_TEST_TMPDIR/bf16.rill") 0.2
}

@test "rna-embed --dtype fp8: near bf16 where the GPU has it, refused elsewhere and of a model it is too coarse for" {
	emulator
	cd "$BATS_TEST_TMPDIR"
	printf '>a\nGGGGAAAACCCCUUUUGGGG\n>b\nGGCACUUCGGUGCCA\n>c\nACGUACGAUCGGCUAGCUAGCUAGC\n' >s.fa
	rna-tokenize -q s.fa | rna-mask -q -s 1 -o m.rill
	train() { # NAME LR
		rna-train mlm -q -c tiny --layers 1 --hidden 64 --heads 1 --ffn 128 --steps 1 --warmup 0 \
			--schedule constant --lr "$2" -o "$1" m.rill
	}
	train m 1e-3
	rna-embed -q -m m --what mean -o fp32.rill s.fa
	for gpu in '' ada; do # one product scales by rows, the other leaves it to a kernel
		EMU_GPU=$gpu rna-embed -v -d cuda --dtype fp8 -m m --what mean -f -o fp8.rill s.fa 2>said
		grep -q 'fp8: mean cosine to bf16 0.99' said
		rna-view -H fp8.rill | jq -es '.[-1].provenance[-1].dtype == "fp8"'
		rna-view -O json fp32.rill fp8.rill | jq -es '[.[] | .mean] | [.[0:3], .[3:6]] | transpose |
			map([([.[0], .[1]] | transpose | map(.[0] * .[1]) | add),
				(.[0] | map(. * .) | add), (.[1] | map(. * .) | add)] | .[0] / (.[1] * .[2] | sqrt)) |
			min > 0.99 and min < 0.9999999'
	done
	refused_fp8() { # WORDS MODEL OPTIONS...
		run --separate-stderr rna-embed --dtype fp8 -m "$2" "${@:3}" s.fa
		[ "$status" = 1 ]
		[ -z "$output" ]
		one_line "$stderr"
		[[ $stderr == *"$1"* ]] || { echo "$stderr" && return 1; }
	}
	refused_fp8 'has no fp8: -d cuda has it, on a GPU of compute capability 8.9 or later' m
	EMU_GPU=ampere refused_fp8 'cuda sm_80 has no fp8: it takes compute capability 8.9 or later' m -d cuda
	train coarse 1
	refused_fp8 'fp8 is too coarse for this model: over 400 tokens' coarse -d cuda
}

# bats test_tags=slow
@test "rna-train -d cuda learns as -d cpu does; two runs give the same bytes" {
	emulator
	rna-mask "$BATS_TEST_TMPDIR/in.rill" >"$BATS_TEST_TMPDIR/masked.rill"
	train() { # NAME OPTIONS...: 2 steps
		rna-train mlm -q -c tiny --layers 1 --hidden 64 --heads 1 --ffn 128 --steps 2 --batch-tokens 600 \
			--lr 1e-3 --log "$BATS_TEST_TMPDIR/$1.tsv" -o "$BATS_TEST_TMPDIR/$1" "${@:2}" \
			"$BATS_TEST_TMPDIR/masked.rill"
		cut -f 4 "$BATS_TEST_TMPDIR/$1.tsv" | tail -n +2 >"$BATS_TEST_TMPDIR/$1.loss"
	}
	train cpu
	train cuda -d cuda
	train again -d cuda
	train bf16 -d cuda --dtype bf16
	near "$BATS_TEST_TMPDIR/cpu.loss" "$BATS_TEST_TMPDIR/cuda.loss" 1e-4
	near "$BATS_TEST_TMPDIR/cpu.loss" "$BATS_TEST_TMPDIR/bf16.loss" 1e-2
	same "$BATS_TEST_TMPDIR/cuda/model.safetensors" "$BATS_TEST_TMPDIR/again/model.safetensors"
	# the algorithms of products were timed once and are remembered
	find "$XDG_CACHE_HOME/rill" -name "cublaslt-emulator-*" -size +0 | grep -q .
}

# A step is told while the next one computes.
# bats test_tags=slow
@test "rna-train -d cuda: every step has its row, in order and scored when asked; a loss that is not finite keeps nothing" {
	emulator
	rna-mask "$BATS_TEST_TMPDIR/in.rill" >"$BATS_TEST_TMPDIR/masked.rill"
	x=$BATS_TEST_TMPDIR/masked.rill
	mini() { # DEVICE OPTIONS...
		rna-train mlm -q -c tiny --layers 1 --hidden 64 --heads 1 --ffn 128 --batch-tokens 300 -d "$1" "${@:2}"
	}
	for d in cpu cuda; do
		mini $d --epochs 2 --save-every 2 --valid-every 3 --valid "$x" --log "$BATS_TEST_TMPDIR/$d.tsv" \
			-o "$BATS_TEST_TMPDIR/$d" "$x"
		cut -f 1-3,8 "$BATS_TEST_TMPDIR/$d.tsv" >"$BATS_TEST_TMPDIR/$d.rows"
		awk -F '\t' '{ print $1, $10 != "NA" }' "$BATS_TEST_TMPDIR/$d.tsv" >"$BATS_TEST_TMPDIR/$d.scored"
	done
	[ "$(wc -l <"$BATS_TEST_TMPDIR/cuda.rows")" -gt 6 ]
	cut -f 1-3 "$BATS_TEST_TMPDIR/cpu.rows" | same - <(cut -f 1-3 "$BATS_TEST_TMPDIR/cuda.rows")
	same "$BATS_TEST_TMPDIR/cpu.scored" "$BATS_TEST_TMPDIR/cuda.scored"
	near <(tail -n +2 "$BATS_TEST_TMPDIR/cpu.rows") <(tail -n +2 "$BATS_TEST_TMPDIR/cuda.rows") 1e-3
	run -1 --separate-stderr mini cuda --schedule constant --warmup 0 --lr 100 --clip 0 --weight-decay 10 \
		--save-every 1000 -o "$BATS_TEST_TMPDIR/n" "$x" "$x" "$x" "$x" "$x" "$x"
	one_line "$stderr"
	[[ $stderr == *"not finite"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/n/model.safetensors" ]
}

# bats test_tags=slow
@test "rna-train -d cuda: more targets than the stream's header lets expect take another unit, and change nothing" {
	emulator
	rna-tokenize -q --max 200 --long truncate "$SAMPLE" | rna-shuf -q -n 12 >"$BATS_TEST_TMPDIR/in.rill"
	rna-mask "$BATS_TEST_TMPDIR/in.rill" >"$BATS_TEST_TMPDIR/masked.rill"
	rna-mask --rate 0.95 "$BATS_TEST_TMPDIR/in.rill" >>"$BATS_TEST_TMPDIR/masked.rill"
	for d in cpu cuda; do
		rna-train mlm -q -c tiny --layers 1 --hidden 64 --heads 1 --ffn 128 --steps 3 --batch-tokens 1000 \
			-d $d --lr 1e-3 --log "$BATS_TEST_TMPDIR/$d.tsv" -o "$BATS_TEST_TMPDIR/$d" \
			"$BATS_TEST_TMPDIR/masked.rill"
		cut -f 4 "$BATS_TEST_TMPDIR/$d.tsv" | tail -n +2 >"$BATS_TEST_TMPDIR/$d.loss"
	done
	[ "$(wc -l <"$BATS_TEST_TMPDIR/cuda.loss")" = 3 ]
	near "$BATS_TEST_TMPDIR/cpu.loss" "$BATS_TEST_TMPDIR/cuda.loss" 1e-4
}

@test "rna-train --plan -d cuda says how much of the GPU's memory it takes" {
	emulator
	rna-mask "$BATS_TEST_TMPDIR/in.rill" >"$BATS_TEST_TMPDIR/masked.rill"
	rna-train mlm -q -c tiny --layers 1 --hidden 64 --heads 1 --ffn 128 --steps 1 --batch-tokens 600 -d cuda \
		--plan "$BATS_TEST_TMPDIR/masked.rill" >"$BATS_TEST_TMPDIR/plan"
	grep -E '^memory of the GPU	[1-9][0-9]* MiB, scratch included$' "$BATS_TEST_TMPDIR/plan"
}

@test "rna-fold -d cuda: the records of -d cpu, byte for byte" {
	emulator
	random_fasta 25 1 90 3 >"$BATS_TEST_TMPDIR/x.fa"
	random_fasta 1 520 530 4 >>"$BATS_TEST_TMPDIR/x.fa"
	printf '>e\n\n>one\nA\n>n\nNNNNNNNNNN\n>t\nggggtttttcccc\n' >>"$BATS_TEST_TMPDIR/x.fa"
	printf 't xxxx.........\n' >"$BATS_TEST_TMPDIR/constraint"
	for o in '' '--dangles 0' '-T 25 --max-span 30' '--no-lonely' '--partition --mea' \
		"--constraint $BATS_TEST_TMPDIR/constraint"; do
		# shellcheck disable=SC2086
		rna-fold -@2 $o "$BATS_TEST_TMPDIR/x.fa" >"$BATS_TEST_TMPDIR/cpu.rill"
		# shellcheck disable=SC2086
		rna-fold -@2 -d cuda $o "$BATS_TEST_TMPDIR/x.fa" >"$BATS_TEST_TMPDIR/cuda.rill"
		same "$BATS_TEST_TMPDIR/cpu.rill" "$BATS_TEST_TMPDIR/cuda.rill"
	done
	[ "$(rna-view -O dbn "$BATS_TEST_TMPDIR/cuda.rill" | grep -c '^>')" = 30 ]
	# records that are no RNAs to fold are refused as ever
	printf '>a\n%s\n' "$(printf 'ACGU%.0s' {1..200})" >"$BATS_TEST_TMPDIR/long.fa"
	run -1 rna-fold -d cuda <(rna-tokenize -q --long chunk --max 128 "$BATS_TEST_TMPDIR/long.fa")
	[[ $output == *'chunk of a longer RNA'* ]]
}

# network DIR FILE: the scores that -d cuda gives the RNAs of FILE are those of -d cpu, and so are the structures
network() {
	rna-predict -q -f -m "$1" -o cpu.rill "$2"
	rna-predict -q -f -d cuda -m "$1" -o cuda.rill "$2"
	for d in cpu cuda; do
		rna-view -O json $d.rill | jq -r '.scores[][][], .lengths[]' >$d.maps
		rna-fold -@2 -d $d cuda.rill | tee $d.folded | rna-view -O tsv --fields name,structure,score >$d.tsv
	done
	near cpu.maps cuda.maps 1e-4
	same cpu.folded cuda.folded
	rna-fold cpu.rill | rna-view -O tsv --fields structure | same - <(cut -f 2 cuda.tsv)
}

@test "rna-predict -d cuda: the scores of folding networks, and what rna-fold makes of them" {
	emulator
	cd "$BATS_TEST_TMPDIR"
	printf '>a\nGGGGAAAACCCC\n((((....))))\n>b\nGGCACUUCGGUGCCA\n(((((....))))).\n' >k.dbn
	random_fasta 4 1 40 7 >s.fa
	rna-train fold -q -m none -c tiny --steps 1 -o m k.dbn
	network m s.fa
	published=$ROOT/../shared/data/models/mxfold2-TrainSetAB
	random_fasta 2 12 15 8 >few.fa # a tile of the emulated tensor cores
	[ ! -d "$published" ] || network "$published" few.fa
}

# bats test_tags=slow
@test "rna-predict -d cuda, rna-train fold -d cuda: networks that read a language model" {
	emulator
	cd "$BATS_TEST_TMPDIR"
	printf '>a\nGGGGAAAACCCC\n((((....))))\n>b\nGGCACUUCGGUGCCA\n(((((....))))).\n' >k.dbn
	for a in none fbth tbth stack; do
		lm=(-m "$ROOT/pipelines/models/tiny" --adapt "$a")
		[ $a != none ] || lm=(-m none)
		for d in cpu cuda; do
			rna-train fold -q -d $d "${lm[@]}" -c tiny --images 1 --dropout 0.1 --steps 2 -o $a.$d k.dbn
			cut -f 4 $a.$d/log.tsv | tail -n +2 >$d.loss
		done
		near cpu.loss cuda.loss 1e-3
		EMU_ORDER=reverse rna-train fold -q -d cuda "${lm[@]}" -c tiny --images 1 --dropout 0.1 --steps 2 \
			-o $a.again k.dbn
		same $a.cuda/model.safetensors $a.again/model.safetensors
		network $a.cpu k.dbn
	done
}

@test "rna-fold without a GPU: -d cuda says what is missing, -d auto folds all the same" {
	export RILL_CUDA_LIB=$BATS_TEST_TMPDIR/none.so
	printf '>a\nGGGGAAAACCCC\n' >"$BATS_TEST_TMPDIR/a.fa"
	run -1 --separate-stderr rna-fold -d cuda "$BATS_TEST_TMPDIR/a.fa"
	[ -z "$output" ]
	one_line "$stderr"
	[[ $stderr == *'no such file' ]]
	rna-fold "$BATS_TEST_TMPDIR/a.fa" >"$BATS_TEST_TMPDIR/cpu.rill"
	rna-fold -d auto "$BATS_TEST_TMPDIR/a.fa" | same - "$BATS_TEST_TMPDIR/cpu.rill"
}
