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

# four RNAs of two classes, worked out by hand
calls() {
	cat <<-'E'
	{"rill":1, "classes":["no","yes"]}
	{"rid:u64":1, "label":"yes", "prob:f32":[0.125,0.875], "call":"yes"}
	{"rid:u64":2, "label":"no", "prob:f32":[0.75,0.25], "call":"no"}
	{"rid:u64":3, "label":"yes", "prob:f32":[0.75,0.25], "call":"no"}
	{"rid:u64":4, "label":"no", "prob:f32":[0.5,0.5], "call":"no"}
	E
}

@test "class: a table worked out by hand" {
	calls | "$B/tests/record_make" | rna-score class --confusion confusion.tsv > table.tsv
	[ "$(value accuracy)" = 0.75 ]
	[ "$(value mcc)" = 0.577350269 ]
	[ "$(value macro_f1)" = 0.733333333 ]      # (4/5 + 2/3) / 2
	[ "$(value auc_macro)" = 0.625 ]           # (1 + 1 + 1/2 + 0) / 4
	[ "$(value auprc_macro)" = 0.75 ]          # 1/2 1 + 1/2 2/4
	[ "$(value brier)" = 0.22265625 ]          # (1/64 + 1/16 + 9/16 + 1/4) / 4
	[ "$(value recall.yes)" = 0.5 ]
	[ "$(awk -F '\t' '$1 == "recall.yes" {print $5}' table.tsv)" = 2 ]
	[ "$(cat confusion.tsv)" = "$(printf 'truth\tno\tyes\nno\t2\t0\nyes\t1\t1')" ]
}

@test "class: pair is the same, classes by option or by the labels, i32 labels, logits" {
	calls | "$B/tests/record_make" | rna-score class --bootstrap 0 > want.tsv
	calls | "$B/tests/record_make" | rna-score pair --bootstrap 0 > got.tsv
	same want.tsv got.tsv
	calls | sed '1s/, "classes.*/}/' | "$B/tests/record_make" > bare.rill
	rna-score class --bootstrap 0 bare.rill > got.tsv
	same want.tsv got.tsv
	rna-score class --bootstrap 0 --classes no,yes bare.rill > got.tsv
	same want.tsv got.tsv
	printf '%s\n' '{"rill":1}' '{"label:i32":0,"logits:f32":[2,1]}' '{"label:i32":1,"logits:f32":[2,1]}' |
		"$B/tests/record_make" | rna-score class > table.tsv
	[ "$(value accuracy)" = 0.5 ]
	[ "$(value brier)" = 0.303388067 ] # p = 1/(1+e) = 0.268941421: (p^2 + (1-p)^2) / 2
}

@test "class: against the same predictions nothing differs, against worse ones the order does not matter" {
	calls | "$B/tests/record_make" > a.rill
	rna-score class --against a.rill a.rill > table.tsv
	awk -F '\t' 'NR > 1 && ($7 != 0 || $10 != 1) {exit 1}' table.tsv
	for i in $(seq 1 60); do
		echo "{\"rid:u64\":$i, \"label\":\"$((i % 2))\", \"call\":\"$((i % 2))\"}"
	done > good
	sed -E 's/"call":"."/"call":"1"/' good > bad
	{ echo '{"rill":1}'; cat good; } | "$B/tests/record_make" > good.rill
	{ echo '{"rill":1}'; cat bad; } | "$B/tests/record_make" > bad.rill
	{ echo '{"rill":1}'; tac bad; } | "$B/tests/record_make" > turned.rill
	rna-score class --against bad.rill good.rill > table.tsv
	rna-score class --against turned.rill good.rill > turned.tsv
	same table.tsv turned.tsv
	awk -F '\t' '$1 == "accuracy" {exit !($2 == 1 && $6 == 0.5 && $7 == 0.5 && $8 > 0.3 && $9 < 0.7 && $10 < 0.01)}' table.tsv
	run -1 --separate-stderr rna-score class --against a.rill good.rill
	one_line "$stderr"
	[[ $stderr == "rna-score: "*"a.rill: "* ]]
}

@test "class: what is missing or unknown is one line" {
	try() {
		printf '%s\n' "$@" | "$B/tests/record_make" > in.rill
		run -1 --separate-stderr rna-score class in.rill
		one_line "$stderr"
	}
	try '{"rill":1}' '{"call":"x"}'
	[[ $stderr == "rna-score: in.rill: record 1: no label"* ]]
	try '{"rill":1}' '{"label":"x"}'
	[[ $stderr == *"record 1: no prediction"* ]]
	try '{"rill":1}' '{"label":"x","prob:f32":[1,0]}' '{"label":"x","prob:f32":[1,0,0]}'
	[[ $stderr == *"record 2: scores of 3 classes, 2 before"* ]]
	try '{"rill":1}' '{"label":"x","prob:f32":[1,0]}'
	[[ $stderr == *"scores of 2 classes, and 1 class names; name them with --classes"* ]]
	try '{"rill":1,"classes":["a","b"]}' '{"label":"x","prob:f32":[1,0]}'
	[[ $stderr == *"x: a label or call that is none of the 2 classes"* ]]
	try '{"rill":1}'
	[[ $stderr == *"no records" ]]
}

structures() {
	cat > known.dbn <<-'E'
	>fam_one
	GGGAAACCC
	(((...)))
	>fam_two
	GGGGAAAACCCC
	((((....))))
	>other_three
	GGAGAAAUCCAGC
	((.[...))..].
	E
	cat > called.dbn <<-'E'
	>fam_one
	GGGAAACCC
	.((...)).
	>fam_two
	GGGGAAAACCCC
	.((((..)))).
	>other_three
	GGAGAAAUCCAGC
	((....).)....
	E
}

@test "fold: exact and within one position, worked out by hand" {
	structures
	# predicted, known, both: 2 3 2, 4 4 3, 2 3 1; (1, 6) of the third is within one of (1, 7)
	rna-score fold --by name --truth known.dbn called.dbn > table.tsv
	[ "$(value pooled_precision)" = 0.75 ]
	[ "$(value pooled_recall)" = 0.6 ]
	[ "$(value pooled_f1)" = 0.666666667 ]
	[ "$(value f1)" = 0.65 ]                        # (4/5 + 3/4 + 2/5) / 3
	[ "$(value pooled_relaxed_precision)" = 0.875 ]
	[ "$(value pooled_relaxed_recall)" = 0.7 ]
	[ "$(value f1.fam)" = 0.775 ]
	[ "$(value pooled_recall.other)" = 0.333333333 ]
	for left_out in --nested --canonical; do        # G3 with G11, which crosses U7
		rna-score fold $left_out --truth known.dbn called.dbn > table.tsv
		[ "$(value pooled_recall)" = 0.666666667 ]
		[ "$(value pooled_precision)" = 0.75 ]
	done
	run -1 --separate-stderr rna-score fold --truth <(head -n 6 known.dbn) called.dbn
	[[ $stderr == "rna-score: called.dbn: record 3: its RNA is not in"* ]]
	run -2 --separate-stderr rna-score fold --classes a,b called.dbn
	[[ $stderr == *"are for class and pair"* ]]
}

@test "fold: the known pairs of the record, unchanged by rna-fold" {
	need jq
	structures
	rna-tokenize -q --from dbn -o known.rill known.dbn
	rna-fold -q -o folded.rill known.rill
	rna-score fold folded.rill > a.tsv
	rna-view -O dbn folded.rill | awk '/^>/ {print; next} {print $1}' > folded.dbn
	rna-score fold --truth known.dbn folded.dbn > b.tsv
	same a.tsv b.tsv
	run -0 --separate-stderr rna-score fold known.rill
	[[ $stderr == *"every structure is the known one: were they folded?" ]]
	run -1 --separate-stderr rna-score fold known.dbn
	[[ $stderr == *"--truth" ]]
}
