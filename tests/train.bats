#!/usr/bin/env bats
# rna-train: what it learns, what it writes, what it refuses, and that it goes on where it was stopped.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rna-tokenize -q --frame type --type header --long chunk "$SAMPLE" | rna-shuf -q -s 1 -o plain.rill
	rna-mask -q -s 1 -o x.rill plain.rill
	rna-mask -q -s 2 -o other.rill plain.rill
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	x=$BATS_FILE_TMPDIR/x.rill
}

# mini DIR [ARG...]: a training of about a second; mini_bg: its pid is that of the program
mini() { (mini_bg "$@"); }
mini_bg() {
	local out=$1
	shift
	exec rna-train mlm -q -c tiny --layers 1 --batch-tokens 2048 -o "$out" "$@"
}

# table LOG: the log without its one column of clock time
table() { cut -f 1-8,10- "$1"; }

@test "the objectives that there are" {
	run -2 --separate-stderr rna-train clash -o m
	[[ ${stderr_lines[0]} == "rna-train: clash: not one of mlm"* ]]
	run -2 --separate-stderr rna-train mlm --steps 1
	[[ $stderr == *"no -o"* ]]
	[ ! -e m ]
}

@test "a model directory, a log, checkpoints" {
	mini m "$x" --epochs 3 --save-every 2 --valid "$x" --valid-every 2
	for f in config.json vocab.txt model.safetensors log.tsv; do
		[ -s m/$f ]
	done
	last=$(tail -n 1 m/log.tsv | cut -f 1)
	[ "$(ls -d m/checkpoint-* | wc -l)" = 2 ]
	same m/model.safetensors "m/checkpoint-$last/model.safetensors"
	[ -s "m/checkpoint-$last/optimizer.safetensors" ]
	[ "$(awk 'NR > 1 && $10 != "NA"' m/log.tsv | wc -l)" -ge 2 ]
	[ "$(find m -name '.*' -mindepth 1)" = "" ]
}

# bats test_tags=slow
@test "the same checkpoint from -@1 and -@2, file and pipe" {
	mini a -@ 1 --epochs 2 --dropout 0.1 "$x"
	mini b -@ 2 --epochs 2 --dropout 0.1 "$x"
	steps=$(tail -n 1 a/log.tsv | cut -f 1)
	cat "$x" "$x" | mini c -@ 2 --steps "$steps" --dropout 0.1
	for d in b c; do
		same a/model.safetensors $d/model.safetensors
		same "a/checkpoint-$steps/optimizer.safetensors" "$d/checkpoint-$steps/optimizer.safetensors"
		same "a/checkpoint-$steps/trainer_state.json" "$d/checkpoint-$steps/trainer_state.json"
	done
	diff <(table a/log.tsv) <(table b/log.tsv)
	diff <(table a/log.tsv) <(table c/log.tsv)
}

@test "another seed, another model; the seed is the default 1" {
	mini a --steps 1 "$x"
	mini b --steps 1 -s 1 "$x"
	mini c --steps 1 -s 2 "$x"
	same a/model.safetensors b/model.safetensors
	run -1 cmp -s a/model.safetensors c/model.safetensors
}

# bats test_tags=slow
@test "a tiny model learns 64 RNAs by heart" {
	random_fasta 64 30 60 5 | rna-tokenize -q --frame type --type header | rna-mask -q -s 1 -o r.rill
	rna-train mlm -q -c tiny --dropout 0 --attention-dropout 0 --schedule cosine --lr 2e-3 --batch-tokens 4096 \
		--epochs 400 --valid r.rill --valid-every 1000000 -o m r.rill
	tail -n 1 m/log.tsv | awk -F'\t' '{ print "loss", $10, "accuracy", $11; exit !($10 < 0.05 && $11 > 0.99) }'
}

@test "input that ends before --steps is used, and more goes on with it" {
	run -1 --separate-stderr mini m --steps 9 "$x"
	one_line "$stderr"
	[[ $stderr == *"ended after "*" of 9 steps"*"--resume"* ]]
	[ -s m/model.safetensors ]
	[ ! -e m/.lock ]
	cat "$x" "$x" "$x" | mini m --steps 9 --resume
	[ "$(tail -n 1 m/log.tsv | cut -f 1)" = 9 ]
}

@test "on a pipe one pass is as long as the header says; without totals --steps is needed" {
	rna-shuf -q --shard 1/2 "$x" > untold.rill
	run -2 --separate-stderr pipe "cat untold.rill | rna-train mlm -o p"
	[[ $stderr == *"--steps"* ]]
	[ ! -e p ]
	cat "$x" | mini told --batch-tokens 1024
	mini whole --batch-tokens 1024 "$x"
	[ "$(tail -n 1 told/log.tsv | cut -f 1)" -ge "$(($(tail -n 1 whole/log.tsv | cut -f 1) - 3))" ]
	[ "$(tail -n 1 told/log.tsv | cut -f 1)" -le "$(tail -n 1 whole/log.tsv | cut -f 1)" ]
	run -2 --separate-stderr pipe "cat '$x' | rna-train mlm --epochs 2 -o p"
	[[ $stderr == *"for e in 0 1 2"* ]]
	cat "$x" | mini c --schedule constant
	[ -s c/model.safetensors ]
}

@test "what is not masked is told which command makes it" {
	run -1 --separate-stderr rna-train mlm --steps 1 -o m "$SAMPLE"
	one_line "$stderr"
	[[ $stderr == *"rna-tokenize"*"rna-mask"*"rna-train"* ]]
	run -1 --separate-stderr rna-train mlm --steps 1 -o m "$BATS_FILE_TMPDIR/plain.rill"
	[[ $stderr == *"type: rna-mask"* ]]
	[ ! -e m ]
}

@test "a validation stream that cannot be scored is refused before the first step" {
	for v in "$BATS_FILE_TMPDIR/plain.rill" none.rill; do
		run -1 --separate-stderr mini m --steps 1 --valid "$v" "$x"
		one_line "$stderr"
		[[ $stderr == *"${v##*/}"* ]]
	done
	run -2 mini m --steps 1 --valid - "$x"
	[ ! -e m/log.tsv ]
}

@test "records longer than the model takes are refused by number" {
	run -1 --separate-stderr rna-train mlm -c tiny --max-tokens 40 --steps 1 -o m "$x"
	one_line "$stderr"
	[[ $stderr == *"record "*"more than the model takes (40)"* ]]
}

@test "a folder with a model is not trained over" {
	mini m --steps 1 "$x"
	cp m/model.safetensors before
	run -1 --separate-stderr mini m --steps 2 "$x"
	[[ $stderr == *"--resume"*"-f"* ]]
	same before m/model.safetensors
	mkdir m/checkpoint-9
	mini m --steps 1 -s 2 -f "$x"
	run -1 cmp -s before m/model.safetensors
	[ ! -e m/checkpoint-9 ]
}

# bats test_tags=slow
@test "--resume: killed runs end as if they had not been" {
	run -0 bash "$ROOT/tests/killresume.sh" 3
}

@test "--resume on another stream or with other options is refused" {
	mini m --steps 4 --save-every 1 --batch-tokens 1024 "$x"
	rm -r m/checkpoint-4
	run -1 --separate-stderr mini m --steps 4 --batch-tokens 1024 --resume "$BATS_FILE_TMPDIR/other.rill"
	one_line "$stderr"
	[[ $stderr == *"differ from those that checkpoint-3 was trained on"* ]]
	run -1 --separate-stderr mini m --steps 4 --batch-tokens 1024 --lr 1e-3 --resume "$x"
	[[ $stderr == *" lr "* ]]
	run -1 --separate-stderr mini m --steps 4 --batch-tokens 1024 --layers 3 --resume "$x"
	[[ $stderr == *"another shape"* ]]
	rna-shuf -q -n 3 -o few.rill "$x"
	run -1 --separate-stderr mini m --steps 4 --batch-tokens 1024 --resume few.rill
	one_line "$stderr"
	[ -d m/checkpoint-3 ]
	mini m --steps 4 --batch-tokens 1024 --resume "$x"
	[ -d m/checkpoint-4 ]
}

@test "--resume of a run that is done does nothing" {
	mini m --steps 2 "$x"
	cp -r m before
	mini m --steps 2 --resume "$x"
	diff -r before m
}

# bats test_tags=slow
@test "SIGTERM: the step is finished, a checkpoint written, the signal passed on" {
	mini whole --epochs 8 --batch-tokens 512 "$x"
	mini_bg m --epochs 8 --batch-tokens 512 "$x" & pid=$!
	until [ -s m/log.tsv ] && [ "$(wc -l <m/log.tsv)" -gt 3 ]; do sleep 0.01; done
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" = 143 ] || [ "$status" = 0 ]
	[ -s m/model.safetensors ]
	[ "$(find m -name '.*' -mindepth 1)" = "" ]
	mini m --epochs 8 --batch-tokens 512 --resume "$x"
	same whole/model.safetensors m/model.safetensors
	diff <(table whole/log.tsv) <(table m/log.tsv)
}

# bats test_tags=slow
@test "SIGTERM while it waits for a silent pipe: saved all the same" {
	mkfifo p
	mini_bg m --steps 100 --batch-tokens 512 <p & pid=$!
	exec 9>p
	cat "$x" >&9
	until [ -s m/log.tsv ] && [ "$(wc -l <m/log.tsv)" -gt 3 ]; do sleep 0.01; done
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	exec 9>&-
	[ "$status" = 143 ]
	[ -s m/model.safetensors ]
}

@test "a second training in the folder is told who is there" {
	mkfifo p
	mini_bg m --steps 3 <p & pid=$!
	exec 9>p
	until [ -e m/.lock ]; do sleep 0.01; done
	run -1 --separate-stderr mini m --steps 1 "$x"
	one_line "$stderr"
	[[ $stderr == *"pid $pid"* ]]
	cat "$x" >&9
	exec 9>&-
	wait $pid
	mini m --steps 3 --resume "$x"
}

@test "no room for a checkpoint: the one before stays whole" {
	mini m --steps 1 "$x"
	cp -r m before
	local limited='ulimit -f 64; exec rna-train mlm -q -c tiny --layers 1 --steps 2'
	run -1 --separate-stderr bash -c "$limited -m before -o n '$x'"
	one_line "$stderr"
	[ ! -e n/model.safetensors ]
	mini full --steps 2 --save-every 1 --batch-tokens 1024 "$x"
	rm -r full/checkpoint-2
	cp full/checkpoint-1/model.safetensors full/model.safetensors
	cp -r full kept
	run -1 --separate-stderr bash -c "$limited --save-every 1 --batch-tokens 1024 --resume -o full '$x'"
	one_line "$stderr"
	same kept/model.safetensors full/model.safetensors
	diff -r kept/checkpoint-1 full/checkpoint-1
	[ ! -e full/checkpoint-2 ]
	[ "$(find full -name '.*' -mindepth 1)" = "" ]
}

@test "a loss that is not finite stops before the checkpoint" {
	mini m --steps 2 --save-every 1 --batch-tokens 1024 "$x"
	cp m/model.safetensors before
	run -1 --separate-stderr rna-train mlm -q -c tiny --layers 1 --schedule constant --warmup 0 --lr 100 --clip 0 \
		--weight-decay 10 --batch-tokens 512 --save-every 1000 -o n "$x" "$x" "$x" "$x"
	one_line "$stderr"
	[[ $stderr == *"not finite"* ]]
	[ ! -e n/model.safetensors ]
	same before m/model.safetensors
}

@test "-m goes on from a model's weights" {
	mini a --steps 2 "$x"
	mini b -m a --steps 2 "$x"
	run -1 cmp -s a/model.safetensors b/model.safetensors
	mini c -m a --steps 1 --lr 0 --min-lr 0 "$x"
	same a/model.safetensors c/model.safetensors
}

@test "--objective type trains a type head and scores it" {
	mini m --objective type --epochs 4 --valid "$x" "$x"
	tail -n 1 m/log.tsv | awk -F'\t' '{ exit !($12 != "NA" && $13 != "NA") }'
	mini m2 -m m --objective type --steps 1 --lr 0 --min-lr 0 "$x"
	same m/model.safetensors m2/model.safetensors
	rna-tokenize -q --frame plain "$SAMPLE" | rna-mask -q -o plain.rill
	run -1 --separate-stderr mini n --objective type --steps 1 plain.rill
	[[ $stderr == *"no type in the record"* ]]
}

@test "--steps 0 is a random model, the same for the same seed" {
	rna-train mlm -c tiny --steps 0 -o a </dev/null
	rna-train mlm -c tiny --steps 0 -o b </dev/null
	same a/model.safetensors b/model.safetensors
	[ ! -e a/log.tsv ]
}

@test "--plan says what a run takes and writes nothing" {
	run -0 --separate-stderr rna-train mlm -c tiny --epochs 2 --plan "$x"
	for word in parameters "tokens a step" steps memory disk time; do
		[[ $output == *"$word"* ]]
	done
	[ "$(find . -type f -o -type d ! -name . | grep -v '^./separate')" = "" ]
}

@test "a stream cut short saves what was learned and fails" {
	size=$(stat -c %s "$x")
	head -c $((size - 20)) "$x" >cut.rill
	run -1 --separate-stderr mini m --steps 100 --batch-tokens 512 cut.rill
	one_line "$stderr"
	[[ $stderr == *cut.rill* ]]
}
