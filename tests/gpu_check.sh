#!/bin/bash
# gpu_check.sh: make check-gpu.  What has to hold on the GPU: kernels and a whole model against the reference in double,
# the programs against -d cpu, the loss curve, the same bytes twice and after a resume, compute-sanitizer.  The table
# comes last and goes to gpu_check.tsv in $OUT (default pipelines/bench), a line at a time, so that a run that is cut
# off leaves one.  After LIMIT_S seconds (default 440) no further line is begun.  Exit 1 when a line failed or was left
# out.
#
# EMU=1 runs all of it in the emulator at toy size: that every line works is known before a GPU is there.
# shellcheck disable=SC2317 # functions are called by their names through `line`
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(realpath -m "${B:-build}")
export B LC_ALL=C
PATH=$B/bin:$PATH
EMU=${EMU:-0}
[ "$EMU" = 1 ] && OUT=${OUT:-$B/bench}
OUT=${OUT:-pipelines/bench}
table=$OUT/gpu_check.tsv
sample=pipelines/sample/sample.fa
LIMIT_S=${LIMIT_S:-440}
tmp=$(mktemp -d) || exit 1
mkdir -p "$OUT" || exit 1
printf 'check\tresult\tfigure\tseconds\n' >"$table"
finish() {
	echo
	column -t -s "$(printf '\t')" "$table"
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' TERM INT
bad=0
export XDG_CACHE_HOME=$tmp/cache
if [ "$EMU" = 1 ]; then
	export RILL_CUDA_LIB=$B/lib/rill/librna-cuda-emu.so
	shape=(--layers 1 --hidden 64 --heads 1 --ffn 128)
	steps=2 batch=600 effort=quick gpu=() few=(-n 12) heart=2 part=1 net=(tiny 8)
else
	unset RILL_CUDA_LIB
	shape=(--layers 4) steps=200 batch=4096 effort=deep gpu=(RNA_GPU=1) few=() heart=64 part=0.3 net=(base 80)
fi

# line NAME COMMAND...: runs it; its last line of output is the figure
line() {
	local name=$1 t0=$SECONDS figure result=ok
	shift
	if [ "$SECONDS" -gt "$LIMIT_S" ]; then
		bad=1
		printf '%s\tno time left\t\t0\n' "$name" >>"$table"
		return
	fi
	echo "# $name"
	"$@" >"$tmp/out" 2>&1 || result=FAILED
	figure=$(tail -n 1 "$tmp/out" | tr '\t' ' ')
	[ $result = ok ] || { bad=1 && tail -n 30 "$tmp/out"; }
	printf '%s\t%s\t%s\t%d\n' "$name" $result "$figure" $((SECONDS - t0)) >>"$table"
}

unit() {
	env RNA_TEST="$effort" "${gpu[@]}" "$B/tests/$1" >"$tmp/unit" 2>&1 ||
		{ tail -n 30 "$tmp/unit" && return 1; }
	! grep -qi '# skip' "$tmp/unit" || { cat "$tmp/unit" && return 1; }
	echo "$(grep -c '^ok' "$tmp/unit") of $(grep -Ec '^(not )?ok' "$tmp/unit") hold"
}

# train NAME OPTIONS...
train() {
	rna-train mlm -@ 0 -q -f -c tiny "${shape[@]}" --steps "$steps" --batch-tokens "$batch" --lr 1e-3 --warmup 1 \
		--log "$tmp/$1.tsv" -o "$tmp/$1" "${@:2}" "$tmp/masked.rill"
}

# curve NAME: the largest distance of a loss from that of the CPU, as a part of it
curve() {
	paste <(cut -f 4 "$tmp/cpu.tsv") <(cut -f 4 "$tmp/$1.tsv") |
		awk 'NR > 1 { d = ($1 - $2) / $1; if (d < 0) d = -d; if (d > m) m = d }
		END { printf "%d steps, largest distance %.4f %%\n", NR - 1, 100 * m; exit !(NR > 1 && m <= 0.01) }'
}

on_cuda() {
	train "$@" -d cuda && curve "$1"
}

# far A B BOUND: the largest distance of two columns of vectors
vectors() {
	rna-view -O tsv --fields cls "$1" | tail -n +2
}
far() {
	paste -d , <(vectors "$1") <(vectors "$2") | awk -F , -v bound="$3" '{ for (i = 1; i <= NF / 2; i++) {
		a = $i; b = $(i + NF / 2); d = a - b; if (d < 0) d = -d; if (d > m) m = d
		ab += a * b; aa += a * a; bb += b * b } }
		END { printf "largest distance %.2e, cosine %.7f\n", m, ab / sqrt(aa * bb)
			exit !(NR > 0 && m <= bound) }'
}

embed() {
	rna-embed -q -f -d cuda --dtype "$1" -o "$tmp/$1.rill" "$tmp/in.rill" && far "$tmp/cpu.rill" "$tmp/$1.rill" "$2"
}

# fp8, and what rna-embed says of it; a card of before sm_89 has none
coarse() {
	if ! rna-embed -v -f -d cuda --dtype fp8 -o "$tmp/fp8.rill" "$tmp/in.rill" 2>"$tmp/said"; then
		cat "$tmp/said"
		grep -q 'it takes compute capability 8.9 or later' "$tmp/said"
		return
	fi
	echo "$(far "$tmp/cpu.rill" "$tmp/fp8.rill" "$1")$(sed -n 's/.*: fp8:/,/p' "$tmp/said")"
}

twice() {
	train again -d cuda && cmp "$tmp/fp32/model.safetensors" "$tmp/again/model.safetensors" && echo 'the same bytes'
}

resume() {
	train half -d cuda --save-every $((steps / 2)) && rm -r "$tmp/half/checkpoint-$steps" &&
		rna-train mlm -q -c tiny "${shape[@]}" --steps "$steps" --batch-tokens "$batch" --lr 1e-3 --warmup 1 \
			--resume -d cuda --log "$tmp/half.tsv" -o "$tmp/half" "$tmp/masked.rill" &&
		cmp "$tmp/fp32/model.safetensors" "$tmp/half/model.safetensors" &&
		echo "from step $((steps / 2)): the same bytes"
}

overfit() {
	rna-shuf -q -n "$heart" "$tmp/masked.rill" >"$tmp/few.rill"
	rna-train mlm -q -f -c tiny "${shape[@]}" --dropout 0 --steps $((steps * 5 / 2)) --batch-tokens "$batch" \
		--lr 2e-3 --warmup 2 --schedule constant --log "$tmp/few.tsv" -d cuda -o "$tmp/few" \
		<(for ((i = 0; i < steps * 10; i++)); do cat "$tmp/few.rill"; done) || return 1
	awk -F '\t' 'NR == 2 { a = $4 } { b = $4 }
		END { printf "loss %.3f to %.3f\n", a, b; exit !(b < part * a) }' part="$part" "$tmp/few.tsv"
}

# sanitizer TOOL PROGRAM...: a first run without it times the algorithms of products and leaves them in a file
sanitizer() {
	local status
	"${@:2}" || return
	timeout 120 compute-sanitizer --tool "$1" --error-exitcode 9 "${@:2}" >"$tmp/sane.log" 2>&1
	status=$?
	grep -E 'ERROR SUMMARY|RACECHECK SUMMARY' "$tmp/sane.log" || tail -n 3 "$tmp/sane.log"
	return "$status"
}

folded() {
	rna-fold -@ 0 "$tmp/fold.fa" >"$tmp/folded.cpu" && rna-fold -@ 0 -d cuda "$tmp/fold.fa" >"$tmp/folded.cuda" &&
		cmp "$tmp/folded.cpu" "$tmp/folded.cuda" && echo "$(grep -c '>' "$tmp/fold.fa") RNAs: the same bytes"
}

# the scores of a folding network, and the structures made of them
network() {
	local d
	rna-train fold -q -f -m none -c "$1" --steps 0 -o "$tmp/net" <(rna-fold -q "$tmp/fold.fa" | rna-view -O dbn) ||
		return 1
	for d in cpu cuda; do
		rna-predict -q -f -@ 0 -d "$d" -m "$tmp/net" -o "$tmp/net.$d" <(head -n "$2" "$tmp/fold.fa") || return 1
		rna-fold -@ 0 "$tmp/net.$d" | rna-view -O tsv --fields structure,score | tail -n +2 >"$tmp/net.$d.tsv"
	done
	paste "$tmp/net.cpu.tsv" "$tmp/net.cuda.tsv" | awk '{ d = $2 - $4; if (d < 0) d = -d; if (d > m) m = d
		other += $1 != $3 } END { printf "%d RNAs, %d other structures, scores differ by %.2e\n", NR, other, m
			exit !(NR > 0 && other <= NR / 50 && m < 1e-2) }'
}

if [ "$EMU" != 1 ]; then
	name=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | head -n 1)
	printf 'card\tok\t%s\t0\n' "$name" >>"$table"
fi
head -n $((EMU == 1 ? 40 : 2000)) $sample >"$tmp/fold.fa"
rna-tokenize --frame type --type header $sample | rna-shuf -q -s 3 "${few[@]}" >"$tmp/in.rill"
if [ "$EMU" = 1 ]; then
	rna-mask -s 1 "$tmp/in.rill" >"$tmp/masked.rill"
else
	for e in {0..60}; do rna-shuf -q -s "$e" "$tmp/in.rill" | rna-mask -q -s 1 --epoch "$e" -o "$tmp/m$e.rill"; done
	rna-shuf -q -s 1 "$tmp"/m*.rill >"$tmp/masked.rill"
fi
line 'kernels against fp64' unit unit_kernels_cuda
line 'gradients of a model, leakage, determinism' unit unit_model_cuda
line 'inputs sent while the GPU computes' unit unit_feed
line 'steps told while the next one computes' unit unit_trainer
line 'folding against lib/fold' unit unit_fold_cuda
line 'rna-fold -d cuda against -d cpu' folded
line 'a folding network against -d cpu' network "${net[@]}"
line 'known answers (rna-view --selftest)' rna-view --selftest
rna-embed -q -o "$tmp/cpu.rill" "$tmp/in.rill"
line 'rna-embed fp32 against cpu' embed fp32 1e-4
line 'rna-embed bf16 against cpu fp32' embed bf16 0.2
line 'rna-embed fp8 against cpu fp32' coarse 2
train cpu || bad=1
line 'loss curve fp32 against cpu' on_cuda fp32 --dtype fp32
line 'loss curve bf16 against cpu fp32' on_cuda bf16 --dtype bf16
line 'the same run twice' twice
line 'resumed' resume
line 'a few RNAs are learned by heart' overfit
if command -v compute-sanitizer >/dev/null && [ "$EMU" != 1 ]; then
	mlm=("$B/bin/rna-train" mlm -q -f -c tiny --layers 2 --steps 1 --batch-tokens 1024 -d cuda -o "$tmp/sane"
		"$tmp/masked.rill")
	fold=("$B/bin/rna-train" fold -q -f -m none -c base --steps 1 -d cuda -o "$tmp/sane.fold" "$tmp/sane.dbn")
	embed=("$B/bin/rna-embed" -q -f -d cuda -o "$tmp/sane.rill" "$tmp/sane.fa")
	head -n 12 "$tmp/fold.fa" >"$tmp/sane.fa"
	printf '>a\nGGGGAAAACCCCUUGGGGAAAACCCC\n((((....))))..((((....))))\n' >"$tmp/sane.dbn"
	for tool in memcheck racecheck initcheck synccheck; do
		line "compute-sanitizer $tool, bf16" sanitizer $tool "${mlm[@]}" --dtype bf16
	done
	line 'compute-sanitizer memcheck, fp32' sanitizer memcheck "${mlm[@]}" --dtype fp32
	for tool in memcheck racecheck; do
		line "compute-sanitizer $tool, a folding network" sanitizer $tool "${fold[@]}"
	done
	if [ ! -s "$tmp/said" ] || ! grep -q 'it takes compute capability' "$tmp/said"; then
		line 'compute-sanitizer memcheck, fp8' sanitizer memcheck "${embed[@]}" --dtype fp8
	fi
else
	printf 'compute-sanitizer\tnot here\t\t0\n' >>"$table"
fi
exit $bad
