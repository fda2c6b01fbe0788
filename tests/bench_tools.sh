#!/usr/bin/env bash
# bench_tools.sh: what the programs of a pipe take, beside seqtk, zstd and cp on the same bytes.  Prints TSV: medians of
# three interleaved rounds, in processor seconds, which other programs disturb least; writing to disk, which is mostly
# waiting, by the clock on the wall.  "ratio" is peer over rill.
#
#	B=build tests/bench_tools.sh [FASTA [MOTIFS...]]	default: 60 MB of random RNAs, no motif lists
set -euo pipefail
ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
B=${B:-$ROOT/build}
PATH=$(cd "$B" && pwd)/bin:$PATH
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fasta=${1:-$tmp/random.fa}
motifs=()
for m in "${@:2}"; do motifs+=(--motifs "$m"); done
if [ $# -eq 0 ]; then
	awk 'BEGIN { srand(1); for (i = 0; i < 240000; i++) { s = ""; for (j = 0; j < 15; j++)
		s = s substr("ACGUUGCAAUCGGACUACGUAGCUUAGCCAUG", 1 + int(rand() * 16), 16); print ">r" i " random"; print s } }' \
		>"$fasta"
fi

clock='%U %S'	# processor time; %R: the clock on the wall

# seconds COMMAND: what a command line takes by $clock, its children with it
seconds() {
	local TIMEFORMAT=$clock
	{ time bash -o pipefail -c "$1" >/dev/null 2>&1; } 2>&1 | awk '{ printf "%.3f", $1 + $2 }'
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# row WHAT AMOUNT UNIT COMMAND PEER-NAME PEER-COMMAND
row() {
	local ours=() theirs=() a b
	for _ in 1 2 3; do
		ours+=("$(seconds "$4")")
		[ -z "$6" ] || theirs+=("$(seconds "$6")")
	done
	a=$(median "${ours[@]}")
	b=$([ -z "$6" ] || median "${theirs[@]}")
	awk -v OFS='\t' -v what="$1" -v n="$2" -v unit="$3" -v a="$a" -v peer="$5" -v b="$b" 'BEGIN {
		print what, a, sprintf("%.1f", n / a / 1e6), unit, (peer == "" ? "-" : peer), (b == "" ? "-" : b),
			(b == "" ? "-" : sprintf("%.2f", b / a)) }'
}

rna-tokenize -q --long chunk -l 1 -o "$tmp/t.rill" "$fasta"
zstd -dcq "$tmp/t.rill" >"$tmp/raw"
bytes=$(stat -c %s "$fasta")
raw=$(stat -c %s "$tmp/raw")
tokens=$(grep -v '>' "$fasta" | tr -d '\n\r' | wc -c)     # all but the specials
peer() { command -v "$1" >/dev/null && echo "$2" || echo ''; }

printf 'what\tseconds\trate\tunit\tpeer\tpeer seconds\tratio\n'
row 'tokenize -l 0' "$bytes" 'MB/s' "rna-tokenize -l 0 '$fasta'" 'seqtk seq' "$(peer seqtk "seqtk seq '$fasta'")"
row "mask, $((${#motifs[@]} / 2)) motif lists" "$tokens" 'M tokens/s' \
	"rna-mask -l 0 ${motifs[*]} '$tmp/t.rill'" '' ''
row 'read and write, -l 1' "$raw" 'MB/s' "rna-shuf --shard 1/1 -l 1 '$tmp/t.rill'" 'zstd -dc | zstd -1' \
	"$(peer zstd "zstd -dcq '$tmp/t.rill' | zstd -1 -c")"
clock=%R
row 'shuffle, --mem a tenth, -l 0 (wall)' "$raw" 'MB/s' \
	"rna-shuf -q -f -l 0 --mem $((raw / 10)) -o '$tmp/s.rill' '$tmp/t.rill'" 'cp, sync' \
	"cp '$tmp/raw' '$tmp/copy'; sync '$tmp/copy'"
