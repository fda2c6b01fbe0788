#!/bin/bash
# run.sh [sample|full] [CLASS...]: the classes of tests that rill has to pass (tests/README.md), each one line of TAP
# with the cases it tried and those that failed; ends with a table.  sample: a fixed part of each, in seconds (make
# check); full: all (make check-deep).  Classes are numbers.
#
#	B        build folder (build)
#	SOAK_S   seconds of class 24 (600; sample 4)
#	KEEP=1   the scratch folder stays
# shellcheck disable=SC2317 # the classes are called by number
set -u
level=${1:-sample}
[ $# = 0 ] || shift
here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
ROOT=$(cd "$here/../.." && pwd)
B=${B:-build}
[[ $B == /* ]] || B=$ROOT/$B
PATH=$B/bin:$PATH
export deep=$B/tests/deep
export ROOT B PATH LC_ALL=C TZ=UTC0 OMP_WAIT_POLICY=passive
unset RILL_CPU
if [[ ${B##*/} != build && ${B##*/} != build-coverage ]]; then
	echo "1..0 # SKIP the plain build is what is put to the test"
	exit 0
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/deep.XXXXXX") || exit 2
[ "${KEEP:-0}" = 1 ] || trap 'chmod -R u+w "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
log=$scratch/log

# full_or FULL SAMPLE: the number of this level
full_or() { if [ "$level" = full ]; then echo "$1"; else echo "$2"; fi; }
full() { [ "$level" = full ]; }

# count FAILED WHAT: one case, FAILED not 0 when it failed
count() {
	cases=$((cases + 1))
	[ "$1" != 0 ] || return 0
	failures=$((failures + 1))
	echo "# failed: $2"
}
# is WHAT COMMAND...: one case: the command succeeds
is() {
	local what=$1
	shift
	local ok=0
	"$@" >/dev/null 2>&1 || ok=1
	count "$ok" "$what"
}
# tally COMMAND...: a checker that ends with "N cases, M failures"
tally() {
	local n m
	"$@" >"$log" 2>&1
	read -r n m < <(sed -n 's/^\([0-9]*\) cases, \([0-9]*\) failures$/\1 \2/p' "$log" | tail -n 1)
	if [ -z "${n:-}" ]; then
		count 1 "$*: $(tail -n 1 "$log")"
		return
	fi
	cases=$((cases + n)) failures=$((failures + m))
	[ "$m" = 0 ] || { echo "# $*"; grep -v '^$' "$log" | sed 's/^/#   /'; }
}
# refuses STATUS COMMAND...: the command ends with STATUS and one line on stderr
refuses() {
	local want=$1 got=0
	shift
	timeout 60 "$@" >/dev/null 2>"$log" </dev/null || got=$?
	[ "$got" = "$want" ] && [ "$(wc -l <"$log")" = 1 ] && return
	echo "# $*: exit $got, $(head -c 300 "$log")"
	return 1
}
skip() { skipped=$1; }
have() { command -v "$1" >/dev/null; }

tools() { find "$B/bin" -maxdepth 1 -name 'rna-*' -type f -perm -u+x -printf '%f\n' | sort; }
# tools with one output on standard output or -o
writers() { tools | grep -vx rna-train; }

# command_of TOOL: arguments and input with which it runs for some milliseconds
command_of() {
	case $1 in
	rna-embed) echo "-m model s3.fa" ;;
	rna-fold) echo "s3.fa" ;;
	rna-predict) echo "-m classes s3.fa" ;;
	rna-score) echo "mlm scored.rill" ;;
	rna-tokenize) echo "--frame type --type header s.fa" ;;
	rna-view) echo "-O json s.rill" ;;
	rna-vote) echo "replicates.rill" ;;
	*) echo "s.rill" ;;
	esac
}

prepare() {
	local sample=$ROOT/pipelines/sample/sample.fa
	cd "$scratch" || exit 2
	head -n 12 "$sample" >s.fa
	head -n 6 "$sample" >s3.fa
	rna-tokenize -q --frame type --type header -o s.rill s.fa &&
		rna-tokenize -q -o all.rill "$sample" &&
		rna-mask -q -o masked.rill s.rill &&
		rna-train mlm -q -c tiny --layers 1 --steps 0 -o model masked.rill &&
		rna-embed -q -m model --what logits -o scored.rill masked.rill &&
		rna-embed -q -m model --types 2 --what cls -o replicates.rill s.rill &&
		rna-tokenize -q --label header -o labelled.rill s.fa &&
		rna-train class -q -m none -c tiny --layers 1 --epochs 1 -o classes labelled.rill || exit 2
	cp "$ROOT/formats/golden/frames.rill" frames.rill
}

# random_fasta N MIN MAX SEED
random_fasta() {
	awk -v n="$1" -v lo="$2" -v hi="$3" -v seed="$4" 'BEGIN {
		srand(seed)
		for (i = 1; i <= n; i++) {
			len = lo + int(rand() * (hi - lo + 1))
			s = ""
			for (j = 0; j < len; j++)
				s = s substr("ACGU", 1 + int(rand() * 4), 1)
			printf ">r%d tRNA random %d\n%s\n", i, i, s
		}
	}'
}

# shellcheck source=tests/deep/classes_bytes.sh
. "$here/classes_bytes.sh"
# shellcheck source=tests/deep/classes_faults.sh
. "$here/classes_faults.sh"
# shellcheck source=tests/deep/classes_world.sh
. "$here/classes_world.sh"

names=(
	[1]="truncation at every length" [2]="every bit flipped" [3]="bytes deleted, inserted, doubled, exchanged"
	[4]="allocation k fails" [5]="input/output call k fails" [6]="reads and writes of one byte" [7]="full device"
	[8]="file size limit" [9]="closed pipe" [10]="SIGKILL and --resume" [11]="SIGTERM and SIGINT"
	[12]="two kills in one checkpoint" [13]="power loss replayed" [14]="zstd bomb" [15]="window bomb"
	[16]="bombs of letters" [17]="hostile numbers" [19]="mutation within valid frames"
	[20]="the second reader agrees" [21]="oracles" [22]="valgrind" [23]="determinism" [24]="soak" [25]="size edges"
	[26]="flat memory" [27]="memory cap"
	[28]="odd outputs" [29]="permissions" [30]="terminal and markup injection" [31]="path tricks in a model folder"
	[32]="no network" [33]="locale and environment" [34]="old files" [35]="mutation of the source" [36]="coverage"
	[37]="concurrency" [38]="clock and suspend" [39]="device faults" [40]="rank death" [41]="build"
	[42]="examples in pages"
)

prepare
[ $# -gt 0 ] || set -- "${!names[@]}"
table='class\tcases\tfailures\tseconds\n' bad=0
for k; do
	cases=0 failures=0 skipped='' begun=$SECONDS
	cd "$scratch" || exit 2
	"class_$k"
	took=$((SECONDS - begun))
	if [ -n "$skipped" ]; then
		echo "ok $k - ${names[$k]} # SKIP $skipped"
		table+="$k ${names[$k]}\tskipped: $skipped\t\t$took\n"
		continue
	fi
	[ "$cases" != 0 ] || count 1 "nothing was tried"
	[ "$failures" = 0 ] || { printf 'not '; bad=1; }
	echo "ok $k - ${names[$k]}: $cases cases, $failures failures"
	table+="$k ${names[$k]}\t$cases\t$failures\t$took\n"
done
echo "1..$#"
# shellcheck disable=SC2059 # tabs are in it
printf "$table" | sed 's/^/# /'
exit $bad
