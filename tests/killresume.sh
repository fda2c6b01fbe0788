#!/bin/bash
# killresume.sh [N [SEED]]: trains once undisturbed; then N times kills the same training (SIGKILL) at a random moment,
# resumes it, and compares weights, optimiser and log with those of the undisturbed run, byte for byte.  Prints TAP.
set -u
n=${1:-20}
RANDOM=${2:-1}
root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
B=${B:-build}
[[ $B == /* ]] || B=$root/$B
PATH=$B/bin:$PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/killresume.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

rna-tokenize -q --frame type --type header "$root/pipelines/sample/sample.fa" | rna-shuf -q | rna-mask -q -o x.rill || exit 1
train() { # train DIR [OPTION...]: becomes the program, so call it in a subshell; then its pid is that of the program
	local out=$1
	shift
	exec rna-train mlm -q -c tiny --layers 2 --batch-tokens 512 --epochs 4 --save-every 9 --dropout 0.1 "$@" -o "$out" x.rill
}

now() { date +%s%N; }
begin=$(now)
(train whole) || exit 1
length=$((($(now) - begin) / 1000000))    # milliseconds
cut -f 1-8,10- whole/log.tsv >whole.tsv
step=$(tail -n 1 whole.tsv | cut -f 1)

failed=0
for ((i = 1; i <= n; i++)); do
	rm -rf killed
	train killed --resume & pid=$!
	at=$((RANDOM * RANDOM % (length + 1)))
	sleep "$(printf '%d.%03d' $((at / 1000)) $((at % 1000)))"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	reached=$(cd killed 2>/dev/null && echo checkpoint-* | tr ' ' '\n' | sort -V | tail -n 1)
	if (train killed --resume) && cmp whole/model.safetensors killed/model.safetensors &&
		cmp "whole/checkpoint-$step/optimizer.safetensors" "killed/checkpoint-$step/optimizer.safetensors" &&
		cut -f 1-8,10- killed/log.tsv | cmp whole.tsv -; then
		echo "ok $i - killed after $at ms of $length (${reached:-nothing})"
	else
		echo "not ok $i - killed after $at ms of $length (${reached:-nothing})"
		failed=1
	fi
done
echo "1..$n"
exit $failed
