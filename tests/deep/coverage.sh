#!/bin/bash
# coverage.sh [parsers|all]: which branches of lib/ the tests take, by gcov, in a tree of its own.  parsers: lib/stream,
# lib/seq and the readers of safetensors and config.json, by the unit tests and the fuzz targets' driver alone; all: all of
# lib/ by the programs' tests too, and the classes of tests/deep that let memory and calls fail.  Prints a table, then
# "CASES cases, FAILURES failures": parsers under 95 % of their branches, lib/ under 85 %.
#
# A branch that is taken only when memory ends is counted like any other.
set -u
root=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
what=${1:-all}
dir=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/coverage.XXXXXX") || exit 2
[ "${KEEP:-0}" = 1 ] || trap 'rm -rf "$dir"' EXIT
cp -r "$root"/{Makefile,VERSION,lib,kernels,tools,tests,formats,pipelines,completions,man,README.md,.ci} "$dir" || exit 2
cd "$dir" || exit 2
units=(unit_stream unit_record unit_input unit_source unit_seq unit_text unit_mask unit_motif unit_safetensors unit_damage
	unit_model_files unit_stat)
targets=(frame record fasta structure safetensors config tables vienna)
goals=("${units[@]/#/build/tests/}" "${targets[@]/#/build/tests/fuzz/fuzz_}")
[ "$what" = parsers ] || goals=(all units)
make -j2 CFLAGS='-O0 --coverage' LDFLAGS=--coverage "${goals[@]}" >make.log 2>&1 || { tail make.log; exit 2; }
export RNA_TEST=quick LC_ALL=C OMP_WAIT_POLICY=passive B=build
if [ "$what" = all ]; then
	bash tests/run.sh check >tests.log 2>&1
	bash tests/deep/run.sh sample >>tests.log 2>&1
else
	for u in "${units[@]}"; do "build/tests/$u" >>tests.log 2>&1; done
fi
for t in "${targets[@]}"; do
	seeds=(formats/golden formats/golden-errors formats/golden-errors/text formats/golden-errors/model formats/vocab.txt)
	[ "$t" != tables ] || seeds=(formats/vocab.txt formats/turner2004.par)
	[ ! -d "$root/build-fuzz/$t/corpus" ] || seeds+=("$root/build-fuzz/$t/corpus")
	[ ! -d "tests/fuzz/seeds/$t" ] || seeds+=("tests/fuzz/seeds/$t")
	"build/tests/fuzz/fuzz_$t" -n 2000 "${seeds[@]}" >>tests.log 2>&1
done

# sums FILES...: taken and all branches
sums() {
	for f; do
		[ -e "build/${f%.c}.gcda" ] || { grep -c . /dev/null; continue; }
		gcov -b -c -n -o "build/${f%/*}" "build/${f%.c}.gcda" 2>/dev/null | awk -v f="$f" '
			/^File / { on = index($0, "'"'"'" f "'"'"'") || index($0, "./" f) }
			on && /^Taken at least once/ { sub(/.*:/, ""); split($0, p, "% of "); printf "%s %.0f %d\n", f, p[1] * p[2] / 100, p[2] }'
	done
}
cases=0 failures=0
report() { # report NAME LEAST FILES...
	local name=$1 least=$2 line
	shift 2
	sums "$@" >sums.txt
	sort sums.txt | awk '$3 { printf "#   %-34s %5.1f %% of %d\n", $1, 100 * $2 / $3, $3 }'
	line=$(awk -v name="$name" -v least="$least" '{ t += $2; n += $3 } END {
		printf "# %s: %.1f %% of %d branches, at least %d wanted\n", name, 100 * t / n, n, least; exit 100 * t < least * n }' sums.txt) ||
		failures=$((failures + 1))
	cases=$((cases + 1))
	echo "$line"
}
report parsers 95 lib/stream/{blocks,header,input,record,record_codec,reader,unpack,zframe}.c lib/seq/{csv,entry,fasta,source,structure,structure_file,structure_table,types,vocab,motif,frame_config}.c \
	lib/nn/{safetensors,safetensors_value,config,config_labels}.c lib/fold/energy_file.c
if [ "$what" = parsers ]; then
	report "lib/stream and lib/seq" 85 lib/stream/*.c lib/seq/*.c
else
	report lib 85 lib/*/*.c
fi
echo "$cases cases, $failures failures"
[ $failures = 0 ]
