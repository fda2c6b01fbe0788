#!/bin/bash
# killresume.sh [N [SEED [WHAT]]]: runs a program once undisturbed; then N times ends the same run at a random moment,
# resumes it, and compares what it made with the undisturbed run, byte for byte.  Prints TAP.
#
#	train    SIGKILL to rna-train (the default): weights, optimiser and log
#	fold     the same of rna-train fold, with a language model that learns
#	class    of rna-train class: two seeds, stopped early, each RNA shown as the types that the model predicts as it learns
#	pair     of rna-train pair: a head on frozen vectors
#	embed    SIGKILL to rna-embed -o, resumed with --resume: the stream
#	signal   SIGTERM or SIGINT to rna-train, which ends by itself at the next step
#	twice    SIGKILL at a random call of a checkpoint's writing, and again while it is resumed
set -u
n=${1:-20}
RANDOM=${2:-1}
what=${3:-train}
root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
B=${B:-build}
[[ $B == /* ]] || B=$root/$B
PATH=$B/bin:$PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/killresume.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

sample=$root/pipelines/sample/sample.fa
rna-tokenize -q --frame type --type header "$sample" | rna-shuf -q | rna-mask -q -o x.rill || exit 1
# The program and its arguments, as run DIR [OPTION...] will have them.
train=(rna-train mlm -q -c tiny --layers 1 --batch-tokens 512 --epochs 2 --save-every 5 --dropout 0.1)
[ "$what" != twice ] || train=(rna-train mlm -q -c tiny --layers 1 --batch-tokens 2048 --epochs 2 --save-every 2)
labelled() { rna-tokenize -q --frame type --label header "$@" -o x.rill; }
if [ "$what" = fold ]; then
	rna-fold -q "$sample" | rna-view -O dbn | head -n 12 >x.dbn && mv x.dbn x.rill || exit 1
	rna-train mlm -q -c tiny --layers 1 --hidden 32 --steps 0 -o model || exit 1
	train=(rna-train fold -q -m model --adapt tbth -c tiny --images 1 --dropout 0.2 --steps 20 --valid-every 3
		--valid x.rill --patience 0)
elif [ "$what" = class ] || [ "$what" = pair ]; then
	rna-train mlm -q -c tiny --layers 1 --hidden 32 --steps 0 -o model x.rill || exit 1
	train=(rna-train "$what" -q -m model --lr 1e-3 --valid-split 0.3 --save-every 2)
fi
if [ "$what" = class ]; then
	head -n 120 "$sample" >few.fa && labelled few.fa || exit 1
	train+=(--adapt stack --types 2 --predictor shared --epochs 7 --seeds 2 --patience 3 --batch 10)
elif [ "$what" = pair ]; then
	awk '!/^>/ { seq[++n] = substr($0, 1, 40) }
		END { print "a_seq,b_seq,label"; for (i = 1; i < n && i < 60; i++) print seq[i] "," seq[i + 1] "," i % 2 }' \
		"$sample" >pairs.csv
	rna-tokenize -q --pairs a_seq,b_seq pairs.csv -o x.rill || exit 1
	train+=(--adapt fbth --epochs 9 --batch 16)
fi
# run OUT [OPTION...]: becomes the program, so call it in a subshell; then its pid is that of the program
run() {
	local out=$1
	shift
	if [ "$what" = embed ]; then exec rna-embed -q -m model --what cls,hidden "$@" -o "$out" long.fa; fi
	exec "${train[@]}" "$@" -o "$out" x.rill
}
if [ "$what" = embed ]; then
	rna-train mlm -q -c tiny --steps 0 -o model x.rill || exit 1
	for ((i = 0; i < 3; i++)); do sed "s/^>/>copy${i}_/" "$sample"; done >long.fa
fi

now() { date +%s%N; }
begin=$(now)
(run whole) >whole.txt || exit 1
length=$((($(now) - begin) / 1000000))    # milliseconds
if [ "$what" != embed ]; then
	newest=$(cd whole && printf '%s\n' checkpoint-* | sort -V | tail -n 1)
fi

# rows FOLDER: its log, without the time that mlm's has
rows() { case $what in fold | class | pair) cat "$1"/log.tsv ;; *) cut -f 1-8,10- "$1"/log.tsv ;; esac; }

# same: the resumed run made what the undisturbed one did
same() {
	if [ "$what" = embed ]; then
		cmp whole killed && [ ! -e killed.part ]
		return
	fi
	[ "$what" != fold ] || cmp {whole,killed}/"$newest"/optimizer_model.safetensors || return
	cmp whole/model.safetensors killed/model.safetensors &&
		cmp "whole/$newest/optimizer.safetensors" "killed/$newest/optimizer.safetensors" &&
		cmp whole.txt killed.txt && cmp <(rows whole) <(rows killed)
}

# reached: how far the killed run came
reached() {
	if [ "$what" = embed ]; then
		stat -c '%s bytes' killed.part 2>/dev/null || echo nothing
	else
		(cd killed 2>/dev/null && ls -d checkpoint-* 2>/dev/null) | sort -V | tail -n 1 | grep . || echo nothing
	fi
}

# end_at MILLISECONDS: lets the run go so far and ends it; 1 when it ended otherwise than it should
end_at() {
	local signal=KILL pid status=0 begun
	[ "$what" != signal ] || { signal=TERM; ((RANDOM % 2)) || signal=INT; }
	set -m    # else a background program ignores SIGINT
	(run killed --resume) >/dev/null & pid=$!
	set +m
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
	begun=$(now)
	kill -"$signal" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null || status=$?
	how="SIG$signal after $1 ms of $length"
	[ "$signal" = KILL ] || [ $status = 0 ] || [ $status = 143 ] || [ $status = 130 ] || return 1
	# it did not go on to the end of some other run
	[ "$signal" = KILL ] || [ $((($(now) - begun) / 1000000)) -le $((length + 60000)) ]
}

calls=write,fsync,rename,unlink,mkdir,openat
inject=$B/tests/deep/inject
# kill_twice: at a random call, and during the resume at another
kill_twice() {
	local k1=$((1 + RANDOM % most)) k2=$((1 + RANDOM % most)) status=0
	"$inject" -k $k1 $calls kill "${train[@]}" --resume -o killed x.rill || status=$?
	[ $status != 1 ] || return 1
	# what is there loads
	[ ! -e killed/model.safetensors ] || rna-embed -q -m killed "$sample" >loaded || return 1
	"$inject" -k $k2 $calls kill "${train[@]}" --resume -o killed x.rill || status=$?
	[ $status != 1 ] || return 1
	[ ! -e killed/model.safetensors ] || rna-embed -q -m killed "$sample" >loaded || return 1
	how="killed at calls $k1 and $k2 of $most"
}
if [ "$what" = twice ]; then
	# how many calls there are: with none failing, the count is in the summary
	most=$("$inject" $calls count "${train[@]}" -o counted x.rill)
	[ "${most:-0}" -gt 20 ] || exit 1
fi

failed=0
for ((i = 1; i <= n; i++)); do
	rm -rf killed killed.part
	good=1
	if [ "$what" = twice ]; then
		kill_twice || good=0
	else
		end_at $((RANDOM * RANDOM % (length + 1))) || good=0
	fi
	at=$(reached)
	if [ $good = 1 ] && (run killed --resume) >killed.txt && same; then
		echo "ok $i - $how ($at)"
	else
		echo "not ok $i - $how ($at)"
		failed=1
	fi
done
echo "1..$n"
exit $failed
