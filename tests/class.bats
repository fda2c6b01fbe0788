#!/usr/bin/env bats
# rna-train class: what it learns, what it writes, what it refuses.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	labelled 40
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	lab=$BATS_FILE_TMPDIR/lab.rill
	backbone=$BATS_FILE_TMPDIR/backbone
}

# class DIR [ARG...]: a small new model
class() {
	local out=$1
	shift
	rna-train class -q -m none -c tiny --layers 1 --hidden 64 --ffn 64 --batch 20 -o "$out" "$@"
}

# no_model STATUS WORDS ARG...: refused, and nothing is written
no_model() {
	local want=$1 words=$2
	shift 2
	refused "$want" "$words" rna-train class -o none "$@"
	[ ! -e none/model.safetensors ]
}

@test "40 labelled RNAs are learnt by heart" {
	class m --dropout 0 --attention-dropout 0 --lr 1e-3 --init-range 0.1 --epochs 120 "$lab"
	run tail -n 1 m/log.tsv
	[[ $(cut -f 2,5 <<<"$output") == 120$'\t'1 ]]
	rna-predict -m m "$lab" | rna-view -O tsv --fields label,call | tail -n +2 >calls
	[ "$(wc -l <calls)" = 40 ]
	[ "$(awk '$1 == $2' calls | wc -l)" = 40 ]
	jq -e '.architectures == ["BertForSequenceClassification"] and .num_labels == 4 and .id2label["0"] == "alass"
		and .label2id.dlass == 3 and .problem_type == "single_label_classification"' m/config.json
}

@test "the same bytes for every -@, tbth and fbth; another seed, another model" {
	for adapt in tbth fbth; do
		for n in 1 2; do
			rna-train class -q -@ $n -m "$backbone" --adapt $adapt --epochs 2 --valid-split 0.2 \
				-o $adapt$n "$lab"
		done
		for f in model.safetensors config.json log.tsv; do
			same ${adapt}1/$f ${adapt}2/$f
		done
	done
	rna-train class -q -s 2 -m "$backbone" --epochs 2 --valid-split 0.2 -o other "$lab"
	run cmp -s other/model.safetensors tbth1/model.safetensors
	[ "$status" = 1 ]
}

@test "fbth leaves the backbone as it was" {
	rna-train class -q -m "$backbone" --adapt fbth --lr 1e-2 --epochs 5 -o m "$lab"
	for dir in "$backbone" m; do
		rna-embed -q -m "$dir" "$lab" | rna-view -O tsv --fields cls >"$(basename "$dir").tsv"
	done
	same backbone.tsv m.tsv
	awk -F '\t' 'NR == 2 { first = $4 } END { exit !($4 < first) }' m/log.tsv
}

@test "a head of two layers, or on [CLS] itself, is written and read" {
	class mlp --head mlp --epochs 1 "$lab"
	class cls --from cls --epochs 1 "$lab"
	for m in mlp cls; do
		jq -e '.architectures == ["BertModel"] and .rill.classifier != null' $m/config.json
		rna-predict -m $m "$lab" | rna-view -O json |
			jq -es 'length == 40 and all(.[]; .prob | add | . > 0.99999 and . < 1.00001)'
	done
}

@test "validation: the best epoch is kept, and --patience stops" {
	class m --valid-split 0.3 --epochs 60 --patience 3 --lr 1e-3 "$lab"
	head -n 1 m/log.tsv | grep -q valid_macro_f1
	# the last of the best is 3 epochs before the end, or the last epoch
	awk -F '\t' 'NR > 1 { last = $2; if ($11 == 1) best = $2 }
		END { exit !(last == best + 3 || last == 60) }' m/log.tsv
	class v --valid "$lab" --epochs 2 "$lab"
	f1=$(awk -F '\t' '$11 == 1 { f = $9 } END { print f }' v/log.tsv)
	acc=$(rna-predict -m v "$lab" | rna-view -O tsv --fields label,call |
		awk 'NR > 1 { n++; k += $1 == $2 } END { print k / n }')
	[ "$f1" = "$acc" ]
}

@test "--group keeps equal values on one side" {
	run -1 --separate-stderr rna-train class -q -m none -o m --valid-split 0.2 --group nothing "$lab"
	[[ $stderr == *"no field nothing to group by" ]]
	class m --valid-split 0.5 --group label --epochs 1 "$lab"
	# whole classes are on the other side, so none of its RNAs is called right
	[ "$(tail -n 1 m/log.tsv | cut -f 9)" = 0 ]
	[ "$(tail -n 1 m/log.tsv | cut -f 10)" = 0 ]
}

@test "--seeds prints each, mean and deviation, and keeps the best" {
	class m --seeds 3 --valid-split 0.3 --epochs 2 "$lab" >table
	[ "$(cut -f 1 table | paste -sd ' ')" = "seed 1 2 3 mean sd" ]
	awk -F '\t' '$1 ~ /^[0-9]/ { s += $5; q += $5 * $5; n++ } $1 == "mean" { m = $5 } $1 == "sd" { d = $5 }
		END { e = m - s / n; v = (q - s * s / n) / (n - 1) - d * d
			exit !(e * e < 1e-9 && v * v < 1e-9) }' table
	[ "$(cut -f 1 m/log.tsv | sort -u | paste -sd ' ')" = "1 2 3 seed" ]
}

@test "class weights and smoothing change the result" {
	class plain --epochs 1 "$lab"
	class weights --class-weights --epochs 1 \
		<(rna-view -O fasta "$lab" | head -n 60 | rna-tokenize -q --label header)
	class smooth --label-smoothing 0.2 --epochs 1 "$lab"
	run cmp -s plain/model.safetensors smooth/model.safetensors
	[ "$status" = 1 ]
	[ -s weights/model.safetensors ]
}

@test "a classifier is trained on, for the same classes and for others" {
	class a --epochs 1 "$lab"
	rna-train class -q -m a --epochs 1 -o b "$lab"
	sed 's/lass$/other/' "$BATS_FILE_TMPDIR/lab.fa" | rna-tokenize -q --label header -o others.rill
	rna-train class -q -m a --epochs 1 -o c others.rill
	jq -e '.id2label["0"] == "aother"' c/config.json
}

@test "what can't be learnt is refused in one line" {
	sed 's/ .*/ same/' "$BATS_FILE_TMPDIR/lab.fa" | rna-tokenize -q --label header -o one.rill
	no_model 1 "have the label same: there is nothing to learn" -m none one.rill
	rna-tokenize -q -o bare.rill "$BATS_FILE_TMPDIR/lab.fa"
	no_model 1 "record 1: no field label" -m none bare.rill
	sed 's/ alass/ unheard/' "$BATS_FILE_TMPDIR/lab.fa" | rna-tokenize -q --label header -o valid.rill
	no_model 1 "valid.rill: record 4: label unheard is not among the 4 classes" -m none --valid valid.rill "$lab"
	printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nA\nC\nG\nU\n' >vocab.txt
	rna-tokenize -q --vocab vocab.txt --label header -o other.rill "$BATS_FILE_TMPDIR/lab.fa"
	no_model 1 "the stream's vocabulary is custom-9, the model's is rnaernie-39" -m "$backbone" other.rill
	no_model 1 "vocabulary" -m none --valid other.rill "$lab"
	(printf '>long alass\n'; head -c 600 /dev/zero | tr '\0' A; echo; cat "$BATS_FILE_TMPDIR/lab.fa") |
		rna-tokenize -q --label header -o long.rill
	no_model 1 "an RNA has 602 tokens, the model takes 513" -m "$backbone" long.rill
	no_model 1 "holds a model already" -m none "$lab" -o "$backbone"
}

@test "options that do not go together" {
	no_model 2 "--steps: goes with mlm" --steps 3 "$lab"
	no_model 2 "--group goes with --valid-split" --group name "$lab"
	no_model 2 "give one of them" --valid "$lab" --valid-split 0.1 "$lab"
	no_model 2 "--seeds compares" --seeds 2 "$lab"
	no_model 2 "freezes a backbone" --adapt fbth "$lab"
	run -2 --separate-stderr rna-train mlm --head mlp -o none "$lab"
	[[ ${stderr_lines[0]} == *"--head: goes with class and pair, not with mlm" ]]
}
