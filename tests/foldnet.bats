#!/usr/bin/env bats
# Folding networks: rna-predict with the published weights, rna-train fold, and what both refuse.
bats_require_minimum_version 1.5.0
load helper

PUBLISHED=$ROOT/../shared/data/models/mxfold2-TrainSetAB
ANSWERS=$ROOT/../shared/data/energy/golden/mxfold2_TrainSetAB.tsv

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# two hairpins
known() {
	printf '>a\nGGGGAAAACCCC\n((((....))))\n>b\nGGCACUUCGGUGCCA\n(((((....))))).\n'
}

# compare_published LONGEST: every answer of up to so many nt: score to 1e-3, structure, and the constants of (j,i)
compare_published() {
	[ -s "$ANSWERS" ] && [ -d "$PUBLISHED" ] || skip "the published weights are not here"
	awk -F'\t' -v n="$1" '!/^#/ && length($2) <= n' "$ANSWERS" >want
	[ "$(wc -l <want)" -ge 3 ]
	awk -F'\t' '{ print ">" $1 "\n" $2 }' want >seqs.fa
	rna-predict -m "$PUBLISHED" -o scored.rill seqs.fa
	rna-fold scored.rill | rna-view -O tsv --fields name,score,structure | tail -n +2 >got
	[ "$(wc -l <got)" = "$(wc -l <want)" ]
	paste got want | awk -F'\t' '{ d = ($2 - $6) / $6; if (d < 0) d = -d
		if (!(d < 1e-3) || $3 != $7) { print; bad = 1 } } END { exit bad }'
}

@test "the published weights of MXfold2: scores and structures" {
	compare_published 60
	rna-view -O json scored.rill | jq -es 'all(.[]; .seq as $s | [range(1; $s | length) as $i | range($i) as $j |
		.scores[0][$i][$j] + 0.22586, .scores[1][$i][$j] - 0.39287, .scores[2][$i][$j] - 0.01755 | fabs] | max < 1e-5)'
}

# bats test_tags=deep
@test "the published weights of MXfold2: all answers" {
	compare_published 1000
}

@test "scores do not depend on threads or company" {
	known >k.dbn
	rna-train fold -q -m none -c tiny --steps 1 -o m k.dbn
	random_fasta 4 1 60 3 >s.fa
	rna-predict -m m -@ 3 s.fa | rna-view -O json >all
	rna-predict -m m s.fa | rna-view -O json >one
	same all one
	for r in r1 r2 r3 r4; do
		grep -A1 ">$r " s.fa | rna-predict -m m | rna-view -O json | jq -c '[.name, .scores, .lengths]'
	done >apart
	jq -c '[.name, .scores, .lengths]' all >together
	same apart together
}

@test "training: the same bytes for every -@, with dropout, and from stream or file" {
	known >k.dbn
	rna-tokenize -q -o k.rill k.dbn
	rna-train fold -q -c tiny --epochs 2 --batch 2 -o a k.dbn
	rna-train fold -q -m none -c tiny --epochs 2 --batch 2 -@ 3 -o b k.rill
	same a/model.safetensors b/model.safetensors
	same a/log.tsv b/log.tsv
	rna-train fold -q -c tiny --epochs 2 --batch 2 -s 2 -o c k.dbn
	run cmp a/model.safetensors c/model.safetensors
	[ "$status" = 1 ]
}

@test "training: two RNAs are learnt, and the best weights are kept" {
	known >k.dbn
	rna-train fold -q -c tiny --images 1 --dropout 0 --lr 0.01 --epochs 12 --patience 0 --valid k.dbn -o m k.dbn
	[ "$(wc -l <m/log.tsv)" = 13 ]
	awk -F'\t' 'NR == 2 { first = $4 } NR > 1 { last = $4; if ($9 > best) best = $9 } END { exit !(last < first / 2 && best > 0.9) }' \
		m/log.tsv
	rna-predict -m m k.dbn | rna-fold >p.rill
	rna-score fold p.rill >s
	rna-view -O json p.rill | jq -es 'length == 2 and all(.[]; .structure and .score)'
}

@test "training: --longest, --valid-split, --seeds, --lambda" {
	known >k.dbn
	run --separate-stderr rna-train fold -c tiny --steps 1 --longest 13 -o m k.dbn
	[ "$status" = 0 ]
	[[ $stderr == *"1 of 2 RNAs are longer than --longest 13 nt and left out"* ]]
	for i in 1 2 3 4; do known | sed "s/^>/>$i/"; done >k8.dbn
	rna-train fold -q -c tiny --images 1 --valid-split 0.5 --seeds 2 --epochs 1 --batch 4 -o s k8.dbn >table
	[ "$(wc -l <table)" = 3 ]
	rna-train fold -q -c tiny --steps 1 --lambda 0 -o z k.dbn
	[ "$(awk -F'\t' 'NR == 2 { print $6 }' z/log.tsv)" = 0 ]
}

# refused WORDS COMMAND...: ends with 1 and one line that has the words
refused() {
	local words=$1
	shift
	run --separate-stderr "$@"
	[ "$status" = 1 ]
	one_line "$stderr"
	[[ $stderr == *"$words"* ]] || { echo "$stderr"; return 1; }
}

@test "what is refused" {
	known >k.dbn
	printf '>x\nACGU\n' >x.fa
	refused "record 1: no structure" rna-train fold -q -o m x.fa
	refused "no RNAs to train on" rna-train fold -q --longest 5 -o m2 k.dbn
	rna-train fold -q -c tiny --steps 0 -o r k.dbn
	printf '>e\n\n' >e.fa
	refused "without letters" rna-predict -m r e.fa
	jq '.rill.fold.num_lstm_units = 9' r/config.json >c.json
	cp -r r bad
	cp c.json bad/config.json
	refused "twice the LSTM's 9 units" rna-predict -m bad x.fa
	jq '.rill.fold.paired_filter_size[1] = 4' r/config.json >bad/config.json
	refused "not an odd number" rna-predict -m bad x.fa
	jq '.rill.fold.num_hidden_units = [31]' r/config.json >bad/config.json
	refused "fold.head.0.weight has another shape" rna-predict -m bad x.fa
	run rna-train class --lambda 2 -o n k.dbn
	[ "$status" = 2 ]
	run rna-train fold --adapt fbth -o n k.dbn
	[ "$status" = 2 ]
}
