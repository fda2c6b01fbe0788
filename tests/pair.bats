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
	rna-train mlm -q -c tiny --layers 1 --hidden 32 --heads 2 --ffn 32 --max-tokens 64 --steps 0 -o backbone
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

# refused STATUS WORDS ARG...: one line on stderr, no model
refused() {
	local want=$1 words=$2
	shift 2
	run --separate-stderr rna-train pair -o none "$@"
	echo "$status $stderr"
	[ "$status" = "$want" ]
	[[ ${stderr_lines[0]} == *"$words"* ]]
	[ "$want" = 2 ] || one_line "$stderr"
	[ ! -e none/model.safetensors ]
}

@test "60 pairs are learnt by heart with a linear head, and the model says that it is one of pairs" {
	need jq
	pair m --head linear --dropout 0 --attention-dropout 0 --init-range 0.1 --epochs 80 "$pairs"
	jq -e '.rill.pairs == true and .architectures == ["BertForSequenceClassification"]' m/config.json
	rna-predict -m m "$pairs" | rna-score pair --bootstrap 0 >table
	[ "$(awk '$1 == "accuracy" { print $2 }' table)" = 1 ]
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
	refused 1 "single.rill: record 1: no second sequence (segment)" -m none single.rill
	sed 's/,[01]$/,0/' "$BATS_FILE_TMPDIR/pairs.csv" | rna-tokenize -q --pairs a_seq,b_seq -o one.rill
	refused 1 "have the label 0: there is nothing to learn" -m none one.rill
	sed 's/,label$/,class/' "$BATS_FILE_TMPDIR/pairs.csv" | rna-tokenize -q --pairs a_seq,b_seq -o bare.rill
	refused 1 "record 1: no field label" -m none bare.rill
	sed '5s/,[01]$/,2/' "$BATS_FILE_TMPDIR/pairs.csv" | rna-tokenize -q --pairs a_seq,b_seq -o valid.rill
	refused 1 "valid.rill: record 4: label 2 is not among the 2 classes" -m none --valid valid.rill "$pairs"
	printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nA\nC\nG\nU\n' >vocab.txt
	rna-tokenize -q --vocab vocab.txt --pairs a_seq,b_seq -o other.rill "$BATS_FILE_TMPDIR/pairs.csv"
	refused 1 "vocabulary is rnaernie-39, that of the stream before is custom-9" -m none other.rill "$pairs"
	refused 1 "the stream's vocabulary is custom-9, the model's is rnaernie-39" -m "$backbone" other.rill
	refused 2 "--steps: goes with mlm, not with pair" --steps 3 "$pairs"
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
