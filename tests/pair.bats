#!/usr/bin/env bats
# rna-train pair: pairs of RNAs, what it learns, what it refuses.
bats_require_minimum_version 1.5.0
load helper

# random_pairs N SEED: a table of N pairs; label 1: the second sequence holds the first one's reverse complement
random_pairs() {
	awk -v n="$1" -v seed="$2" 'BEGIN {
		srand(seed)
		comp["A"] = "U"; comp["U"] = "A"; comp["C"] = "G"; comp["G"] = "C"
		print "a_name,a_seq,b_name,b_seq,label"
		for (i = 1; i <= n; i++) {
			a = b = ""
			for (j = 0; j < 12; j++) {
				c = substr("ACGU", 1 + int(rand() * 4), 1)
				a = a c
				if (i % 2)
					b = comp[c] b
				else
					b = b substr("ACGU", 1 + int(rand() * 4), 1)
			}
			for (j = 0; j < 8; j++)
				b = b substr("ACGU", 1 + int(rand() * 4), 1)
			printf "m%d,%s,t%d,%s,%d\n", i % 7, a, i, b, i % 2
		}
	}'
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	random_pairs 60 3 >pairs.csv
	rna-tokenize -q --pairs a_seq,b_seq -o pairs.rill pairs.csv
	rna-train mlm -q -c tiny --layers 1 --hidden 32 --heads 2 --ffn 32 --max-tokens 80 --steps 0 -o backbone
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	pairs=$BATS_FILE_TMPDIR/pairs.rill
	backbone=$BATS_FILE_TMPDIR/backbone
}

# pair DIR [ARG...]: a small new model
pair() {
	local out=$1
	shift
	rna-train pair -q -m none -c tiny --layers 1 --hidden 64 --ffn 64 --batch 20 -o "$out" "$@"
}

# no_model STATUS WORDS ARG...: refused, and nothing is written
no_model() {
	local want=$1 words=$2
	shift 2
	refused "$want" "$words" rna-train pair -o none "$@"
	[ ! -e none/model.safetensors ]
}

@test "60 pairs are learnt by heart with a linear head, and the model says that it is one of pairs" {
	need jq
	pair m --head linear --dropout 0 --attention-dropout 0 --init-range 0.1 --epochs 80 "$pairs"
	jq -e '.rill.pairs == true and .architectures == ["BertForSequenceClassification"]' m/config.json
	rna-predict -m m "$pairs" | rna-score pair --bootstrap 0 >table
	[ "$(awk '$1 == "accuracy" { print $2 }' table)" = 1 ]
}

@test "the interaction head learns 60 pairs, with and without a language model, and predicts what it validated" {
	need jq
	for how in "-m none" "-m $backbone --adapt fbth" "-m $backbone" "-m $backbone --adapt fbth --compat paddle"; do
		rm -rf m
		# shellcheck disable=SC2086 # words are wanted
		rna-train pair -q $how --batch 20 --epochs 8 --lr 3e-3 --patience 0 --valid "$pairs" -o m "$pairs"
		awk -F '\t' 'NR == 2 { first = $4 } END { exit !($4 < 0.9 * first) }' m/log.tsv
		best=$(awk -F '\t' '$11 == 1 { f = $9 } END { print f }' m/log.tsv)
		got=$(rna-predict -m m "$pairs" | rna-score pair --bootstrap 0 | awk '$1 == "accuracy" { printf "%.6g", $2 }')
		[ "$best" = "$got" ]
	done
	jq -e '.rill.classifier == {from: "interaction", head: "mlp", axis: "channels", language_model: true, dropout: 0.1} and
		.rill.pairs and .architectures == ["BertModel"]' m/config.json
}

@test "the interaction head: the same bytes for every -@, a frozen backbone as it was, pairs of any length" {
	for how in "-m none" "-m $backbone --adapt fbth"; do
		for n in 1 2; do
			# shellcheck disable=SC2086 # words are wanted
			rna-train pair -q -@ $n $how --epochs 2 --batch 25 --valid-split 0.2 -o m$n -f "$pairs"
		done
		for f in model.safetensors config.json log.tsv; do
			same m1/$f m2/$f
		done
	done
	for dir in "$backbone" m1; do
		rna-embed -q -m "$dir" "$pairs" | rna-view -O tsv --fields cls >"$(basename "$dir").tsv"
	done
	same backbone.tsv m1.tsv
	printf 'a_seq,b_seq\nA,C\nACG,\n,ACGGUCA\nACGNNACGUUAGCUAGCAU,ACUGUAGCUGUACGUAGUCGUAGCUGAU\n' |
		rna-tokenize -q --pairs a_seq,b_seq -o short.rill
	for how in "" "--compat paddle"; do
		# shellcheck disable=SC2086 # words are wanted
		rna-train pair -q -m "$backbone" $how --epochs 1 -o n -f "$pairs"
		rna-predict -m n --top 1 short.rill | rna-view -O json | jq -es 'length == 4 and all(.[]; .prob | add > 0.9999)'
	done
}

@test "a split by groups of seq keeps each first sequence on one side" {
	rna-shuf -q -s 1 --split 0.6 --group seq -o a.rill --rest b.rill "$pairs"
	for f in a b; do
		rna-view -O tsv --fields seq $f.rill | tail -n +2 | sort -u >$f
		[ -s $f ]
	done
	[ -z "$(comm -12 a b)" ]
}

@test "--kmer counts both sequences of a pair" {
	need jq
	printf 'a_seq,b_seq\nACAG,GGGU\nA,\n' | rna-tokenize -q --pairs a_seq,b_seq | rna-embed -q --kmer 1 | rna-view -O json |
		jq -ecs '[.[].kmer] == [[0.5, 0.25, 0.25, 0, 0, 0, 0.75, 0.25], [1, 0, 0, 0, 0, 0, 0, 0]]'
}

@test "what can't be learnt or told is refused in one line" {
	printf '>a x\nACGU\n>b y\nACGU\n' | rna-tokenize -q --label header -o single.rill
	no_model 1 "single.rill: record 1: no second sequence (segment)" -m none single.rill
	sed 's/,[01]$/,0/' "$BATS_FILE_TMPDIR/pairs.csv" | rna-tokenize -q --pairs a_seq,b_seq -o one.rill
	no_model 1 "have the label 0: there is nothing to learn" -m none one.rill
	sed 's/,label$/,class/' "$BATS_FILE_TMPDIR/pairs.csv" | rna-tokenize -q --pairs a_seq,b_seq -o bare.rill
	no_model 1 "record 1: no field label" -m none bare.rill
	sed '5s/,[01]$/,2/' "$BATS_FILE_TMPDIR/pairs.csv" | rna-tokenize -q --pairs a_seq,b_seq -o valid.rill
	no_model 1 "valid.rill: record 4: label 2 is not among the 2 classes" -m none --valid valid.rill "$pairs"
	printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nA\nC\nG\nU\n' >vocab.txt
	rna-tokenize -q --vocab vocab.txt --pairs a_seq,b_seq -o other.rill "$BATS_FILE_TMPDIR/pairs.csv"
	no_model 1 "vocabulary is rnaernie-39, that of the stream before is custom-9" -m none other.rill "$pairs"
	no_model 1 "the stream's vocabulary is custom-9, the model's is rnaernie-39" -m "$backbone" other.rill
	no_model 2 "--steps: goes with mlm and fold, not with pair" --steps 3 "$pairs"
	no_model 2 "--from: the interaction head reads all tokens" --head interaction --from mean "$pairs"
	no_model 2 "--compat: goes with --head interaction" --head mlp --compat paddle "$pairs"
	no_model 2 "--adapt stack: goes with --head linear or mlp" -m "$backbone" --adapt stack "$pairs"
	run -2 --separate-stderr rna-train class -m none --head interaction -o none "$pairs"
	[[ ${stderr_lines[0]} == *"--head interaction: goes with pair, not with class" ]]
}

@test "rna-predict refuses single RNAs with a model of pairs, and a model without a head" {
	pair m --head linear --epochs 1 "$pairs"
	run -1 --separate-stderr rna-predict -m m -o none "$SAMPLE"
	one_line "$stderr"
	[[ $stderr == *"record 1: no second sequence, the model is one of pairs"* ]]
	run -1 --separate-stderr rna-predict -m "$backbone" -o none "$pairs"
	one_line "$stderr"
	[[ $stderr == *"no class head"* ]]
}

# bats test_tags=slow
@test "pipelines/interact.mk: every row of both protocols, and a second make has nothing to do" {
	need gnuplot
	interact() {
		make -s -f "$ROOT/pipelines/interact.mk" BIN="$B/bin" TABLE="$BATS_FILE_TMPDIR/pairs.csv" OUT="$PWD/out" MODEL="$backbone" SMALL=1 \
			ROWS="fbth alone linear" GIVEN=alone EPOCHS=1 TUNED=1 THREADS=1 "$@"
	}
	interact help | grep -q 'PAIRS'
	interact table >table
	[ "$(awk '{ print $1 }' table | paste -sd ' ')" = \
		"row fbth alone linear kmer kmer-all length length-all lookup lookup-all #" ]
	# none of the microRNAs of the clean test set is in training, so the look-up has nothing to say there
	for f in all test; do
		rna-view -O tsv --fields a_seq out/clean/$f.rill | tail -n +2 | sort -u >$f
	done
	[ -s test ]
	[ -z "$(comm -12 all test)" ]
	grep -qc auc_macro out/paper-given/alone-1.tsv
	before=$(ls -l --time-style=full-iso out/paper)
	interact table >again
	same table again
	[ "$before" = "$(ls -l --time-style=full-iso out/paper)" ]
}

@test "features of pairs: k-mers and lengths of both, the look-up of the first" {
	printf 'a_seq,b_seq,label\n' >t.csv
	for i in 1 2 3 4 5 6 7 8; do
		printf 'ACGUACGUAC,ACGUAC,0\nACGUACGUACG,AUGUAUAUAUUAUAUAUUUAA,1\n' >>t.csv
	done
	rna-tokenize -q --pairs a_seq,b_seq t.csv | rna-embed -q --kmer 2 -o t.rill
	for from in kmer length seq; do
		rna-train pair -q --from $from -o $from t.rill
		[ "$(rna-predict -m $from t.rill | rna-score pair --bootstrap 0 | awk '$1 == "accuracy" { print $2 }')" = 1 ]
	done
	printf '>a\nACGU\n' >one.fa
	run -1 --separate-stderr rna-predict -m length -o none one.fa
	one_line "$stderr"
}
