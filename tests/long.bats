#!/usr/bin/env bats
# RNAs far longer than a model takes: memory, order, and the same answer by every way.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	random_fasta 30 20 90 9 | awk '/^>/ { print $1, "c" n++ % 2; next } 1' >lab.fa
	rna-tokenize -q --frame type --label header --max 512 --long chunk -o lab.rill lab.fa
	rna-train class -q -m none -c tiny --layers 1 --hidden 64 --ffn 64 --init-range 0.2 --epochs 1 --max-tokens 512 -o m lab.rill
	for n in 20000 100000 500000; do
		random_fasta 1 $n $n 4 >"$n.fa"
	done
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	T=$BATS_TEST_TMPDIR
}

# peak FILE: MiB that rna-predict has held
peak() {
	rna-predict -v -m m -o "$T/out.rill" "$1" 2>&1 | sed -n 's/.* \([0-9]*\) MiB peak$/\1/p'
}

# bats test_tags=slow
@test "memory is that of the letters and one batch" {
	plain_build "sanitizers keep memory of their own"
	small=$(peak 20000.fa)
	large=$(peak 500000.fa)
	echo "20,000 nt: $small MiB, 500,000 nt: $large MiB"
	[ -n "$small" ] && [ -n "$large" ]
	# its hidden states alone would be 122 MiB
	[ $((large - small)) -le 24 ]
}

@test "100,000 nt: alone, in chunks, and the mean by hand" {
	need jq
	rna-predict -m m 100000.fa | rna-view -O json | jq -c .logits >"$T/alone"
	rna-tokenize -q -m m --long chunk 100000.fa | rna-predict -m m -o "$T/chunks.rill"
	[ "$(rna-view -n "$T/chunks.rill" | awk '{ print $1 }')" = 197 ]
	rna-vote --by chunk "$T/chunks.rill" | rna-view -O json | jq -c .logits >"$T/vote"
	rna-view -O json "$T/chunks.rill" | jq -sc 'map(. as $r | .logits | map(. * ($r.seq | length) / 100000)) | transpose | map(add)' >"$T/hand"
	for f in vote hand; do
		jq -ne --slurpfile a "$T/alone" --slurpfile b "$T/$f" '[$a[0][0] - $b[0][0], $a[0][1] - $b[0][1] | fabs] | max < 1e-5'
	done
}

@test "short and long RNAs in one stream keep their order, with any number of threads" {
	{ head -n 20 lab.fa; cat 100000.fa; tail -n 20 lab.fa; sed 's/^>r1 /&again /' 20000.fa; head -n 40 lab.fa | tail -n 20; } >mixed.fa
	rna-predict -m m mixed.fa | rna-view -O tsv --fields name,logits >"$T/one"
	sed -n 's/^>\([^ ]*\).*/\1/p' mixed.fa >"$T/names"
	tail -n +2 "$T/one" | cut -f 1 | same "$T/names" -
	rna-predict -m m -@ 2 mixed.fa | rna-view -O tsv --fields name,logits | same "$T/one" -
	# an RNA's answer is not its company's
	rna-predict -m m 100000.fa | rna-view -O tsv --fields name,logits | tail -n 1 >"$T/alone"
	sed -n 12p "$T/one" | same "$T/alone" -
}

@test "what was cut is another answer, and the first chunk's" {
	need jq
	rna-tokenize -q -m m --long truncate 20000.fa | rna-predict -m m | rna-view -O json | jq -c .logits >"$T/cut"
	rna-tokenize -q -m m --long chunk 20000.fa | rna-predict -m m | rna-view -O json | head -n 1 | jq -c .logits | same "$T/cut" -
	rna-predict -m m 20000.fa | rna-view -O json | jq -c .logits >"$T/all"
	run ! cmp -s "$T/cut" "$T/all"
}
