#!/usr/bin/env bats
# rna-embed: the numbers of golden models, and that a record's numbers depend on the record alone.
bats_require_minimum_version 1.5.0
load helper

DATA=${DATA:-$ROOT/../shared/data}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rna-tokenize -q --type header -o plain.rill "$SAMPLE"
	rna-tokenize -q --type header --frame type -o typed.rill "$SAMPLE"
	rna-mask -q -o masked.rill typed.rill
	rna-train mlm -q -c tiny --steps 0 -o model masked.rill
	random_fasta 3 1200 1700 5 >long.fa
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	T=$BATS_TEST_TMPDIR
}

# golden MODEL DTYPE DIFFERENCE COSINE: all values of its expected.jsonl, and how near they must be
golden() {
	jq -r '">" + .name + "\n" + .seq' "$1/expected.jsonl" >"$T/in.fa"
	rna-embed -m "$1" --dtype "$2" --what cls,mean,pooled,hidden,logits -o "$T/$2.rill" "$T/in.fa"
	rna-view -O json "$T/$2.rill" | jq -rs --slurpfile want "$1/expected.jsonl" -f "$ROOT/tests/compare.jq" >"$T/near"
	cat "$T/near" >&2
	[ "$(wc -l <"$T/near")" -eq 5 ]
	awk -v d="$3" -v c="$4" '!($2 <= d && $3 >= c) { exit 1 }' "$T/near"
	rm "$T/$2.rill"
}

@test "a small model gives what transformers gives" {
	golden "$GOLDEN/model-tiny" fp32 2e-5 0.999999
	golden "$GOLDEN/model-tiny" bf16 0.3 0.9995
}

@test "the golden models of multimolecule and of RNAErnie's vocabulary: fp32, bf16, int8" {
	[ -d "$DATA/models/golden-multimolecule" ] || skip_or_fail "no golden models in $DATA" || return 1
	for m in golden-multimolecule golden-paddle-vocab; do
		golden "$DATA/models/$m" fp32 2e-5 0.999999
		golden "$DATA/models/$m" bf16 1 0.9995
		golden "$DATA/models/$m" int8 1 0.995
	done
}

# bats test_tags=slow
@test "every level of the CPU gives the golden values, in every precision" {
	ran=0
	for level in avx512bf16 avx512 avx2 plain; do
		RILL_CPU=$level rna-embed -q -m model "$SAMPLE" >/dev/null || continue # a level that this machine lacks
		ran=$((ran + 1))
		RILL_CPU=$level golden "$GOLDEN/model-tiny" fp32 2e-5 0.999999
		RILL_CPU=$level golden "$GOLDEN/model-tiny" bf16 0.3 0.9995
		for m in golden-multimolecule golden-paddle-vocab; do
			[ -d "$DATA/models/$m" ] || continue
			RILL_CPU=$level golden "$DATA/models/$m" fp32 2e-5 0.999999
			RILL_CPU=$level golden "$DATA/models/$m" bf16 1 0.9995
			RILL_CPU=$level golden "$DATA/models/$m" int8 1 0.995
		done
	done
	[ $ran -gt 0 ]
}

@test "threads, order and company do not matter, bit for bit" {
	for d in fp32 bf16 int8; do
		rna-embed -m model --dtype $d --what cls,mean,hidden -o "$T/1.rill" plain.rill
		rna-embed -@2 -m model --dtype $d --what cls,mean,hidden -o "$T/2.rill" plain.rill
		same "$T/1.rill" "$T/2.rill"
		rna-view -O json "$T/1.rill" | sort >"$T/all"
		rna-shuf -s 3 plain.rill | rna-embed -m model --dtype $d --what cls,mean,hidden | rna-view -O json | sort | same - "$T/all"
	done
	rna-view -O json "$T/1.rill" | sed -n 7p >"$T/one"
	rna-shuf --shard 7/60 plain.rill | rna-embed -m model --dtype int8 --what cls,mean,hidden | rna-view -O json >"$T/alone"
	grep -qxF -f "$T/alone" "$T/all"
}

@test "the order of the input is kept, and other fields pass through" {
	rna-embed -m model plain.rill | rna-view -O json | jq -c 'del(.cls)' >"$T/out"
	rna-view -O json plain.rill | same - "$T/out"
}

@test "FASTA gives what its tokenised stream gives; so does a pipe" {
	rna-embed -m model --what cls,mean,logits "$SAMPLE" | rna-view -O json --fields name,tokens,cls,mean,logits >"$T/fasta"
	rna-tokenize -q -m model "$SAMPLE" | rna-embed -m model --what cls,mean,logits |
		rna-view -O json --fields name,tokens,cls,mean,logits | same - "$T/fasta"
}

@test "a long RNA of FASTA is run in chunks and merged: one in, one out" {
	rna-embed -m model --what cls,mean,hidden long.fa | rna-view -O json >"$T/whole"
	[ "$(wc -l <"$T/whole")" -eq 3 ]
	rna-tokenize -q -m model --long chunk long.fa | rna-embed -m model --what cls,mean,hidden | rna-view -O json >"$T/chunks"
	jq -es --slurpfile chunk "$T/chunks" 'def near($a; $b): [$a, $b] | transpose | all(.[0] - .[1] | fabs < 1e-5);
		length == 3 and all(.[]; . as $w | [$chunk[] | select(.rid == $w.rid)] as $c
		| ($c | length) > 2 and ($w.hidden | length) == ($w.seq | length) + ($c[0].tokens | length) - ($c[0].seq | length)
		and ($w.tokens | length) == ($w.hidden | length) and $w.chunk == null
		and $w.hidden[0:9] == $c[0].hidden[0:9] and $w.hidden[-1] == $c[-1].hidden[-1]
		and $w.hidden[1 + ($c[0].seq | length)] == $c[1].hidden[1]
		and ([$c[] | (.seq | length) as $n | .mean | map(. * $n)] | transpose | map(add / ($w.seq | length)) | near(.; $w.mean))
		and ([$c[] | (.seq | length) as $n | .cls | map(. * $n)] | transpose | map(add / ($w.seq | length)) | near(.; $w.cls)))' \
		"$T/whole"
}

@test "mean is the mean of the bases' hidden states, cls is row 0; --layer counts as hidden_states" {
	for l in 0 2 4; do
		rna-embed -m model --layer $l --what cls,mean,hidden typed.rill | rna-view -O json >"$T/l$l"
		jq -es 'all(.[]; (.seq | length) as $n | .mean as $m | .cls == .hidden[0] and
			([[.hidden[1:$n + 1] | transpose[] | add / $n], $m] | transpose | all(.[0] - .[1] | fabs < 1e-5)))' "$T/l$l"
	done
	rna-embed -m model --what cls,mean,hidden typed.rill | rna-view -O json | same - "$T/l4"
	run -1 cmp -s "$T/l2" "$T/l4"
	run -1 --separate-stderr rna-embed -m model --layer 5 typed.rill
	one_line "$stderr"
}

@test "tokens of another vocabulary are made anew, unless bases are masked" {
	tac "$ROOT/formats/vocab.txt" >"$T/vocab.txt"
	rna-tokenize -q --vocab "$T/vocab.txt" -o "$T/other.rill" "$SAMPLE"
	rna-embed -m model "$T/other.rill" | rna-view -O json --fields name,cls >"$T/got"
	rna-embed -m model "$SAMPLE" | rna-view -O json --fields name,cls | same - "$T/got"
	mkdir "$T/m"
	cp "$GOLDEN/model-tiny/model.safetensors" "$GOLDEN/model-tiny/config.json" "$T/vocab.txt" "$T/m"
	run -1 --separate-stderr rna-embed -m "$T/m" masked.rill
	one_line "$stderr"
	[[ $stderr == *"record 1"*masked* ]]
}

@test "tokens too long: the line to type, and it works" {
	rna-tokenize -q -o "$T/long.rill" long.fa
	run -1 --separate-stderr rna-embed -m model "$T/long.rill"
	one_line "$stderr"
	line=${stderr#*try: }
	[ "$line" = "rna-tokenize -m model --long chunk FILE | rna-embed -m model" ]
	[ "$(pipe "${line/FILE/long.fa}" | rna-view -n)" -gt 6 ]
}

@test "what a model lacks is named" {
	run -1 --separate-stderr rna-embed -m model --what pooled typed.rill
	one_line "$stderr"
	[[ $stderr == *pooler* ]]
	run -1 --separate-stderr rna-embed -m no/such/model typed.rill
	one_line "$stderr"
	run -1 --separate-stderr rna-embed -m org/name typed.rill
	one_line "$stderr"
	[[ $stderr == *"hf download org/name"* ]]
}

@test "-m org/name finds a model in the Hugging Face cache" {
	hub=$T/hub/models--some--model
	mkdir -p "$hub/refs" "$hub/snapshots/abc"
	printf abc >"$hub/refs/main"
	cp model/* "$hub/snapshots/abc"
	HF_HUB_CACHE=$T/hub rna-embed -m some/model typed.rill | rna-view -O json >"$T/a"
	rna-embed -m model typed.rill | rna-view -O json | same - "$T/a"
}

@test "--types: K replicates of each record with the most probable types, shares that add to 1" {
	rna-embed -m model --types 3 -o "$T/t.rill" typed.rill
	rna-view -O json "$T/t.rill" >"$T/t"
	jq -es '[range(0; length; 3) as $i | .[$i:$i + 3]] | all(.[];
		([.[].rid] | unique | length) == 1 and ([.[].group] | unique | length) == 1
		and ([.[].sigma] | add - 1 | fabs < 1e-6) and [.[].type] == .[0].types and (.[0].types | unique | length) == 3
		and .[0].types_p == (.[0].types_p | sort | reverse) and (.[0].types_p | add) < 1
		and (.[0].sigma - .[0].types_p[0] / (.[0].types_p | add) | fabs < 1e-6)
		and ([.[].tokens[-2]] | unique | length) == 3 and ([.[].tokens[0:-2]] | unique | length) == 1)' "$T/t"
	[ "$(jq -r .group "$T/t" | sort -u | wc -l)" -eq "$(rna-view -n typed.rill)" ]
	# the types are the softmax of the logits at a masked slot
	rna-tokenize -q --frame type "$SAMPLE" | rna-embed -m model --what logits | rna-view -O json |
		jq -c '[.logits[-2][7:35] | to_entries | sort_by(-.value)[0:3][].key]' >"$T/want"
	jq -cs '[range(0; length; 3) as $i | [.[$i:$i + 3][].tokens[-2] - 7]][]' "$T/t" | same - "$T/want"
}

@test "--types: plain frames get a slot, chunks of an RNA share their types, replicates are not replicated" {
	rna-embed -m model --types 2 plain.rill | rna-view -O json --fields name,type,sigma,tokens >"$T/plain"
	rna-embed -m model --types 2 typed.rill | rna-view -O json --fields name,type,sigma,tokens | same - "$T/plain"
	rna-embed -m model --types 2 -o "$T/long.rill" long.fa
	rna-view -O json "$T/long.rill" | jq -es 'length > 12 and (group_by(.rid) | length == 3 and all(.[];
		([.[].types] | unique | length) == 1 and ([.[].group] | unique | length) == length / 2))'
	rna-tokenize -q -m model --frame type --long chunk long.fa | rna-embed -m model --types 2 |
		rna-view -O json --fields name,types,sigma,group,chunk,tokens >"$T/stream"
	rna-view -O json --fields name,types,sigma,group,chunk,tokens "$T/long.rill" | same - "$T/stream"
	run -1 --separate-stderr rna-embed -m model --types 2 "$T/long.rill"
	one_line "$stderr"
	rna-embed -m model --types 2 --what cls plain.rill | rna-view -O json | jq -es 'all(.[]; (.cls | length) == 128)'
}

@test "--kmer counts" {
	printf '>a\nAcgUnUt\n>b\nNNN\n' | rna-embed --kmer 1 | rna-view -O json | jq -ecs '[.[].kmer | map(. * 6 + 0.5 | floor)] ==
		[[1, 1, 1, 3], [0, 0, 0, 0]]'
	run -2 rna-embed --kmer 9 "$SAMPLE"
	run -2 rna-embed --kmer 2 -m model "$SAMPLE"
}

@test "provenance says what the numbers depend on" {
	rna-embed -m model --dtype bf16 plain.rill | rna-view -H | jq -e --arg d "$(sha256sum <model/model.safetensors | cut -d' ' -f1)" \
		'.provenance[-1] | .tool == "rna-embed" and .model == $d and .dtype == "bf16" and (.cpu | length) > 0'
}

@test "--plan says what it would take, and writes nothing" {
	run -0 --separate-stderr rna-embed -m model --plan -o "$T/x.rill" plain.rill
	[[ $output == *"60 read, 60 written"*tokens*memory*disk*time* ]]
	[ ! -e "$T/x.rill" ] && [ ! -e "$T/x.rill.part" ]
}

# bats test_tags=slow
@test "killed at any moment, --resume gives the same bytes" {
	cat plain.rill typed.rill plain.rill >in.rill
	rna-embed -m model --what hidden -o "$T/want.rill" in.rill
	resumed=0
	for i in $(seq 1 20); do
		rm -f "$T/x.rill" "$T/x.rill.part"
		rna-embed -m model --what hidden -o "$T/x.rill" in.rill &
		pid=$!
		sleep "$(awk -v i="$i" 'BEGIN { srand(i); print 0.02 + rand() * 0.4 }')"
		kill -9 $pid 2>/dev/null && resumed=$((resumed + 1))
		wait $pid || true
		rna-embed -m model --what hidden -o "$T/x.rill" --resume in.rill
		same "$T/x.rill" "$T/want.rill"
	done
	[ $resumed -gt 2 ]
}

@test "--resume after every cut of the output; on other input or options it is refused" {
	cat plain.rill typed.rill >in.rill
	rna-embed -m model --what cls,hidden -o "$T/want.rill" in.rill
	rna-embed -m model --types 2 -o "$T/types.rill" in.rill
	for f in want types; do
		size=$(stat -c %s "$T/$f.rill")
		for part in 0 1 7 13 29 42 50 51 66 83 99 100; do
			head -c $((size * part / 100)) "$T/$f.rill" >"$T/x.rill.part"
			if [ $f = want ]; then set -- --what cls,hidden; else set -- --types 2; fi
			rna-embed -m model "$@" -o "$T/x.rill" --resume in.rill
			same "$T/x.rill" "$T/$f.rill"
			rm "$T/x.rill"
		done
	done
	head -c $(($(stat -c %s "$T/want.rill") * 3 / 4)) "$T/want.rill" >"$T/x.rill.part"
	cp "$T/x.rill.part" "$T/y"
	for a in "--what cls,hidden typed.rill" "--what hidden in.rill" "--what cls,hidden plain.rill"; do
		# shellcheck disable=SC2086 # words are wanted
		run -1 --separate-stderr rna-embed -m model -o "$T/x.rill" --resume $a
		one_line "$stderr"
		[ -s "$T/x.rill.part" ] && [ ! -e "$T/x.rill" ]
	done
	run -2 rna-embed -m model --resume in.rill
}

@test "pipelines/embed.mk makes an array, names and neighbours, with a model and without" {
	for model in none model; do
		make -s -f "$ROOT/pipelines/embed.mk" BIN="$B/bin" FASTA="$SAMPLE" MODEL=$model OUT="$T/$model" K=2
		[ "$(wc -l <"$T/$model/names.tsv")" -eq 60 ]
		[ "$(wc -l <"$T/$model/neighbours.tsv")" -eq 121 ]
		awk -F'\t' 'NR > 1 && ($1 == $3 || $4 > 1.0001 || $4 < -1.0001) { exit 1 }' "$T/$model/neighbours.tsv"
	done
	grep -aq "'shape': (60, 64)" "$T/none/kmer.npy"
	grep -aq "'shape': (60, 128)" "$T/model/cls.npy"
}

@test "without -m the model that comes with rill is used, in the tree and installed" {
	cd "$BATS_TEST_TMPDIR"
	printf '>a\nGCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA\n' > a.fa
	rna-embed -o with.rill -m "$ROOT/pipelines/models/tiny" a.fa
	rna-embed -v -o without.rill a.fa 2> said
	grep -q "the model that comes with rill" said
	rna-view -O tsv --fields name,cls with.rill > with
	rna-view -O tsv --fields name,cls without.rill > without
	same with without
	mkdir -p usr/bin usr/share/rill/models
	cp "$B/bin/rna-embed" usr/bin/
	run -2 --separate-stderr usr/bin/rna-embed a.fa
	[[ $stderr == *"-m is missing"* ]]
	cp -r "$ROOT/pipelines/models/tiny" usr/share/rill/models/
	usr/bin/rna-embed -o installed.rill a.fa
	same without.rill installed.rill
}
