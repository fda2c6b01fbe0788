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
	rna-view -O json scored.rill | jq -es 'all(.[];
		.seq as $s | [range(1; $s | length) as $i | range($i) as $j |
		.scores[0][$i][$j] + 0.22586, .scores[1][$i][$j] - 0.39287, .scores[2][$i][$j] - 0.01755 |
		fabs] | max < 1e-5)'
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
	awk -F'\t' 'NR == 2 { first = $4 } NR > 1 { last = $4; if ($9 > best) best = $9 }
		END { exit !(last < first / 2 && best > 0.9) }' m/log.tsv
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

@test "training with a language model: frozen, and by types" {
	known >k.dbn
	lm=$ROOT/pipelines/models/tiny
	rna-train fold -q -m "$lm" -c tiny --images 1 --steps 3 -o f k.dbn
	rna-embed -m f k.dbn | rna-view -O json >a
	rna-embed -m "$lm" k.dbn | rna-view -O json >b
	same a b # it has not learnt, and is loaded from the folder
	rna-predict -m f k.dbn | rna-fold | rna-view -O json | jq -es 'length == 2 and all(.[]; .score)'
	rna-train fold -q -m "$lm" --adapt stack --types 2 -c tiny --images 1 --steps 3 -o s k.dbn
	jq -e '.rill.fold.types == 2' s/config.json
	rna-predict -m s -@ 2 k.dbn | rna-view -O json >p2
	rna-predict -m s k.dbn | rna-view -O json >p1
	same p1 p2
	run cmp f/model.safetensors s/model.safetensors
	[ "$status" = 1 ]
}

@test "training with a language model that learns, too" {
	known >k.dbn
	lm=$ROOT/pipelines/models/tiny
	rna-train fold -q -m "$lm" --adapt tbth -c tiny --images 1 --dropout 0.1 --steps 3 -o t1 k.dbn
	rna-train fold -q -m "$lm" --adapt tbth -c tiny --images 1 --dropout 0.1 --steps 3 -@ 3 -o t3 k.dbn
	same t1/model.safetensors t3/model.safetensors
	rna-embed -m t1 k.dbn | rna-view -O json | jq -c .cls >a
	rna-embed -m "$lm" k.dbn | rna-view -O json | jq -c .cls >b
	run cmp a b
	[ "$status" = 1 ]
	# what the training says of its validation is what the saved folder does
	random_fasta 6 40 50 5 | rna-fold -q | rna-view -O dbn >valid.dbn
	rna-train fold -q -m "$lm" --adapt tbth -c tiny --lr 0.005 --epochs 4 --patience 0 --valid valid.dbn -o t k.dbn
	said=$(awk -F'\t' '$11 == 1 { f1 = $9 } END { print f1 }' t/log.tsv)
	does=$(rna-predict -m t valid.dbn | rna-fold | rna-score fold --truth valid.dbn | awk '$1 == "f1" { print $2 }')
	awk -v a="$said" -v b="$does" 'BEGIN { print a, b; d = a - b; exit !(d < 1e-4 && d > -1e-4 && a < 1 && a > 0) }'
}

@test "--resume: after a checkpoint the same bytes, on other options or RNAs refused" {
	known >k.dbn
	rna-train fold -q -c tiny --steps 4 --valid-every 2 -o a k.dbn
	[ -e a/checkpoint-4 ] && [ ! -e a/checkpoint-2 ]
	rna-train fold -q -c tiny --steps 4 --valid-every 2 -o a --resume k.dbn # nothing is left to do
	# as killed between checkpoint and model, with half a row behind the log
	cp -r a b
	rm b/model.safetensors b/config.json
	printf '1\t2' >>b/log.tsv
	rna-train fold -q -c tiny --steps 4 --valid-every 2 -o b --resume k.dbn
	same a/log.tsv b/log.tsv
	same a/model.safetensors b/model.safetensors
	same a/config.json b/config.json
	refused 1 "the run to continue had steps 4, now it is 6" \
		rna-train fold -q -c tiny --steps 6 --valid-every 2 -o a --resume k.dbn
	head -n 3 k.dbn >one.dbn
	refused 1 "the run to continue had data" \
		rna-train fold -q -c tiny --steps 4 --valid-every 2 -o a --resume one.dbn
	echo '{}' >a/checkpoint-4/trainer_state.json
	refused 1 "not the state of such a training" \
		rna-train fold -q -c tiny --steps 4 --valid-every 2 -o a --resume k.dbn
	run rna-train fold -q --resume --seeds 2 --valid k.dbn -o c k.dbn
	[ "$status" = 2 ]
}

# bats test_tags=slow
@test "--resume: killed runs end as if they had not been" {
	run -0 bash "$ROOT/tests/killresume.sh" 3 1 fold
}

# learns_by_heart OPTIONS...: of 30 RNAs of TR0, 95 % or more of the F1 that nested canonical pairs can reach
learns_by_heart() {
	local known=$ROOT/../shared/data/structure/bprna_TR0.dbn.zst
	[ -s "$known" ] || skip "TR0 is not here"
	zstd -dcq "$known" | awk '/^>/ { name = $0; next } name != "" { seq = $0; getline
		if (length(seq) <= 100 && n++ < 30) printf "%s\n%s\n%s\n", name, seq, $0; name = "" }' >tr0.dbn
	rna-train fold -q -c tiny --dropout 0 --lambda 0.1 --lr 2e-3 --schedule linear --min-lr 1e-5 --steps 1800 \
		--valid-every 300 --patience 0 --valid tr0.dbn -o m "$@" tr0.dbn
	cat m/log.tsv
	awk -F'\t' 'NR > 1 && $9 > best { best = $9; reach = $10 } END { exit !(best >= 0.95 * reach) }' m/log.tsv
}

# bats test_tags=deep
@test "30 RNAs by heart: no language model" {
	learns_by_heart -m none
}

# bats test_tags=deep
@test "30 RNAs by heart: a frozen language model" {
	learns_by_heart -m "$ROOT/pipelines/models/tiny" --adapt fbth
}

# bats test_tags=deep
@test "30 RNAs by heart: a language model that learns" {
	learns_by_heart -m "$ROOT/pipelines/models/tiny" --adapt tbth
}

# bats test_tags=deep
@test "30 RNAs by heart: type-guided" {
	learns_by_heart -m "$ROOT/pipelines/models/tiny" --adapt stack
}

@test "an RNA longer than the language model takes has features from chunks" {
	known >k.dbn
	rna-tokenize -q --max 24 --long truncate -o k.rill k.dbn
	rna-tokenize -q --frame plain --max 24 --long truncate "$SAMPLE" | rna-mask -s 1 |
		rna-train mlm -q -c tiny --layers 1 --max-tokens 24 --steps 0 -o lm
	rna-train fold -q -m lm -c tiny --images 1 --steps 1 -o f k.dbn
	random_fasta 3 60 60 5 >long.fa
	run --separate-stderr rna-predict -v -m f -o p.rill long.fa
	[ "$status" = 0 ]
	[[ $stderr == *"3 of 3 RNAs (100.0 %) are longer than the language model takes"* ]]
	rna-fold p.rill | rna-view -O json | jq -es 'length == 3 and all(.[]; .score and (.structure | length) == 60)'
	rna-fold -q long.fa | rna-view -O dbn | rna-train fold -q -m lm --adapt tbth -c tiny --images 1 --steps 2 -o g
	run cmp f/model.safetensors g/model.safetensors
	[ "$status" = 1 ]
}

@test "score maps of several networks are averaged by rna-vote, and folded" {
	known >k.dbn
	for s in 1 2; do
		rna-train fold -q -c tiny --images 1 --steps 1 -s $s -o "m$s" k.dbn
		rna-predict -m "m$s" -o "$s.rill" k.dbn
	done
	rna-vote --by stream --rule mean -o v.rill 1.rill 2.rill
	for f in 1 2 v; do rna-view -O json $f.rill | jq -c '.scores[1][2][7]'; done | paste - - >cells
	jq -es '.[0] as $a | .[1] as $b | .[2] as $v | ($a + $b) / 2 - $v | fabs < 1e-6' <(awk '{ print $1 }' cells)
	rna-fold v.rill | rna-view -O json | jq -es 'length == 2 and all(.[]; .structure)'
}

@test "what is refused" {
	known >k.dbn
	printf '>x\nACGU\n' >x.fa
	refused 1 "record 1: no structure" rna-train fold -q -o m x.fa
	refused 1 "no RNAs to train on" rna-train fold -q --longest 5 -o m2 k.dbn
	rna-train fold -q -c tiny --steps 0 -o r k.dbn
	printf '>e\n\n' >e.fa
	refused 1 "without letters" rna-predict -m r e.fa
	jq '.rill.fold.num_lstm_units = 9' r/config.json >c.json
	cp -r r bad
	cp c.json bad/config.json
	refused 1 "twice the LSTM's 9 units" rna-predict -m bad x.fa
	jq '.rill.fold.paired_filter_size[1] = 4' r/config.json >bad/config.json
	refused 1 "not an odd number" rna-predict -m bad x.fa
	jq '.rill.fold.num_hidden_units = [31]' r/config.json >bad/config.json
	refused 1 "fold.head.0.weight has another shape" rna-predict -m bad x.fa
	jq '.rill.fold.max_helix_length = 10' r/config.json >bad/config.json
	refused 1 "max_helix_length is not a number of 30 to 30" rna-predict -m bad x.fa
	run rna-train class --lambda 2 -o n k.dbn
	[ "$status" = 2 ]
	run rna-train fold --adapt fbth -o n k.dbn
	[ "$status" = 2 ]
	run rna-train fold -m r --attention-dropout 0.1 -o n k.dbn
	[ "$status" = 2 ]
}
