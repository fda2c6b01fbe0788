#!/bin/bash
# mutate.sh [-l] [-u] [-p I/K] N [SEED]: changes one token of the source at a time and asks the tests whether they see
# it: N mutants of lib/stream, lib/seq and the reader of safetensors.  First the unit tests, then, for a mutant that
# they let pass, the programs' (-u: the unit tests alone).  -l: only lists the mutants.  -p: of all mutants every K-th
# from the I-th on, so that K runs side by side share the work.  The choice depends on the seed and each line's text.
# A mutant that does not compile, or compiles to the same code, is no case, nor is one of mutants_same.tsv, which says
# why it does what the source does; one that makes a test take over 20 s of processor time, or wait for 5 minutes, is
# found.
# Prints the survivors, then "CASES cases, FAILURES failures"; one failure when more than 1 in 10 survive.
#
#	PROGRESS=FILE  a line a mutant
set -u
root=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
list=0 units_alone=0 part=1 parts=1
while :; do
	case ${1:-} in
	-l) list=1 ;;
	-u) units_alone=1 ;;
	-p)
		part=${2%/*} parts=${2#*/}
		shift
		;;
	*) break ;;
	esac
	shift
done
n=${1:-200} seed=${2:-1}
dir=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/mutate.XXXXXX") || exit 2
[ "${KEEP:-0}" = 1 ] || trap 'rm -rf "$dir"' EXIT
cd "$root" || exit 2

# candidates: KEY FILE LINE COLUMN LENGTH NEW, one a line, of every operator, constant and condition that has a counterpart
LC_ALL=C awk -v seed="$seed" '
	function out(at, len, new,    h, i, text) {
		text = seed FILENAME $0 at new
		for (i = 1; i <= length(text); i++)
			h = (h * 257 + ord[substr(text, i, 1)]) % 1000000007
		printf "%010d\t%s\t%d\t%d\t%d\t%s\n", h * 7919 % 1000000007, FILENAME, FNR, at, len, new
	}
	BEGIN {
		for (i = 1; i < 256; i++)
			ord[sprintf("%c", i)] = i
		n = split("== != <= >= && || ++ -- += -=", two, " ")
		split("!= == < > || && -- ++ -= +=", other, " ")
	}
	FNR == 1 { comment = 0; body = 0 }
	/^\{/ { body = 1 }
	/^\}/ { body = 0 }
	{
		s = $0
		gsub(/"([^"\\]|\\.)*"/, "\"\"", s)          # columns shift: lines with strings are left out
		if (s != $0 || !body || comment || /^#/ || /\/\*|\*\/|^[ \t]*\*|rna_fail/) {
			if (/\/\*/ && !/\*\//) comment = 1
			if (/\*\//) comment = 0
			next
		}
		for (i = 1; i <= length(s); i++) {
			t = substr(s, i, 2)
			for (k = 1; k <= n && t != two[k]; k++) ;
			if (k <= n) { out(i, 2, other[k]); i++; continue }
			c = substr(s, i, 1); before = substr(s, i - 1, 1); after = substr(s, i + 1, 1)
			if (c == "<" && before == " " && after == " ") out(i, 1, "<=")
			else if (c == ">" && before == " " && after == " ") out(i, 1, ">=")
			else if (c == "+" && before == " " && after == " ") out(i, 1, "-")
			else if (c == "-" && before == " " && after == " ") out(i, 1, "+")
			else if (c == "*" && before == " " && after == " ") out(i, 1, "+")
			else if (c == "&" && before == " " && after == " ") out(i, 1, "|")
			else if (c == "!" && after ~ /[a-z(]/) out(i, 1, "")
			else if (c ~ /[0-9]/ && before !~ /[A-Za-z0-9_.]/ && after !~ /[0-9a-zA-Z_.]/)
				out(i, 1, c == "0" ? "1" : c == "1" ? "0" : c - 1)
		}
	}' lib/stream/*.c lib/seq/*.c lib/nn/safetensors.c lib/nn/safetensors_value.c >"$dir/all"
# a fixed choice
LC_ALL=C sort "$dir/all" | cut -f 2- >"$dir/chosen"
if [ "$list" = 1 ]; then
	head -n "$n" "$dir/chosen" | cut -f 1,2,5
	echo "$n cases, 0 failures"
	exit 0
fi

# a tree of its own; what is built already is taken along
mkdir "$dir/tree" && cp -a Makefile VERSION lib kernels tests formats pipelines tools completions "$dir/tree" || exit 2
[ ! -d build ] || cp -a build "$dir/tree"
cd "$dir/tree" || exit 2
units=(faults faults_model faults_source arrays formats lists pictures readers rid shuffle input layout \
	mask motif record safetensors seq source stat stream text bulk pool)
make -s -j2 "${units[@]/#/build/tests/unit_}" build/tests/reader all >"$dir/make.log" 2>&1 ||
	{ tail "$dir/make.log"; exit 2; }
export RNA_TEST=check LC_ALL=C OMP_WAIT_POLICY=passive TMPDIR=$dir

# tests_of FILE: the unit tests to ask, the fastest first
tests_of() {
	case $1 in
	lib/nn/*) echo readers safetensors faults_model ;;
	lib/stream/pool*) echo pool stream bulk ;;
	lib/seq/bulk* | lib/seq/frame_encode*) echo bulk ;;
	lib/stream/*) echo record input readers source shuffle faults stream formats seq faults_source ;;
	lib/seq/mask* | lib/seq/frame*) echo mask seq faults formats ;;
	lib/seq/motif* | lib/seq/automaton* | lib/seq/kmer*) echo lists motif faults mask seq ;;
	lib/seq/layout* | lib/seq/picture* | lib/seq/nearby*) echo pictures faults layout ;;
	lib/seq/annotate*) echo pictures faults ;;
	lib/seq/npy* | lib/seq/tensors* | lib/seq/spool*) echo arrays faults ;;
	lib/seq/text*) echo text faults source ;;
	lib/seq/mutate*) echo pictures faults ;;
	*) echo formats lists readers seq rid source faults text motif mask stat ;;
	esac
}
# bats_of FILE: programs' tests, asked when the unit tests see nothing
bats_of() {
	case $1 in
	lib/nn/*) echo embed ;;
	lib/stream/shuffle* | lib/stream/split*) echo shuf ;;
	lib/stream/*) echo golden reader shuf contract ;;
	lib/seq/mask*) echo mask ;;
	lib/seq/motif* | lib/seq/automaton* | lib/seq/kmer.*) echo motif mask ;;
	lib/seq/kmervec*) echo embed ;;
	lib/seq/npy* | lib/seq/text* | lib/seq/tensors* | lib/seq/spool*) echo view reader ;;
	lib/seq/picture* | lib/seq/layout*) echo view ;;
	*) echo tokenize view class ;;
	esac
}

# ask UNIT...: whether one of them sees it
ask() {
	make -s "${@/#/build/tests/unit_}" >"$dir/log" 2>&1
	for u; do
		(ulimit -t 20; exec timeout 300 "build/tests/unit_$u") >"$dir/log" 2>&1 || { killed=$u; return; }
	done
}

cases=0 survived=0 same=0
while IFS=$'\t' read -r file line at len new && [ "$cases" -lt "$n" ]; do
	cp "$file" "$dir/kept"
	obj=build/${file%.c}.o
	cp "$obj" "$dir/kept.o"
	awk -v line="$line" -v at="$at" -v len="$len" -v new="$new" \
		'NR == line { $0 = substr($0, 1, at - 1) new substr($0, at + len) } { print }' "$dir/kept" >"$file"
	killed=''
	if grep -Fq "$file"$'\t'"$(sed -n "${line}s/^[ \t]*//p" "$file")"$'\t' tests/deep/mutants_same.tsv; then
		killed=none
		same=$((same + 1))
	elif ! make -s "$obj" >"$dir/log" 2>&1; then
		killed=none
	elif objdump -d "$obj" | tail -n +4 | cmp -s - <(objdump -d "$dir/kept.o" | tail -n +4); then
		killed=none
	else
		cases=$((cases + 1))
		read -r -a units < <(tests_of "$file")
		ask "${units[@]:0:3}"
		[ -n "$killed" ] || [ ${#units[@]} -le 3 ] || ask "${units[@]:3}"
		if [ -z "$killed" ] && [ $units_alone = 0 ] && command -v bats >/dev/null; then
			make -s -j2 all >"$dir/log" 2>&1
			for b in $(bats_of "$file"); do
				timeout 300 bats --tap --filter-tags '!slow,!deep' "tests/$b.bats" \
					>"$dir/log" 2>&1 </dev/null || { killed=$b; break; }
			done
		fi
	fi
	if [ -z "$killed" ]; then
		survived=$((survived + 1))
		printf 'survives: %s:%d: %s -> %s\n' "$file" "$line" \
			"$(sed -n "${line}p" "$dir/kept" | cut -c "$at-$((at + len - 1))")" "$new"
		sed -n "${line}p" "$file" | sed 's/^[ \t]*/    /'
	fi
	cp "$dir/kept" "$file"
	cp "$dir/kept.o" "$obj"
	touch "$obj"
	[ -z "${PROGRESS:-}" ] || echo "$cases $file:$line ${killed:-survives}" >>"$PROGRESS"
done < <(awk -v i="$part" -v k="$parts" 'NR % k == i % k' "$dir/chosen")
echo "# $survived of $cases mutants survive; $same are left out that do what the source does"
echo "$cases cases, $((survived * 10 > cases)) failures"
[ $((survived * 10)) -le "$cases" ]
