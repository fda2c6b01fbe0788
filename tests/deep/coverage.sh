#!/bin/bash
# coverage.sh [-k] [parsers|all] [FILE.c...]: which branches of lib/ the tests take, by gcov, in build-coverage.  All
# that make check runs is counted: unit tests, bats through the programs, the sample of the classes with the memory and
# the calls that they let fail, and the fuzz targets' seeds.  parsers: only what concerns those that read files, so
# their unit tests, bats and fuzz targets.  -k: nothing is run, what earlier runs left is counted; FILE.c: the lines
# with branches not taken are listed.  Prints a table, then "CASES cases, FAILURES failures": parsers under 95 % of
# their branches, lib/ under 85 %.
#
# A branch is what gcc has at -O0: each side of every condition of lib/*/*.c, the loops of OpenMP's directives among
# them.  No file, line or branch is left out; one taken only when memory ends is counted like any other.  A run that a
# signal ends is not counted.
set -u
root=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
cd "$root" || exit 2
keep=0
[ "${1:-}" != -k ] || { keep=1; shift; }
what=${1:-all}
[ $# = 0 ] || shift
dir=build-coverage
export B=$root/$dir LC_ALL=C OMP_WAIT_POLICY=passive PATH=$root/$dir/bin:$PATH
parsers=(lib/stream/{blocks,header,input,record,record_codec,reader,unpack,zframe}.c
	lib/seq/{csv,entry,fasta,source,structure,structure_file,structure_table,types,vocab,motif,frame_config}.c
	lib/nn/{safetensors,safetensors_value,config,config_labels}.c lib/fold/energy_file.c)

# seeds TARGET
seeds() {
	echo formats/golden formats/golden-errors formats/golden-errors/{text,model} formats/vocab.txt
	[ "$1" != tables ] || echo formats/turner2004.par
	[ ! -d "tests/fuzz/seeds/$1" ] || echo "tests/fuzz/seeds/$1"
}

if [ $keep = 0 ]; then
	make -j"$(nproc)" B=$dir LIB_CFLAGS='-O0 --coverage' LDFLAGS=--coverage all units >"$dir.log" 2>&1 ||
		{ tail "$dir.log"; exit 2; }
	find "$dir" -name '*.gcda' -delete
	if [ "$what" = all ]; then
		bash tests/run.sh check
	else
		for t in stream record input source seq text formats lists readers rid shuffle motif mask \
				safetensors config model_files stat arrays pictures faults faults_source \
				faults_model; do
			[ ! -e "$dir/tests/unit_$t" ] || RNA_TEST=quick "$dir/tests/unit_$t"
		done
		bats --tap --filter-tags '!slow,!deep' tests/{golden,tokenize,view,reader,motif,embed}.bats
		bash tests/deep/run.sh sample 1 2 3 4 5 6 17 19 20 21
	fi >"$dir.log" 2>&1
	for t in frame record fasta structure safetensors config tables vienna; do
		# shellcheck disable=SC2046 # words
		"$dir/tests/fuzz/fuzz_$t" -n 2000 $(seeds $t)
	done >>"$dir.log" 2>&1
	grep '^not ok' "$dir.log" | sed 's/^/# /'
fi

# branches FILE: taken, all
branches() {
	[ -e "$dir/${1%.c}.gcda" ] || { echo "$1 0 $(gcov -b -c -n -o "$dir/${1%/*}" "$dir/${1%.c}.gcno" 2>/dev/null |
		awk '/^Taken at least once/ { sub(/.* of /, ""); print; exit }')"; return; }
	gcov -b -c -n -o "$dir/${1%/*}" "$dir/${1%.c}.gcda" 2>/dev/null | awk -v f="$1" '
		/^File / { on = index($0, f) }
		on && /^Taken at least once/ {
			sub(/.*:/, "")
			split($0, p, "% of ")
			printf "%s %.0f %d\n", f, p[1] * p[2] / 100, p[2]
		}'
}

# untaken FILE: lines with branches that were not taken, a count for each
untaken() {
	gcov -b -c -t -o "$dir/${1%/*}" "$dir/${1%.c}.gcda" 2>/dev/null | awk -F: -v f="$1" '
		/^ *-: *0:Source/ { on = index($0, f) }
		!on { next }
		/^branch/ { if (/taken 0|never executed/) missing++; next }
		/^(call|function|unconditional)/ { next }
		{
			if (missing) printf "%s:%d: %d\t%s\n", f, line, missing, text
			missing = 0
			line = $2 + 0
			text = $0
			sub(/^[^:]*:[^:]*:/, "", text)
		}
		END { if (missing) printf "%s:%d: %d\t%s\n", f, line, missing, text }'
}
if [ $# -gt 0 ]; then
	for f; do untaken "$f"; done
	exit 0
fi

cases=0 failures=0
report() { # report NAME LEAST FILES...
	local name=$1 least=$2
	shift 2
	cases=$((cases + 1))
	for f; do branches "$f"; done | sort >"$dir/sums"
	awk '$3 { printf "#   %-34s %5.1f %% of %d\n", $1, 100 * $2 / $3, $3 }' "$dir/sums"
	awk -v name="$name" -v least="$least" '{ t += $2; n += $3 } END {
		printf "# %s: %.1f %% of %d branches, at least %d wanted\n", name, 100 * t / n, n, least
		exit 100 * t < least * n }' \
		"$dir/sums" || failures=$((failures + 1))
}
report parsers 95 "${parsers[@]}"
[ "$what" = parsers ] || report lib 85 lib/*/*.c
echo "$cases cases, $failures failures"
[ $failures = 0 ]
