#!/usr/bin/env bats
# Type-guided fine-tuning (--adapt stack) and RNAs in chunks: a program alone, and the same as a pipe.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	random_fasta 40 20 90 3 | awk '/^>/ { print $1, "c" n++ % 3; next } 1' >lab.fa
	rna-tokenize -q --frame type --label header --max 44 --long chunk -o lab.rill lab.fa
	rna-tokenize -q --frame type --label header --max 44 --long truncate -o cut.rill lab.fa
	rna-mask -q -o masked.rill cut.rill
	rna-train mlm -q -c tiny --layers 1 --hidden 64 --ffn 64 --init-range 0.3 --steps 0 -o mlm masked.rill
	stack frozen lab.rill
	stack shared --predictor shared --lr 1e-3 lab.rill
}

# stack DIR ARG...: two epochs of it on the small model
stack() {
	local out=$1
	shift
	rna-train class -q -m mlm --adapt stack --epochs 2 --batch 10 -o "$out" "$@"
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	T=$BATS_TEST_TMPDIR
}

# near A B BOUND: two files of JSON arrays of numbers, line by line
near() {
	[ -s "$1" ]
	jq -ne --slurpfile a "$1" --slurpfile b "$2" --argjson most "$3" '($a | length) == ($b | length) and
		([range($a | length) as $i | range($a[$i] | length) as $k | $a[$i][$k] - $b[$i][$k] | fabs] | max) <= $most'
}

logits() {
	rna-view -O json "$@" | jq -c .logits
}

@test "rna-predict alone says what types, module and vote say as a pipe" {
	need jq
	for m in frozen shared; do
		rna-predict -m $m cut.rill | logits >"$T/alone"
		[ $m = shared ] && typer=shared || typer=frozen/types
		rna-embed -m $typer --types 3 cut.rill | rna-predict -m $m | rna-vote | logits >"$T/pipe"
		[ "$(wc -l <"$T/pipe")" = 40 ]
		near "$T/alone" "$T/pipe" 1e-5
		rna-embed -m $typer --types 1 cut.rill | rna-predict -m $m | rna-vote | logits >"$T/one"
		run ! near "$T/alone" "$T/one" 1e-5
	done
}

@test "of an RNA in chunks too: one set of types, the chunks by their bases" {
	need jq
	rna-predict -m frozen lab.fa | logits >"$T/alone"
	rna-tokenize -q -m frozen --long chunk lab.fa | rna-embed -m frozen/types --types 3 | rna-predict -m frozen |
		rna-vote | rna-vote --by chunk | logits >"$T/pipe"
	near "$T/alone" "$T/pipe" 1e-5
	rna-tokenize -q -m frozen --long chunk lab.fa | rna-predict -m frozen | rna-vote --by chunk | logits >"$T/chunks"
	near "$T/alone" "$T/chunks" 1e-5
}

@test "the answers keep the records' own tokens, and say the types" {
	need jq
	rna-view -O json cut.rill | jq -c .tokens >"$T/before"
	rna-predict -m frozen cut.rill | rna-view -O json >"$T/out"
	jq -c .tokens "$T/out" | same "$T/before" -
	jq -es 'all(.[]; (.types | length) == 3 and (.types_p | length) == 3 and .types_p[0] >= .types_p[2] and
		(has("group") | not) and (has("classifier.input") | not))' "$T/out"
}

# weights DIR: the tensors of a model, without what the file says of where they come from
weights() { tail -c +$((9 + $(od -An -tu8 -N8 "$1/model.safetensors"))) "$1/model.safetensors"; }

@test "K = 1 is tbth with that type given, bit for bit" {
	rna-embed -q -m mlm --types 1 -o "$T/typed.rill" lab.rill
	rna-train class -q -m mlm --adapt tbth --epochs 2 --batch 10 -o "$T/tbth" "$T/typed.rill"
	stack "$T/one" --types 1 lab.rill
	weights "$T/tbth" >"$T/given"
	weights "$T/one" | same "$T/given" -
	run cmp -s "$T/one/model.safetensors" frozen/model.safetensors
	[ "$status" = 1 ]
}

@test "a vote is the mean weighted by sigma" {
	need jq
	rna-embed -m frozen/types --types 3 cut.rill | rna-predict -m frozen -o "$T/three.rill"
	rna-vote "$T/three.rill" | logits >"$T/vote"
	rna-view -O json "$T/three.rill" | jq -c '[.group, .sigma, .logits]' | jq -sc 'group_by(.[0])[] | .' >"$T/groups"
	rna-view -O json "$T/three.rill" | jq -r .group | uniq >"$T/order"
	jq -nc --slurpfile g "$T/groups" --rawfile o "$T/order" '($g | map({key: .[0][0], value: .}) | from_entries) as $by |
		$o | split("\n")[] | select(. != "") | $by[.] | map(.[1] as $s | [.[2][] * $s]) | transpose | map(add)' >"$T/hand"
	near "$T/vote" "$T/hand" 1e-6
}

@test "shuffling a stream's groups changes nothing but the order" {
	rna-embed -m frozen/types --types 3 cut.rill >"$T/three.rill"
	rna-predict -m frozen "$T/three.rill" | rna-vote | rna-view -O tsv --fields name,logits,call >"$T/plain"
	rna-shuf -q -s 7 "$T/three.rill" | rna-predict -m frozen | rna-vote | rna-view -O tsv --fields name,logits,call >"$T/shuffled"
	run ! cmp -s "$T/plain" "$T/shuffled"
	sort "$T/shuffled" >"$T/sorted"
	sort "$T/plain" | same - "$T/sorted"
}

@test "a floor leaves types out, the same way in the pipe" {
	need jq
	stack "$T/floor" --types-floor 0.9 cut.rill
	[ "$(jq .rill.classifier.floor "$T/floor/config.json")" = 0.9 ]
	rna-predict -m "$T/floor" cut.rill | logits >"$T/alone"
	rna-embed -m "$T/floor/types" --types 3 --types-floor 0.9 cut.rill | rna-predict -m "$T/floor" >"$T/three.rill"
	rna-view -O json "$T/three.rill" | jq -es 'length == 120 and all(.[]; .sigma == 0 or .sigma == 1)'
	rna-vote "$T/three.rill" | logits >"$T/pipe"
	near "$T/alone" "$T/pipe" 1e-5
}

@test "a shared predictor learns with the module; a frozen one stays" {
	rna-view -O json <(rna-embed -q -m mlm --types 3 cut.rill) | jq -c .sigma >"$T/before"
	rna-view -O json <(rna-embed -q -m frozen/types --types 3 cut.rill) | jq -c .sigma | same "$T/before" -
	rna-view -O json <(rna-embed -q -m shared --types 3 cut.rill) | jq -c .sigma >"$T/after"
	run ! cmp -s "$T/before" "$T/after"
	[ ! -e shared/types ]
}

@test "the loss is of the voted logits, of all chunks of an RNA" {
	need jq
	stack "$T/m" --valid lab.rill --patience 0 lab.rill
	valid=$(awk -F '\t' '$11 == 1 { v = $8 } END { print v }' "$T/m/log.tsv")
	rna-predict -m "$T/m" lab.rill | rna-vote --by chunk | rna-view -O json |
		jq -es --argjson v "$valid" 'length == 40 and
			((map(. as $r | -($r.prob[$r.label[1:2] | tonumber] | log)) | add / 40 - $v) | fabs < 1e-4)'
}

@test "attention and an MLP over chunks: FASTA says what its chunks say" {
	need jq
	for how in attention mlp; do
		rna-train class -q -m mlm --chunks $how --from mean --epochs 2 --batch 10 -o "$T/$how" lab.rill
		rna-predict -m "$T/$how" lab.fa | logits >"$T/alone"
		rna-tokenize -q -m "$T/$how" --long chunk lab.fa | rna-predict -m "$T/$how" | rna-vote --by chunk | logits >"$T/chunks"
		near "$T/alone" "$T/chunks" 1e-5
		rna-predict -m "$T/$how" --overlap 10 lab.fa | logits >"$T/overlap"
		rna-tokenize -q -m "$T/$how" --long chunk --overlap 10 lab.fa | rna-predict -m "$T/$how" | rna-vote --by chunk |
			logits >"$T/chunks"
		near "$T/overlap" "$T/chunks" 1e-5
		run ! near "$T/alone" "$T/overlap" 1e-5
	done
}

@test "mean and attention over positions learn, are written and read" {
	for from in mean attention; do
		rna-train class -q -m none -c tiny --layers 1 --hidden 64 --ffn 64 --dropout 0 --attention-dropout 0 --lr 2e-3 \
			--init-range 0.1 --from $from --epochs 60 --batch 20 -o "$T/$from" cut.rill
		awk -F '\t' 'NR == 2 { first = $4 } END { exit !($4 < first / 2) }' "$T/$from/log.tsv"
		loss=$(rna-predict -m "$T/$from" cut.rill | rna-view -O json |
			jq -s 'map(. as $r | -($r.prob[$r.label[1:2] | tonumber] | log)) | add / 40')
		awk -v a="$loss" 'BEGIN { exit !(a < 0.6) }'
	done
	[ "$(jq -r .rill.classifier.from "$T/attention/config.json")" = attention ]
}

@test "only the first chunks are learnt from when --max-chunks says so" {
	rna-train class -q -m mlm --max-chunks 1 --epochs 1 -o "$T/first" lab.rill
	rna-train class -q -m mlm --epochs 1 -o "$T/cut" cut.rill
	rna-train class -q -m mlm --epochs 1 -o "$T/all" lab.rill
	same "$T/first/model.safetensors" "$T/cut/model.safetensors"
	run ! cmp -s "$T/first/model.safetensors" "$T/all/model.safetensors"
}

# refused WORDS COMMAND...: one line on stderr, status 1
refused() {
	local words=$1
	shift
	run -1 --separate-stderr "$@"
	echo "$stderr"
	one_line "$stderr"
	[[ $stderr == *"$words"* ]]
}

@test "what can't be done is one line" {
	refused "no type slot" rna-train class -q -m mlm --adapt stack -o "$T/n" <(rna-tokenize -q --max 40 --long truncate --label header lab.fa)
	refused "the model has no masked-language head" rna-train class -q -m frozen --adapt stack -o "$T/n" cut.rill
	printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nA\nC\nG\nU\n' >"$T/vocab.txt"
	rna-tokenize -q --vocab "$T/vocab.txt" --label header -o "$T/plain.rill" lab.fa
	rna-train class -q -m none -c tiny --layers 1 --vocab "$T/vocab.txt" --epochs 1 -o "$T/vocab" "$T/plain.rill"
	rna-mask -q -m "$T/vocab" -o "$T/m.rill" "$T/plain.rill"
	rna-train mlm -q -c tiny --layers 1 --vocab "$T/vocab.txt" --steps 0 -o "$T/typeless" "$T/m.rill"
	refused "has 0 types" rna-embed -m "$T/typeless" --types 3 lab.fa
	refused "has 0 types" rna-train class -q -m "$T/typeless" --adapt stack -o "$T/n" "$T/plain.rill"
	rna-shuf -q -s 1 cut.rill | rna-embed -q -m mlm --types 2 -o "$T/two.rill"
	refused "is a replicate already" rna-train class -q -m mlm --adapt stack -o "$T/n" "$T/two.rill"
	rm -rf "$T/lost" && cp -r frozen "$T/lost" && rm -r "$T/lost/types"
	refused "types" rna-predict -m "$T/lost" cut.rill
	jq '.rill.classifier.types = 99' frozen/config.json >"$T/config.json"
	cp -r frozen "$T/many" && cp "$T/config.json" "$T/many/config.json"
	refused "wants 99 types, but its vocabulary has 28" rna-predict -m "$T/many" cut.rill
	run -2 --separate-stderr rna-train class --adapt stack -o "$T/n" cut.rill
	[[ ${stderr_lines[0]} == *"name it with -m" ]]
	run -2 --separate-stderr rna-train class -m mlm --adapt fbth --from attention -o "$T/n" cut.rill
	run -2 --separate-stderr rna-train class -m mlm --adapt stack --chunks attention -o "$T/n" cut.rill
	run -2 --separate-stderr rna-train class -m mlm --types 2 -o "$T/n" cut.rill
	[[ ${stderr_lines[0]} == *"--types goes with --adapt stack"* ]]
	run -2 --separate-stderr rna-predict -m frozen --overlap 40 cut.rill
}
