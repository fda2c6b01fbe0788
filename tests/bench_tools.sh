#!/usr/bin/env bash
# bench_tools.sh: what the programs of a pipe take, beside seqtk, zstd and cp on the same bytes.  Prints TSV: medians of
# interleaved rounds.  Rows are in processor seconds, which other programs disturb least; those marked (wall), where
# threads share the work or the disk is waited for, by the clock.  "ratio" is peer over rill.
#
#	B=build tests/bench_tools.sh [FASTA [MOTIFS...]]	default: random RNAs, no motif lists
#
#	BENCH_MB	megabytes of FASTA to tokenise, FASTA as often as that takes (1000)
#	ROUNDS		rounds (3)
# shellcheck source=tests/bench.bash
. "${BASH_SOURCE[0]%/*}/bench.bash"
fasta=${1:-$tmp/random.fa}
motifs=()
for m in "${@:2}"; do motifs+=(--motifs "$m"); done
if [ $# -eq 0 ]; then
	awk 'BEGIN { srand(1); for (i = 0; i < 240000; i++) { s = ""; for (j = 0; j < 15; j++)
		s = s substr("ACGUUGCAAUCGGACUACGUAGCUUAGCCAUG", 1 + int(rand() * 16), 16)
		print ">r" i " random"; print s } }' >"$fasta"
fi

# seconds CLOCK COMMAND: what a command line takes, its children with it.  %U %S: processor time; %R: the clock on the
# wall, what earlier commands wrote being on the disk
seconds() {
	local TIMEFORMAT=$1
	[ "$1" != %R ] || sync
	{ time bash -o pipefail -c "$2" >/dev/null 2>&1; } 2>&1 | awk '{ printf "%.3f", $1 + $2 }'
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# row WHAT AMOUNT UNIT COMMAND PEER-NAME PEER-COMMAND
row() {
	local ours=() theirs=() a b clock='%U %S'
	[[ $1 != *'(wall)' ]] || clock=%R
	for ((i = 0; i < ${ROUNDS:-3}; i++)); do
		ours+=("$(seconds "$clock" "$4")")
		[ -z "$6" ] || theirs+=("$(seconds "$clock" "$6")")
	done
	a=$(median "${ours[@]}")
	b=$([ -z "$6" ] || median "${theirs[@]}")
	awk -v OFS='\t' -v what="$1" -v n="$2" -v unit="$3" -v a="$a" -v peer="$5" -v b="$b" 'BEGIN {
		print what, a, sprintf("%.1f", n / a / 1e6), unit, (peer == "" ? "-" : peer), (b == "" ? "-" : b),
			(b == "" ? "-" : sprintf("%.2f", b / a)) }'
}

rna-tokenize -q --long chunk -l 1 -o "$tmp/t.rill" "$fasta"
zstd -dcq "$tmp/t.rill" >"$tmp/raw"
raw=$(stat -c %s "$tmp/raw")
tokens=$(grep -v '>' "$fasta" | tr -d '\n\r' | wc -c)     # all but the specials
times=$((${BENCH_MB:-1000} * 1000000 / $(stat -c %s "$fasta") + 1))
for ((i = 0; i < times; i++)); do cat "$fasta"; done >"$tmp/large.fa"
bytes=$(stat -c %s "$tmp/large.fa")
peer() { command -v "$1" >/dev/null && echo "$2" || echo ''; }

printf 'what\tseconds\trate\tunit\tpeer\tpeer seconds\tratio\n'
row 'tokenize -l 0' "$bytes" 'MB/s' "rna-tokenize -@ 1 -l 0 '$tmp/large.fa'" 'seqtk seq' \
	"$(peer seqtk "seqtk seq '$tmp/large.fa'")"
row 'tokenize -@ 2 -l 0 (wall)' "$bytes" 'MB/s' "rna-tokenize -@ 2 -l 0 '$tmp/large.fa'" 'tokenize -@ 1 -l 0' \
	"rna-tokenize -@ 1 -l 0 '$tmp/large.fa'"
rm "$tmp/large.fa"
row "mask, $((${#motifs[@]} / 2)) motif lists" "$tokens" 'M tokens/s' \
	"rna-mask -@ 1 -l 0 ${motifs[*]} '$tmp/t.rill'" '' ''
row 'read and write, -l 1' "$raw" 'MB/s' "rna-shuf -@ 1 --shard 1/1 -l 1 '$tmp/t.rill'" 'zstd -dc | zstd -1' \
	"$(peer zstd "zstd -dcq '$tmp/t.rill' | zstd -1 -c --single-thread")"
row 'read and write, -@ 2 -l 1 (wall)' "$raw" 'MB/s' "rna-shuf -@ 2 --shard 1/1 -l 1 '$tmp/t.rill'" \
	'zstd -dc | zstd -1 -T2' "$(peer zstd "zstd -dcq '$tmp/t.rill' | zstd -1 -T2 -c")"
for t in 1 2; do
	row "shuffle -@ $t, --mem a tenth, -l 0 (wall)" "$raw" 'MB/s' \
		"rna-shuf -@ $t -q -f -l 0 --mem $((raw / 10)) -o '$tmp/s.rill' '$tmp/t.rill'" 'cp, sync' \
		"cp '$tmp/raw' '$tmp/copy'; sync '$tmp/copy'"
done
