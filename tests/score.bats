# score.bats: rna-score mlm on what the other programs make.
bats_require_minimum_version 1.5.0
load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	random_fasta 40 20 60 5 > x.fa
	rna-tokenize --frame type --type header x.fa > all.rill
	rna-mask -s 3 all.rill > masked.rill
	rna-train mlm -q -c tiny --layers 1 --hidden 64 --heads 1 --ffn 64 --steps 0 -o random masked.rill
	rna-embed -m random --what logits masked.rill > logits.rill
}

value() {
	awk -F '\t' -v name="$1" '$1 == name {print $2}' table.tsv
}

@test "a random model is near chance and the table has every row" {
	rna-score mlm --context 2 --train all.rill logits.rill > table.tsv
	[ "$(head -n 1 table.tsv)" = "$(printf 'metric\tvalue\tlow\thigh\tn')" ]
	awk -v x="$(value loss)" 'BEGIN {exit !(x > 3.4 && x < 3.9)}'    # ln 39 = 3.66
	awk -v x="$(value accuracy)" 'BEGIN {exit !(x > 0.1 && x < 0.45)}'
	awk -v x="$(value context_loss)" 'BEGIN {exit !(x > 1.2 && x < 1.5)}'
	awk -v d="$(value loss_minus_context)" -v a="$(value loss)" -v b="$(value context_loss)" \
		'BEGIN {exit !(d - (a - b) < 1e-4 && (a - b) - d < 1e-4)}'
	[ "$(value type_chance)" = 1 ]
	[ -n "$(value type_recall.tRNA)" ]
}

@test "JSON has the same numbers" {
	need jq
	rna-score mlm logits.rill > table.tsv
	rna-score mlm -O json -o table.json logits.rill
	[ "$(jq -r '.loss.value * 10000 | round' table.json)" = "$(awk -v x="$(value loss)" 'BEGIN {printf "%.0f", x * 10000}')" ]
}

@test "the seed fixes the intervals, no resamples means none" {
	rna-score mlm -s 4 logits.rill > a
	rna-score mlm -s 4 logits.rill > b
	same a b
	rna-score mlm --bootstrap 0 logits.rill > table.tsv
	[ "$(awk -F '\t' '$1 == "loss" {print $3}' table.tsv)" = nan ] || [ "$(awk -F '\t' '$1 == "loss" {print $3}' table.tsv)" = -nan ]
}

@test "records without logits or masks are refused with the command to type" {
	run -1 --separate-stderr rna-score mlm masked.rill
	[[ $stderr == *"record 1: no logits"*"rna-embed --what logits"* ]]
	one_line "$stderr"
	run -1 --separate-stderr rna-score mlm all.rill
	[[ $stderr == *"rna-mask"* ]]
}

@test "wrong words are usage errors" {
	run -2 --separate-stderr rna-score guess logits.rill
	[[ $stderr == *"guess: not one of mlm"* ]]
	run -2 --separate-stderr rna-score mlm --context 3 logits.rill
	[[ $stderr == *"--context and --train go together"* ]]
	run -2 --separate-stderr rna-score mlm --contxt 3 logits.rill
	[[ $stderr == *"did you mean --context"* ]]
}
