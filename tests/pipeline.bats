#!/usr/bin/env bats
# From FASTA to a model and its embeddings, through pipes: what goes in comes out, in order, the same every time.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rna-tokenize -q --frame type --type header "$SAMPLE" | rna-shuf -q -s 1 | rna-mask -q -s 1 -o masked.rill
	rna-train mlm -q -c tiny --epochs 2 -o model masked.rill
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	model=$BATS_FILE_TMPDIR/model
	masked=$BATS_FILE_TMPDIR/masked.rill
}

@test "every RNA of the sample arrives, once" {
	rna-view -O json --fields name "$masked" | tr -d '{}"' | cut -d: -f2- | sort >out
	sed -n 's/^>\([^ ]*\).*/\1/p' "$SAMPLE" | sort >in
	same in out
}

@test "the header names the tools in their order" {
	run -0 rna-view -H "$masked"
	order=$(grep -oE 'rna-(tokenize|shuf|mask)' <<<"$output" | uniq | paste -sd' ' -)
	[[ $order == "rna-tokenize rna-shuf rna-mask"* ]]
}

@test "no path of this machine is in a stream or a model" {
	rna-view -H "$masked" >header
	run grep -F -e "$BATS_FILE_TMPDIR" -e "$ROOT" -e "$HOSTNAME" header
	[ "$status" = 1 ]
	run grep -rlF -e "$BATS_FILE_TMPDIR" -e "$ROOT" "$model"
	[ "$status" = 1 ]
}

@test "the whole pipe gives the same bytes twice, whatever -@ is" {
	for n in 1 2; do
		rna-tokenize -q -@ $n --frame type --type header <"$SAMPLE" | rna-shuf -q -@ $n -s 7 | rna-mask -q -@ $n -s 7 |
			rna-train mlm -q -@ $n -c tiny --batch-tokens 2048 --steps 3 -o "m$n"
		rna-embed -q -@ $n -m "m$n" "$SAMPLE" | rna-view -O json >"e$n.json"
	done
	same m1/model.safetensors m2/model.safetensors
	same e1.json e2.json
}

@test "an embedding a record, 128 numbers each for tiny, in the order of the input" {
	rna-embed -q -m "$model" -o e.rill "$SAMPLE"
	run -0 rna-view -n e.rill
	[ "${lines[0]%%[[:space:]]*}" = 60 ]
	rna-view -O json --fields name,cls e.rill >e.json
	[ "$(sed 's/.*"cls":\[//; s/\].*//' e.json | awk -F, '{ print NF }' | sort -u)" = 128 ]
	sed -n 's/^>\([^ ]*\).*/\1/p' "$SAMPLE" >in
	sed 's/.*"name":"\([^"]*\)".*/\1/' e.json | same - in
}

@test "an .npy of the embeddings has a row a record" {
	rna-embed -q -m "$model" "$SAMPLE" | rna-view --npy cls >cls.npy
	[ "$(head -c 6 cls.npy | tail -c 5)" = NUMPY ]
	head -c 128 cls.npy | grep -aq "'shape': (60, 128)"
	[ "$(stat -c %s cls.npy)" = $((128 + 60 * 128 * 4)) ]
}

@test "two halves of a split are the whole" {
	rna-tokenize -q "$SAMPLE" -o t.rill
	rna-shuf -q -s 3 --split 0.8 -o train.rill --rest valid.rill t.rill
	n=$(rna-view -O json valid.rill | wc -l)
	[ "$n" -ge 4 ] && [ "$n" -le 24 ]
	cat train.rill valid.rill | rna-view -O json --fields rid | sort >out
	rna-view -O json --fields rid t.rill | sort | same - out
}

@test "zstd -dc unpacks any stream, and rna-view reads what zstd packed again" {
	need zstd
	zstd -qdc "$masked" >plain
	size=$(stat -c %s plain)
	zstd -q --check --stream-size="$size" -c <plain >again.rill
	rna-view -O json "$masked" >a.json
	rna-view -O json again.rill | same - a.json
}

@test "masking and taking the mask away again gives the tokens back" {
	rna-tokenize -q "$SAMPLE" -o t.rill
	rna-mask -q t.rill | rna-view -O json --fields tokens,masked,target >m.json
	# put each target back at its place
	awk -F'[][]' '{ n = split($2, t, ","); k = split($4, at, ","); split($6, x, ",")
		for (i = 1; i <= k; i++) t[at[i] + 1] = x[i]
		s = t[1]; for (i = 2; i <= n; i++) s = s "," t[i]; print s }' m.json >back
	rna-view -O json --fields tokens t.rill | sed 's/.*\[//; s/\].*//' | same - back
}

@test "a model trained further starts where it was" {
	rna-train mlm -q -m "$model" --steps 0 -o same "$masked"
	rna-embed -q -m same "$SAMPLE" | rna-view -O json >a
	rna-embed -q -m "$model" "$SAMPLE" | rna-view -O json | same - a
}

# structures N MIN MAX SEED: random RNAs with the structures they fold into, as dot-bracket
structures() {
	random_fasta "$@" | sed "s/^>r/>bpRNA_T$4_/" | rna-fold -q | rna-view -O dbn | sed 's/ (.*//'
}

# bats test_tags=slow
@test "fold.mk: from structures to a table, whose training RNAs are not among the unseen; a second run has nothing to do" {
	need zstd make
	mkdir -p data/structure
	structures 12 30 50 1 | zstd -q >data/structure/bprna_TR0.dbn.zst
	structures 4 30 50 2 | zstd -q >data/structure/bprna_TV0.dbn.zst
	structures 6 30 50 3 | zstd -q >data/structure/bprna_TS0.dbn.zst
	{ structures 5 30 50 4; zstd -dcq data/structure/bprna_TR0.dbn.zst | head -6; } | zstd -q >data/structure/archiveII.dbn.zst
	fold=(make -s -f "$ROOT/pipelines/fold.mk" DATA=data OUT=out SMALL=1 STEPS=4 AUG=1 THREADS=1 BOOTSTRAP=10 BIN="$B/bin")
	"${fold[@]}" >log
	grep -qx 'archiveII: 7 RNAs' log
	grep -qx 'archiveII-unseen: 5 RNAs' log
	want='test folded_by rnas '
	for t in "TS0 6" "archiveII 7" "archiveII-unseen 5"; do
		for row in turner own fbth; do want+="${t% *} $row ${t#* } "; done
	done
	[ "$(cut -f1-3 out/table.tsv | tr '\t\n' '  ')" = "$want" ]
	# what is known here is what Turner's energies give
	awk -F'\t' '$2 == "turner" && $4 != "1.0000" { exit 1 }' out/table.tsv
	[ "$(rna-view -n out/train.rill)" = 24 ]
	[ "$(grep -c '<circle' out/pictures.svg)" -gt 200 ]
	[ -z "$("${fold[@]}" -n | grep -E 'rna-(train|fold|predict)')" ]
	run -2 --separate-stderr make -s -f "$ROOT/pipelines/fold.mk" DATA=data OUT=out2 TRAIN=none
	[[ $stderr == *"TRAIN=none: not tr0, rnastralign or all"* ]]
	make -f "$ROOT/pipelines/fold.mk" help | grep -q '^  TRAIN  *training set: tr0, rnastralign or all (tr0)$'
}
