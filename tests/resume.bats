#!/usr/bin/env bats
# rna-train class and pair --resume: what a killed run goes on to, and what is refused.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	labelled 60 --frame type
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	lab=$BATS_FILE_TMPDIR/lab.rill
	backbone=$BATS_FILE_TMPDIR/backbone
	become= # exec: a function below becomes the program
}

# class DIR [ARG...]: five epochs, a checkpoint after the second, the fourth and the last
class() {
	local out=$1
	shift
	$become rna-train class -q -m "$backbone" --epochs 5 --save-every 2 --batch 20 --lr 1e-3 --valid-split 0.3 --patience 0 \
		-o "$out" "$@" "$lab"
}

# killed ROWS DIR FUNCTION...: the program that it starts, killed when its table has so many rows below its head
killed() {
	local rows=$1 dir=$2 pid become=exec
	shift 2
	"$@" >/dev/null 3>&- & pid=$!
	while kill -0 $pid 2>/dev/null && { [ ! -e "$dir/log.tsv" ] || [ "$(wc -l <"$dir/log.tsv")" -le "$rows" ]; }; do
		sleep 0.01
	done
	kill -9 $pid 2>/dev/null || true # it may have ended
	wait $pid || true
}

@test "after a checkpoint the same bytes, whatever is trained" {
	for how in "--adapt tbth --dropout 0.2 --schedule cosine" "--adapt fbth --class-weights" "--adapt stack --types 2" \
		"--adapt stack --types 2 --predictor shared" "--chunks attention --head mlp --label-smoothing 0.1"; do
		rm -rf a b
		# shellcheck disable=SC2086 # words are wanted
		class a $how
		last=(a/checkpoint-*)
		[ ${#last[@]} = 1 ]
		# shellcheck disable=SC2086
		killed 2 b class b $how
		# shellcheck disable=SC2086
		class b $how --resume
		for f in model.safetensors config.json log.tsv "${last#a/}"/{optimizer,weights,best}.safetensors; do
			same a/$f b/$f
		done
	done
}

@test "a run that is done: nothing is left to do; killed before its model was written: that is written" {
	class a
	cp -r a b
	class a --resume
	same a/model.safetensors b/model.safetensors
	rm b/model.safetensors b/config.json
	printf '1\t2' >>b/log.tsv # half a row
	class b --resume
	for f in model.safetensors config.json log.tsv; do
		same a/$f b/$f
	done
}

@test "--seeds and --patience: the table is whole, the model that of the best seed" {
	class a --seeds 3 --patience 2 >a.txt
	[ "$(wc -l <a.txt)" = 6 ]
	for rows in 1 4 7 9; do
		rm -rf b
		killed $rows b class b --seeds 3 --patience 2
		class b --seeds 3 --patience 2 --resume >b.txt
		same a.txt b.txt
		same a/log.tsv b/log.tsv
		same a/model.safetensors b/model.safetensors
	done
}

@test "without validation the last weights; no checkpoint yet: from the beginning" {
	last() { $become rna-train class -q -m none -c tiny --layers 1 --epochs 4 --save-every 3 -o "$@" "$lab"; }
	last a
	[ "$(cd a/checkpoint-8 && echo *)" = "optimizer.safetensors trainer_state.json weights.safetensors" ]
	last b --resume
	same a/model.safetensors b/model.safetensors
	rm -rf b
	killed 3 b last b
	last b --resume
	same a/model.safetensors b/model.safetensors
	same a/log.tsv b/log.tsv
}

@test "pairs: the interaction head, with and without a language model" {
	awk -F '\t' 'BEGIN { print "a_seq,b_seq,label" } !/^>/ { seq[++n] = $0 }
		END { for (i = 1; i < n; i++) print seq[i] "," seq[i + 1] "," i % 2 }' "$BATS_FILE_TMPDIR/lab.fa" |
		rna-tokenize -q --pairs a_seq,b_seq -o pairs.rill
	pair() { $become rna-train pair -q --epochs 4 --save-every 1 --batch 16 --valid-split 0.3 -o "$@" pairs.rill; }
	for m in none "$backbone"; do
		rm -rf a b
		pair a -m "$m"
		killed 2 b pair b -m "$m"
		pair b -m "$m" --resume
		same a/model.safetensors b/model.safetensors
		same a/log.tsv b/log.tsv
	done
}

@test "other options, other RNAs, a broken state are refused" {
	class a
	cp a/model.safetensors before
	refused 1 "the run to continue had label_smoothing 0.0, now it is 0.1" class a --label-smoothing 0.1 --resume
	refused 1 "the run to continue had seeds 1, now it is 2" class a --seeds 2 --resume
	sed '0,/ dlass/s// alass/' "$BATS_FILE_TMPDIR/lab.fa" | rna-tokenize -q --frame type --label header -o other.rill
	lab=other.rill
	refused 1 "the run to continue had data" class a --resume
	lab=$BATS_FILE_TMPDIR/lab.rill
	refused 1 "holds a model already; continue its run with --resume" class a
	need jq
	state=$(echo a/checkpoint-*)/trainer_state.json
	for bad in "$(jq '.epoch = 4' "$state")" '{}' '[' "$(jq '.seeds = [1]' "$state")"; do
		echo "$bad" >"$state"
		refused 1 "not the state of" class a --resume
	done
	rm -r a/checkpoint-*
	refused 1 "holds a model but no checkpoint to resume" class a --resume
	same a/model.safetensors before
	refused 2 "what is learnt from features has no use for it" rna-train class --from seq --resume -o c "$lab"
	refused 2 "--keep: goes with mlm, not with class" rna-train class --keep 2 -o c "$lab"
}

# bats test_tags=slow
@test "killed at any moment, class and pair end as if they had not been" {
	run -0 bash "$ROOT/tests/killresume.sh" 3 1 class
	run -0 bash "$ROOT/tests/killresume.sh" 3 1 pair
}
