#!/usr/bin/env bash
# bench_growth.sh: what embedding costs as work grows: from one RNA to many, short and long, from a file of tokens and
# from FASTA through a pipe.  Prints TSV: seconds on the wall and of the processor, tokens for each, peak memory.
# Tokens/s and memory should not depend on how many RNAs there are, once there are some.
#
#	B=build tests/bench_growth.sh [MODEL]	default: a model of -c tiny, as it is drawn
#
#	BENCH_RNAS	RNAs of the largest run (100000)
#	THREADS		-@ (1)
# shellcheck source=tests/bench.bash
. "${BASH_SOURCE[0]%/*}/bench.bash"
at=(-@ "${THREADS:-1}")

# fasta RNAS SHORTEST LONGEST: random letters, lengths between the two
fasta() {
	awk -v n="$1" -v least="$2" -v most="$3" 'BEGIN { srand(7); split("A C G U", base, " ")
		for (i = 0; i < 4096; i++) text = text base[1 + int(rand() * 4)]
		for (i = 0; i < n; i++) printf ">r%d\n%s\n", i, substr(text, 1 + int(rand() * 3500),
			least + int(rand() * (most - least + 1))) }'
}

# row WHAT COMMAND...: the median of three where it is short; the last operand of all commands is the FASTA
row() {
	local what=$1 rnas tokens rounds=3
	shift
	rnas=$(grep -c '>' "$tmp/in.fa")
	tokens=$(($(grep -v '>' "$tmp/in.fa" | tr -d '\n' | wc -c) + 2 * rnas)) # [CLS] and [SEP] too
	[ "$rnas" -lt 50000 ] || rounds=1
	local TIMEFORMAT='%R %U %S'
	for ((i = 0; i < rounds; i++)); do
		{ time "$B/tests/deep/peak" -p "$@" >"$tmp/kib"; } 2>&1 | awk '{ print $1, $2 + $3 }'
	done | sort -n | sed -n "$(((rounds + 1) / 2))p" >"$tmp/seconds"
	awk -v OFS='\t' -v what="$what" -v n="$rnas" -v t="$tokens" -v kib="$(cat "$tmp/kib")" \
		'{ print what, n, t, $1, $2, sprintf("%.0f", t / $1), sprintf("%.0f", t / ($2 + 1e-9)),
			sprintf("%.0f", kib / 1024) }' "$tmp/seconds"
}

if [ $# -eq 0 ]; then
	fasta 20 30 60 | rna-tokenize | rna-mask | rna-train mlm -q -c tiny --steps 0 -o "$tmp/tiny"
fi
embed=(rna-embed -q -l 0 "${at[@]}" -m "${1:-$tmp/tiny}")
printf 'what\trnas\ttokens\tseconds\tcpu seconds\ttokens/s\ttokens/cpu-s\tpeak MiB\n'
for n in 1 1000 "${BENCH_RNAS:-100000}"; do
	fasta "$n" 30 90 >"$tmp/in.fa"
	row "lengths 30 to 90" "${embed[@]}" "$tmp/in.fa"
done
fasta 1000 30 90 >"$tmp/in.fa"
row "lengths 30 to 90, through a pipe" sh -c "rna-tokenize -q -l 0 \"\$1\" | ${embed[*]}" sh "$tmp/in.fa"
for lengths in '2000 30 30' '500 126 126' '125 510 510' '236 30 510'; do
	read -r n least most <<<"$lengths"
	fasta "$n" "$least" "$most" >"$tmp/in.fa"
	row "lengths $least to $most" "${embed[@]}" "$tmp/in.fa"
done
