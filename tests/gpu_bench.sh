#!/bin/bash
# gpu_bench.sh: make bench-gpu.  What a GPU does with rill: ceilings and kernels, training and embedding by size of
# model, the programs from their command lines, time to the first embedding, memory against the plan, batched folding,
# and PyTorch on the same batches where it is installed (tests/peers/bench_gpu_torch.py).  The tables come last and go
# to $OUT (default pipelines/bench), each as soon as it has a line, so that a run that is cut off leaves what it has.
# PyTorch (of PYTHON, default python3) has what is left of LIMIT_S seconds (default 460), the second model only where half of them are left.  RNAs to
# fold: those of $DATA/sequence/nRC/test.fa (DATA: ../shared/data), or random ones of those lengths.
#
# EMU=1 runs all of it in the emulator at toy size; its figures mean nothing.
# shellcheck disable=SC2317 # a function is called by a trap
set -u
cd "$(dirname "$0")/.." || exit 1
B=$(realpath -m "${B:-build}")
export B LC_ALL=C
PATH=$B/bin:$PATH
EMU=${EMU:-0}
[ "$EMU" = 1 ] && OUT=${OUT:-$B/bench}
OUT=${OUT:-pipelines/bench}
LIMIT_S=${LIMIT_S:-460} PYTHON=${PYTHON:-python3}
tmp=$(mktemp -d) || exit 1
mkdir -p "$OUT" || exit 1
kernels=$OUT/gpu_kernels.tsv programs=$OUT/gpu_programs.tsv torch=$OUT/gpu_torch.tsv
finish() {
	for t in "$kernels" "$torch" "$programs"; do
		echo
		column -t -s "$(printf '\t')" "$t"
	done
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' TERM INT
bad=0
if [ "$EMU" = 1 ]; then
	export RILL_CUDA_LIB=$B/lib/rill/librna-cuda-emu.so XDG_CACHE_HOME=$tmp/cache
	runs=('toy 1024 1') rnas=6 longest=60 config=tiny tokens=300 steps=2 card=emulator fold=6 nrc=- network=tiny scored=3 letters=20
	shape=(--layers 1 --hidden 64 --heads 1 --ffn 128)
else
	unset RILL_CUDA_LIB
	runs=('base 65536 10' 'small 65536 10') rnas=40000 longest=508 config=base shape=() tokens=65536 steps=40
	network=base scored=500 letters="100 200 400" fold=2600 nrc=${DATA:-../shared/data}/sequence/nRC/test.fa
	[ -r "$nrc" ] || nrc=-
	card=$(nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,power.limit --format=csv,noheader | head -n 1)
fi

# random RNAs whose lengths are as those of the pretraining corpus (quantiles as in tests/gpu_model.c)
rnas() {
	awk -v n="$1" -v longest="$2" 'BEGIN {
		srand(1)
		k = split("15 22 25 29 43 68 75 84 96 111 128 154 184 240 312 410 512 512 512 512 512", q, " ")
		for (i = 1; i <= n; i++) {
			u = rand() * 20; len = int(q[int(u) + 1] + (u - int(u)) * (q[int(u) + 2] - q[int(u) + 1]))
			len = len > longest ? longest : len
			s = ""
			for (j = 0; j < len; j++) s = s substr("ACGU", 1 + int(rand() * 4), 1)
			printf ">r%d other\n%s\n", i, s
		}
	}'
}

# program NAME VALUE UNIT
program() {
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$programs"
}

memory_used() {
	nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits 2>/dev/null | head -n 1
}

# the most memory of the GPU in use while process $1 runs, less $2, in MiB
watch_memory() {
	local most=0 now
	while kill -0 "$1" 2>/dev/null; do
		now=$(memory_used)
		[ "${now:-0}" -gt "$most" ] && most=$now
		sleep 0.2
	done
	echo $((most - $2))
}

# model MODEL TOKENS REPEATS: the kernels and passes of a model
model() {
	echo "# gpu_model $*"
	local first=1
	[ -s "$kernels" ] && first=2 # no second head line
	"$B/tests/gpu_model" "$@" | awk -v first=$first 'NR >= first { print; fflush() }' >>"$kernels"
	[ "${PIPESTATUS[0]}" = 0 ] || bad=1
}

printf 'what\tvalue\tunit\n' >"$programs"
: >"$kernels"
echo 'PyTorch: no time left' >"$torch"
program card "$card" -
# shellcheck disable=SC2086 # three words
model ${runs[0]}

echo '# programs'
rnas $rnas "$longest" >"$tmp/rnas.fa"
rna-tokenize -q --frame type --type header "$tmp/rnas.fa" >"$tmp/in.rill" || bad=1
rna-mask -q -s 1 -o "$tmp/masked.rill" "$tmp/in.rill" || bad=1
options=(-q -d cuda --dtype bf16 -c "$config" "${shape[@]}" --attention-dropout 0 --batch-tokens "$tokens")
options+=(--steps "$steps")
rna-train mlm "${options[@]}" --plan "$tmp/masked.rill" >"$tmp/plan" || bad=1
program 'memory, --plan' "$(awk -F '\t' '$1 == "memory of the GPU" { print $2 + 0 }' "$tmp/plan")" MiB
before=$(memory_used)
rna-train mlm "${options[@]}" -f --log "$tmp/log.tsv" -o "$tmp/model" "$tmp/masked.rill" &
pid=$!
if command -v nvidia-smi >/dev/null; then
	program "memory, largest seen (the driver's context included)" "$(watch_memory $pid "${before:-0}")" MiB
fi
wait $pid || bad=1
# the median of the steps: the first ones time algorithms
program "rna-train $config bf16" "$(tail -n +2 "$tmp/log.tsv" | cut -f 9 | sort -n |
	awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')" tokens/s
ntokens=$(rna-view -O tsv --fields ntokens "$tmp/in.rill" 2>/dev/null | awk 'NR > 1 { s += $NF } END { print s + 0 }')
[ "$ntokens" -gt 0 ] || ntokens=$(awk '!/^>/ { s += length($0) + 3 } END { print s }' "$tmp/rnas.fa")
t0=$(date +%s.%N)
rna-embed -q -f -d cuda --dtype bf16 -m "$tmp/model" -o "$tmp/out.rill" "$tmp/in.rill" || bad=1
program "rna-embed $config bf16, start included" "$(echo "$t0 $(date +%s.%N) $ntokens" |
	awk '{ printf "%.0f", $3 / ($2 - $1) }')" tokens/s
head -n 2 "$tmp/rnas.fa" >"$tmp/one.fa"
t0=$(date +%s.%N)
rna-embed -q -f -d cuda --dtype bf16 -m "$tmp/model" -o "$tmp/one.rill" "$tmp/one.fa" || bad=1
program 'from exec to the first embedding' "$(echo "$t0 $(date +%s.%N)" |
	awk '{ printf "%.3f", $2 - $1 }')" s
echo '# a folding network'
head -n $((2 * fold)) "$tmp/rnas.fa" >"$tmp/fold.fa"
printf '>a\nGGGGAAAACCCC\n((((....))))\n' >"$tmp/a.dbn"
rna-train fold -q -f -m none -c "$network" --steps 0 -o "$tmp/net" "$tmp/a.dbn" || bad=1
t0=$(date +%s.%N)
rna-predict -q -d cuda -@ 4 -m "$tmp/net" <(head -n $((2 * scored)) "$tmp/fold.fa") | rna-fold -q -@ 4 -f -o "$tmp/folded.rill" ||
	bad=1
program "folding network $network, scores and structures, start included" "$(echo "$t0 $(date +%s.%N) $scored" |
	awk '{ printf "%.1f", $3 / ($2 - $1) }')" RNAs/s
# shellcheck disable=SC2086 # lengths
"$B/tests/gpu_foldnet" "$network" cuda $letters >>"$programs" || bad=1
echo '# folding'
"$B/tests/gpu_fold" $fold "$nrc" >>"$programs" || bad=1
if [ -n "${runs[1]-}" ] && [ $((2 * SECONDS)) -lt "$LIMIT_S" ]; then
	# shellcheck disable=SC2086 # three words
	model ${runs[1]}
fi
echo '# PyTorch'
# torch ARGUMENTS...: a peer, in the time that is left
torch() {
	[ "$SECONDS" -ge "$LIMIT_S" ] || timeout $((LIMIT_S - SECONDS)) "$PYTHON" tests/peers/bench_gpu_torch.py "$@" ||
		[ $? = 124 ] || bad=1 # 124: cut off
}
if [ "$EMU" != 1 ] && "$PYTHON" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
	torch base 65536 'packed compiled' 'padded eager' >"$torch"
	torch maps 400 >>"$torch"
	torch base 65536 'packed pruned' 'packed flex' 'bucketed compiled' >>"$torch"
elif [ "$EMU" = 1 ] && "$PYTHON" -c 'import torch' 2>/dev/null; then
	torch toy 256 >"$torch"
	torch maps 12 >>"$torch"
else
	echo 'PyTorch with CUDA is not here: its lines are left out' >"$torch"
fi
exit $bad
